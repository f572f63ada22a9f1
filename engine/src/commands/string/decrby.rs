//! DECRBY: subtracts from an integer.

use super::incr::add;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::number::parse_i64;
use crate::resp::Arguments;

/// DECRBY.
pub const SPEC: Spec = Spec {
    name: "decrby",
    arity: 3,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::RW.and(Access::ACCESS).and(Access::UPDATE)),
    since: "1.0.0",
    group: Group::String,
    summary: "Subtracts from the integer that a key holds; a missing key holds 0.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let decrement = parse_i64(arguments.at(2)).ok_or(CommandError::NotInteger)?;
    let increment = decrement.checked_neg().ok_or(CommandError::Static("ERR decrement would overflow"))?;
    add(context, arguments.at(1), increment)
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;

    #[test]
    fn integers_are_subtracted() {
        with_hash("h").check(
            "
            DECRBY k 10 -> :-10
            DECRBY k -15 -> :5
            DECRBY k -9223372036854775808 -> -ERR decrement would overflow
            DECRBY k -9223372036854775807 -> -ERR increment or decrement would overflow
            DECRBY h abc -> -ERR value is not an integer or out of range
            DECRBY h 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value
            ",
        );
    }
}
