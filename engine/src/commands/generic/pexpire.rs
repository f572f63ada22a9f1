//! PEXPIRE: says how many milliseconds a key has left to live.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

use super::deadline::{Since, Unit, set_deadline};

/// PEXPIRE.
pub const SPEC: Spec = Spec {
    name: "pexpire",
    arity: -3,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(1, Access::RW.and(Access::UPDATE)),
    since: "2.6.0",
    group: Group::Generic,
    summary: "Says how many milliseconds a key has left to live.",
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
    fn a_key_lives_that_long() {
        check(
            "
            SET k v -> +OK
            PEXPIRE k 1500 -> :1
            TTL k -> :2
            @after 1499
            PTTL k -> :1
            @after 1
            EXISTS k -> :0
            SET k v -> +OK
            PEXPIRE k 9223372036854775807 -> -ERR invalid expire time in 'pexpire' command
            PEXPIRE k -9223372036854775808 -> :1
            EXISTS k -> :0
            ",
        );
    }
}
