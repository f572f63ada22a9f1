//! INCRBY: adds to an integer.

use super::incr::add;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::number::parse_i64;
use crate::resp::Arguments;

/// INCRBY.
pub const SPEC: Spec = Spec {
    name: "incrby",
    arity: 3,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::RW.and(Access::ACCESS).and(Access::UPDATE)),
    since: "1.0.0",
    group: Group::String,
    summary: "Adds to the integer that a key holds; a missing key holds 0.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let increment = parse_i64(arguments.at(2)).ok_or(CommandError::NotInteger)?;
    add(context, arguments.at(1), increment)
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;

    #[test]
    fn integers_are_added() {
        with_hash("h").check(
            "
            INCRBY k 10 -> :10
            INCRBY k -15 -> :-5
            INCRBY k 0 -> :-5
            INCRBY k 9223372036854775807 -> :9223372036854775802
            INCRBY k 6 -> -ERR increment or decrement would overflow
            INCRBY k -9223372036854775808 -> :-6
            INCRBY k -9223372036854775808 -> -ERR increment or decrement would overflow
            INCRBY k 9223372036854775808 -> -ERR value is not an integer or out of range
            INCRBY h abc -> -ERR value is not an integer or out of range
            INCRBY h 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value
            INCRBY k -> -ERR wrong number of arguments for 'incrby' command
            ",
        );
    }
}
