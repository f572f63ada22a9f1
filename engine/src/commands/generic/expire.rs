//! EXPIRE: says how many seconds a key has left to live.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

use super::deadline::{Since, Unit, set_deadline};

/// EXPIRE.
pub const SPEC: Spec = Spec {
    name: "expire",
    arity: -3,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(1, Access::RW.and(Access::UPDATE)),
    since: "1.0.0",
    group: Group::Generic,
    summary: "Says how many seconds a key has left to live.",
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
    fn a_key_lives_that_long() {
        check(
            "
            SET k v -> +OK
            EXPIRE k 10 -> :1
            EXPIRE missing 10 -> :0
            PTTL k -> :10000
            @after 9999
            EXISTS k -> :1
            @after 1
            EXISTS k -> :0
            ",
        );
    }

    #[test]
    fn the_past_removes_the_key() {
        check(
            "
            SET a v -> +OK
            SET b v -> +OK
            EXPIRE a 0 -> :1
            EXPIRE b -5 -> :1
            EXISTS a b -> :0
            ",
        );
    }

    #[test]
    fn conditions_must_hold() {
        check(
            "
            SET k v -> +OK
            EXPIRE k 10 XX -> :0
            EXPIRE k 10 GT -> :0
            EXPIRE k 10 XX LT -> :0
            EXPIRE k 10 lt -> :1
            EXPIRE k 5 nx -> :0
            EXPIRE k 5 GT -> :0
            EXPIRE k 10 GT -> :0
            EXPIRE k 10 LT -> :0
            TTL k -> :10
            EXPIRE k 20 XX GT -> :1
            EXPIRE k 5 XX LT -> :1
            TTL k -> :5
            EXPIRE k -1 GT -> :0
            EXPIRE k -1 LT -> :1
            EXISTS k -> :0
            SET k v -> +OK
            EXPIRE k 7 NX -> :1
            TTL k -> :7
            ",
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        check(
            "
            SET k v -> +OK
            EXPIRE k x -> -ERR value is not an integer or out of range
            EXPIRE missing x -> -ERR value is not an integer or out of range
            EXPIRE k 10 x -> -ERR Unsupported option x
            EXPIRE k x x -> -ERR Unsupported option x
            EXPIRE k 10 NX XX -> -ERR NX and XX, GT or LT options at the same time are not compatible
            EXPIRE k 10 NX GT -> -ERR NX and XX, GT or LT options at the same time are not compatible
            EXPIRE k 10 LT NX -> -ERR NX and XX, GT or LT options at the same time are not compatible
            EXPIRE k 10 GT LT -> -ERR GT and LT options at the same time are not compatible
            EXPIRE k 9223372036854775807 -> -ERR invalid expire time in 'expire' command
            EXPIRE k 9223372036854775 -> -ERR invalid expire time in 'expire' command
            EXPIRE k -9223372036854775808 -> -ERR invalid expire time in 'expire' command
            EXPIRE k -> -ERR wrong number of arguments for 'expire' command
            TTL k -> :-1
            ",
        );
    }
}
