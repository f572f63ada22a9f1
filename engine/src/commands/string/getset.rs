//! GETSET: sets a key and answers what it held.

use super::value;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;
use crate::shard::Expiry;

/// GETSET.
pub const SPEC: Spec = Spec {
    name: "getset",
    arity: 3,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::RW.and(Access::ACCESS).and(Access::UPDATE)),

    since: "1.0.0",
    group: Group::String,
    summary: "Sets the string that a key holds and answers the old one.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    value::answer(context.reply, context.core.shard.find(&key, context.now.unix_ms))?;
    context.write(&key).set(arguments.at(2), Expiry::Clear)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;
    use crate::commands::testing::check;

    #[test]
    fn the_old_value_is_answered() {
        check(
            "
            GETSET k a -> $-1
            GETSET k 1 -> $1 a
            GETSET k b -> $1 1
            SET k c PX 10 -> +OK
            GETSET k d -> $1 c
            @after 10
            GET k -> $1 d
            ",
        );
    }

    #[test]
    fn other_types_are_refused() {
        with_hash("h")
            .check("GETSET h v -> -WRONGTYPE Operation against a key holding the wrong kind of value");
    }
}
