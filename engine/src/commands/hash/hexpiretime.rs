//! HEXPIRETIME: the Unix second at which fields expire.

use super::deadline::{Since, Unit, show_deadline};
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HEXPIRETIME.
pub const SPEC: Spec = Spec {
    name: "hexpiretime",
    arity: -5,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::READ),
    since: "7.4.0",
    group: Group::Hash,
    summary: "The Unix second at which fields expire.",
    complexity: "O(N) where N is the number of fields named",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    show_deadline(context, arguments, Unit::Seconds, Since::Epoch)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn says_it_for_each_field() {
        check(
            r#"
            HEXPIRETIME h FIELDS 1 a -> *1 :-2
            HSET h a 1 b 2 -> :2
            HPEXPIRE h 1500 FIELDS 1 a -> *1 :1
            HEXPIRETIME h fields 3 a b x -> *3 :1700000002 :-1 :-2
            @after 1500
            HEXPIRETIME h FIELDS 1 a -> *1 :-2
            HEXPIRETIME h FIELDS 2 a -> -ERR syntax error
            HEXPIRETIME h FIELDS 0 a -> -ERR syntax error
            HEXPIRETIME h FIELDS x a -> -ERR value is not an integer or out of range
            HEXPIRETIME h FELDS 1 a -> -ERR Mandatory argument FIELDS is missing or not at the right position
            HEXPIRETIME h FIELDS 1 -> -ERR wrong number of arguments for 'hexpiretime' command
            SET s v -> +OK
            HEXPIRETIME s FIELDS 1 a -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
