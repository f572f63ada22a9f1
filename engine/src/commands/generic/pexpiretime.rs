//! PEXPIRETIME: the Unix millisecond at which a key expires.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

use super::lifetime::tell_lifetime;

/// PEXPIRETIME.
pub const SPEC: Spec = Spec {
    name: "pexpiretime",
    arity: 2,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(1, Access::READ),
    since: "7.0.0",
    group: Group::Generic,
    summary: "The Unix millisecond at which a key expires.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    tell_lifetime(context, arguments, |expires_at_ms, _| expires_at_ms)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn tells_the_time() {
        check(
            "
            SET k v PX 1500 -> +OK
            PEXPIRETIME k -> :1700000001500
            PEXPIRETIME missing -> :-2
            SET k v -> +OK
            PEXPIRETIME k -> :-1
            ",
        );
    }
}
