//! HPEXPIRE: sets how many milliseconds fields have left to live.

use super::deadline::{Since, Unit, set_deadline};
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HPEXPIRE.
pub const SPEC: Spec = Spec {
    name: "hpexpire",
    arity: -6,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RW.and(Access::UPDATE)),
    since: "7.4.0",
    group: Group::Hash,
    summary: "Sets how many milliseconds fields have left to live.",
    complexity: "O(N) where N is the number of fields named",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    set_deadline(context, arguments, Unit::Milliseconds, Since::Now)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn a_field_lives_until_then() {
        check(
            r#"
            HSET h a 1 b 2 -> :2
            HPEXPIRE h 1500 FIELDS 2 a x -> *2 :1 :-2
            HPTTL h FIELDS 2 a b -> *2 :1500 :-1
            HPEXPIRE h 1500 NX FIELDS 2 a b -> *2 :0 :1
            HPEXPIRE h -1 FIELDS 1 a -> -ERR invalid expire time in 'hpexpire' command
            @after 1499
            HGET h a -> $1 1
            @after 1
            HMGET h a b -> *2 $-1 $-1
            HSET h a 1 -> :1
            HPEXPIRE h 0 FIELDS 1 a -> *1 :2
            HLEN h -> :1
            "#,
        );
    }
}
