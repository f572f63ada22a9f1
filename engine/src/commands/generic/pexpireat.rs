//! PEXPIREAT: says at which Unix millisecond a key expires.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

use super::deadline::{Since, Unit, set_deadline};

/// PEXPIREAT.
pub const SPEC: Spec = Spec {
    name: "pexpireat",
    arity: -3,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(1, Access::RW.and(Access::UPDATE)),
    since: "2.6.0",
    group: Group::Generic,
    summary: "Says at which Unix millisecond a key expires.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    set_deadline(context, arguments, Unit::Milliseconds, Since::Epoch)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn a_key_lives_until_then() {
        check(
            "
            SET k v -> +OK
            PEXPIREAT k 1700000000001 -> :1
            PTTL k -> :1
            @after 1
            EXISTS k -> :0
            SET k v -> +OK
            PEXPIREAT k 9223372036854775807 -> :1
            PEXPIRETIME k -> :9223372036854775807
            ",
        );
    }
}
