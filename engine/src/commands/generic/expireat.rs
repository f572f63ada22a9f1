//! EXPIREAT: says at which Unix second a key expires.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

use super::deadline::{Since, Unit, set_deadline};

/// EXPIREAT.
pub const SPEC: Spec = Spec {
    name: "expireat",
    arity: -3,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(1, Access::RW.and(Access::UPDATE)),
    since: "1.2.0",
    group: Group::Generic,
    summary: "Says at which Unix second a key expires.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    set_deadline(context, arguments, Unit::Seconds, Since::Epoch)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn a_key_lives_until_then() {
        check(
            "
            SET k v -> +OK
            EXPIREAT k 1700000010 -> :1
            TTL k -> :10
            EXPIREAT k 9223372036854775807 -> -ERR invalid expire time in 'expireat' command
            EXPIREAT k 1700000000 -> :1
            EXISTS k -> :0
            ",
        );
    }
}
