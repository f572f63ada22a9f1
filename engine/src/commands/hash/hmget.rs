//! HMGET: the values of fields.

use super::hash_of;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HMGET.
pub const SPEC: Spec = Spec {
    name: "hmget",
    arity: -3,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::READ),
    since: "2.0.0",
    group: Group::Hash,
    summary: "The values of fields of a hash.",
    complexity: "O(N) where N is the number of fields named",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let hash = hash_of(context.core.shard.find(&key, context.now.unix_ms))?;
    let names = arguments.from(2);
    context.reply.array(names.len());
    for name in names.iter() {
        let field = hash.and_then(|hash| hash.field(name));
        context.reply.bulk_text_or_null(field.map(|field| field.value));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn answers_values_in_the_order_asked_for() {
        check(
            r#"
            HMGET h a b -> *2 $-1 $-1
            HSET h a 1 b 2 -> :2
            HMGET h b x a b -> *4 $1 2 $-1 $1 1 $1 2
            2> HELLO 3 -> %...
            2> HMGET h x a -> *2 _ $1 1
            HMGET h -> -ERR wrong number of arguments for 'hmget' command
            SET s v -> +OK
            HMGET s a -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
