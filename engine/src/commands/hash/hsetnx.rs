//! HSETNX: sets a field that is not there.

use super::hash_of;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;
use crate::shard::Expiry;

/// HSETNX.
pub const SPEC: Spec = Spec {
    name: "hsetnx",
    arity: 4,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RW.and(Access::INSERT)),
    since: "2.0.0",
    group: Group::Hash,
    summary: "Sets a field of a hash unless it is there.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let name = arguments.at(2);
    let mut write = context.core.shard.write(&key, context.now.unix_ms);
    let there = hash_of(write.entry())?.is_some_and(|hash| hash.field(name).is_some());
    if !there {
        write.hash_set(name, arguments.at(3), Expiry::Clear)?;
    }
    drop(write);
    context.reply.integer(i64::from(!there));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn keeps_what_is_there() {
        check(
            r#"
            HSETNX h a 1 -> :1
            HSETNX h a 2 -> :0
            HGET h a -> $1 1
            HPEXPIRE h 10 FIELDS 1 a -> *1 :1
            @after 10
            HSETNX h a 3 -> :1
            HTTL h FIELDS 1 a -> *1 :-1
            SET s v -> +OK
            HSETNX s a 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value
            HSETNX h a -> -ERR wrong number of arguments for 'hsetnx' command
            "#,
        );
    }
}
