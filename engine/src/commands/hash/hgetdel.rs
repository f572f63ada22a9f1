//! HGETDEL: the values of fields, which go, and the key with the last one.

use super::hash_of;
use super::numbered::numbered;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HGETDEL.
pub const SPEC: Spec = Spec {
    name: "hgetdel",
    arity: -5,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RW.and(Access::ACCESS).and(Access::DELETE)),
    since: "8.0.0",
    group: Group::Hash,
    summary: "The values of fields of a hash, which are removed.",
    complexity: "O(N) where N is the number of fields named",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let names = numbered(arguments, 2, 1)?;
    let key = context.key(arguments.at(1))?;
    let mut write = context.core.shard.write(&key, context.now.unix_ms);
    hash_of(write.entry())?;
    context.reply.array(names.len());
    for name in names.iter() {
        let field = hash_of(write.entry())?.and_then(|hash| hash.field(name));
        context.reply.bulk_text_or_null(field.map(|field| field.value));
        if field.is_some() {
            write.hash_remove(name)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn answers_and_removes() {
        check(
            r#"
            HGETDEL h FIELDS 2 a b -> *2 $-1 $-1
            HSET h a 1 b 2 c 3 -> :3
            HGETDEL h FIELDS 3 a x a -> *3 $1 1 $-1 $-1
            HGETALL h -> *4 $1 b $1 2 $1 c $1 3
            HGETDEL h fields 2 c b -> *2 $1 3 $1 2
            HLEN h -> :0
            SET h s -> +OK
            HGETDEL h FIELDS 1 a -> -WRONGTYPE Operation against a key holding the wrong kind of value
            HGETDEL h FIELDS 2 a -> -ERR numfields should be greater than 0 and match the provided number of fields
            HGETDEL h FELDS 1 a -> -ERR Mandatory argument FIELDS is missing or not at the right position
            HGETDEL h FIELDS 1 -> -ERR wrong number of arguments for 'hgetdel' command
            "#,
        );
    }
}
