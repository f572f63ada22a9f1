//! HEXPIRE: sets how many seconds fields have left to live.

use super::deadline::{Since, Unit, set_deadline};
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HEXPIRE.
pub const SPEC: Spec = Spec {
    name: "hexpire",
    arity: -6,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RW.and(Access::UPDATE)),
    since: "7.4.0",
    group: Group::Hash,
    summary: "Sets how many seconds fields have left to live.",
    complexity: "O(N) where N is the number of fields named",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    set_deadline(context, arguments, Unit::Seconds, Since::Now)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn a_field_lives_that_long() {
        check(
            r#"
            HEXPIRE h 10 FIELDS 2 a b -> *2 :-2 :-2
            HSET h a 1 b 2 c 3 -> :3
            HEXPIRE h 10 FIELDS 3 a x b -> *3 :1 :-2 :1
            HTTL h FIELDS 3 a b c -> *3 :10 :10 :-1
            HSET h b 4 -> :0
            HTTL h FIELDS 1 b -> *1 :-1
            @after 9999
            HGET h a -> $1 1
            @after 1
            HGET h a -> $-1
            HTTL h FIELDS 1 a -> *1 :-2
            HEXPIRE h 10 FIELDS 1 a -> *1 :-2
            "#,
        );
    }

    #[test]
    fn the_past_removes_fields_and_the_key_with_the_last() {
        check(
            r#"
            HSET h a 1 b 2 -> :2
            HEXPIRE h 0 FIELDS 2 a a -> *2 :2 :-2
            HLEN h -> :1
            HEXPIRE h 0 FIELDS 1 b -> *1 :2
            HLEN h -> :0
            SET h s -> +OK
            "#,
        );
    }

    #[test]
    fn conditions_must_hold() {
        check(
            r#"
            HSET h f v -> :1
            HEXPIRE h 10 XX FIELDS 1 f -> *1 :0
            HEXPIRE h 10 GT FIELDS 1 f -> *1 :0
            HEXPIRE h 0 GT FIELDS 1 f -> *1 :0
            HEXPIRE h 10 lt fields 1 f -> *1 :1
            HEXPIRE h 5 NX FIELDS 1 f -> *1 :0
            HEXPIRE h 10 GT FIELDS 1 f -> *1 :0
            HEXPIRE h 10 LT FIELDS 1 f -> *1 :0
            HEXPIRE h 20 GT FIELDS 1 f -> *1 :1
            HEXPIRE h 5 XX LT FIELDS 1 f -> *1 :1
            HTTL h FIELDS 1 f -> *1 :5
            HPERSIST h FIELDS 1 f -> *1 :1
            HEXPIRE h 7 NX FIELDS 1 f -> *1 :1
            HTTL h FIELDS 1 f -> *1 :7
            "#,
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        check(
            r#"
            HSET h f v -> :1
            HEXPIRE h x FIELDS 1 f -> -ERR value is not an integer or out of range
            HEXPIRE h -1 FIELDS 1 f -> -ERR invalid expire time in 'hexpire' command
            HEXPIRE h 9223372036854775807 FIELDS 1 f -> -ERR invalid expire time in 'hexpire' command
            HEXPIRE h 9223372036854775 FIELDS 1 f -> -ERR invalid expire time in 'hexpire' command
            HEXPIRE h 10 FIELDS 2 f -> -ERR numfields should be greater than 0 and match the provided number of fields
            HEXPIRE h 10 FIELDS 0 f -> -ERR numfields should be greater than 0 and match the provided number of fields
            HEXPIRE h 10 FIELDS x f -> -ERR value is not an integer or out of range
            HEXPIRE h 10 NX FELDS 1 f -> -ERR Mandatory argument FIELDS is missing or not at the right position
            HEXPIRE h 10 YY FIELDS 1 f -> -ERR Unsupported option YY
            HEXPIRE h 10 NX XX FIELDS 1 f -> -ERR NX and XX, GT or LT options at the same time are not compatible
            HEXPIRE h 10 GT LT FIELDS 1 f -> -ERR GT and LT options at the same time are not compatible
            HEXPIRE h 10 FIELDS 1 -> -ERR wrong number of arguments for 'hexpire' command
            SET s v -> +OK
            HEXPIRE s 10 FIELDS 1 f -> -WRONGTYPE Operation against a key holding the wrong kind of value
            HTTL h FIELDS 1 f -> *1 :-1
            "#,
        );
    }

    #[test]
    fn a_hash_whose_fields_have_all_expired_reads_as_none() {
        check(
            r#"
            HSET h a 1 b 2 -> :2
            HEXPIRE h 1 FIELDS 2 a b -> *2 :1 :1
            @after 1000
            HGETALL h -> *0
            HMGET h a b -> *2 $-1 $-1
            HDEL h a -> :0
            HSET h a 3 -> :1
            HGETALL h -> *2 $1 a $1 3
            HTTL h FIELDS 1 a -> *1 :-1
            "#,
        );
    }
}
