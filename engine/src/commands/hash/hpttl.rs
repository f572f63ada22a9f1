//! HPTTL: how many milliseconds fields have left to live.

use super::deadline::{Since, Unit, show_deadline};
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HPTTL.
pub const SPEC: Spec = Spec {
    name: "hpttl",
    arity: -5,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::READ),
    tips: &["nondeterministic_output"],
    since: "7.4.0",
    group: Group::Hash,
    summary: "How many milliseconds fields have left to live.",
    complexity: "O(N) where N is the number of fields named",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    show_deadline(context, arguments, Unit::Milliseconds, Since::Now)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn says_it_for_each_field() {
        check(
            r#"
            HPTTL h FIELDS 1 a -> *1 :-2
            HSET h a 1 b 2 -> :2
            HPEXPIRE h 1500 FIELDS 1 a -> *1 :1
            HPTTL h fields 3 a b x -> *3 :1500 :-1 :-2
            @after 1500
            HPTTL h FIELDS 1 a -> *1 :-2
            HPTTL h FIELDS 2 a -> -ERR syntax error
            HPTTL h FIELDS 0 a -> -ERR syntax error
            HPTTL h FIELDS x a -> -ERR value is not an integer or out of range
            HPTTL h FELDS 1 a -> -ERR Mandatory argument FIELDS is missing or not at the right position
            HPTTL h FIELDS 1 -> -ERR wrong number of arguments for 'hpttl' command
            SET s v -> +OK
            HPTTL s FIELDS 1 a -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
