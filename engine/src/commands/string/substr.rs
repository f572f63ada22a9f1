//! SUBSTR: the old name of GETRANGE.

use super::getrange::run;
use crate::commands::{Access, Categories, Category, Flag, Flags, Group, Keys, Route, Spec};

/// SUBSTR.
pub const SPEC: Spec = Spec {
    name: "substr",
    arity: 4,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::READ),
    since: "1.0.0",
    group: Group::String,
    summary: "Answers a part of the string that a key holds.",
    complexity: "O(N) where N is the length of the part.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn answers_what_getrange_answers() {
        check(
            "
            SET k hello -> +OK
            SUBSTR k 1 -2 -> $3 ell
            SUBSTR k -> -ERR wrong number of arguments for 'substr' command
            ",
        );
    }
}
