//! HEXISTS: whether a field is there.

use super::hash_of;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HEXISTS.
pub const SPEC: Spec = Spec {
    name: "hexists",
    arity: 3,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RO),
    since: "2.0.0",
    group: Group::Hash,
    summary: "Whether a hash has a field.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let hash = hash_of(context.core.shard.find(&key, context.now.unix_ms))?;
    let there = hash.is_some_and(|hash| hash.field(arguments.at(2)).is_some());
    context.reply.integer(i64::from(there));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn says_whether_a_field_is_there() {
        check(
            r#"
            HEXISTS h f -> :0
            HSET h f '' -> :1
            HEXISTS h f -> :1
            HEXISTS h g -> :0
            HPEXPIRE h 10 FIELDS 1 f -> *1 :1
            @after 10
            HEXISTS h f -> :0
            SET s v -> +OK
            HEXISTS s f -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
