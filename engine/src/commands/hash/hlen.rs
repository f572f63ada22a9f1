//! HLEN: how many fields there are. As in Redis and Valkey, expired fields count until the background sweep meets them.

use super::hash_of;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HLEN.
pub const SPEC: Spec = Spec {
    name: "hlen",
    arity: 2,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RO),
    since: "2.0.0",
    group: Group::Hash,
    summary: "How many fields a hash has.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let hash = hash_of(context.core.shard.find(&key, context.now.unix_ms))?;
    context.reply.count(hash.map_or(0, |hash| hash.len()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn counts_the_fields() {
        check(
            r#"
            HLEN h -> :0
            HSET h a 1 b 2 -> :2
            HLEN h -> :2
            HDEL h a -> :1
            HLEN h -> :1
            SET s v -> +OK
            HLEN s -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
