//! HGET: the value of a field.

use super::hash_of;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HGET.
pub const SPEC: Spec = Spec {
    name: "hget",
    arity: 3,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::READ),
    since: "2.0.0",
    group: Group::Hash,
    summary: "The value of a field of a hash.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let hash = hash_of(context.core.shard.find(&key, context.now.unix_ms))?;
    let field = hash.and_then(|hash| hash.field(arguments.at(2)));
    context.reply.bulk_text_or_null(field.map(|field| field.value));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn answers_the_value_or_null() {
        check(
            "
            HGET h f -> $-1
            HSET h f 1 g '' -> :2
            HGET h f -> $1 1
            HGET h g -> $0
            HGET h x -> $-1
            2> HELLO 3 -> %...
            2> HGET h x -> _
            HGET h -> -ERR wrong number of arguments for 'hget' command
            ",
        );
    }
}
