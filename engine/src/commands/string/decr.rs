//! DECR: takes one from an integer.

use super::incr::add;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// DECR.
pub const SPEC: Spec = Spec {
    name: "decr",
    arity: 2,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::RW.and(Access::ACCESS).and(Access::UPDATE)),
    since: "1.0.0",
    group: Group::String,
    summary: "Takes one from the integer that a key holds; a missing key holds 0.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    add(context, arguments.at(1), -1)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn integers_are_counted_down() {
        check(
            "
            DECR k -> :-1
            DECR k -> :-2
            SET k -9223372036854775807 -> +OK
            DECR k -> :-9223372036854775808
            DECR k -> -ERR increment or decrement would overflow
            ",
        );
    }
}
