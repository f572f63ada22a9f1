//! SETNX: sets a key that is missing.

use super::options::Condition;
use super::set::set_if;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;
use crate::shard::Expiry;

/// SETNX.
pub const SPEC: Spec = Spec {
    name: "setnx",
    arity: 3,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::OW.and(Access::INSERT)),

    since: "1.0.0",
    group: Group::String,
    summary: "Sets the string of a key that is missing.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let is_set = set_if(context, &key, arguments.at(2), Condition::Missing, Expiry::Clear)?;
    context.reply.integer(is_set.into());
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn only_missing_keys_are_set() {
        check(
            "
            SETNX k a -> :1
            SETNX k b -> :0
            GET k -> $1 a
            SET k c PX 10 -> +OK
            @after 10
            SETNX k d -> :1
            @after 100
            GET k -> $1 d
            SETNX k -> -ERR wrong number of arguments for 'setnx' command
            ",
        );
    }
}
