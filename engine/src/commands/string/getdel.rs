//! GETDEL: the value of a key, which is removed.

use super::value;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// GETDEL.
pub const SPEC: Spec = Spec {
    name: "getdel",
    arity: 2,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::RW.and(Access::ACCESS).and(Access::DELETE)),

    since: "6.2.0",
    group: Group::String,
    summary: "Answers the string that a key holds and removes the key.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    if value::answer(context.reply, context.core.shard.find(&key, context.now.unix_ms))? {
        context.write(&key).remove()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;
    use crate::commands::testing::check;

    #[test]
    fn the_value_is_answered_once() {
        let large = "x".repeat(300_000);
        check(&format!(
            "
            GETDEL k -> $-1
            SET k a -> +OK
            GETDEL k -> $1 a
            GETDEL k -> $-1
            SET k {large} -> +OK
            GETDEL k -> $300000 {large}
            GET k -> $-1
            "
        ));
    }

    #[test]
    fn other_types_are_refused() {
        with_hash("h").check(
            "
            GETDEL h -> -WRONGTYPE Operation against a key holding the wrong kind of value
            STRLEN h -> -WRONGTYPE Operation against a key holding the wrong kind of value
            ",
        );
    }
}
