//! EXPIRETIME: the Unix second at which a key expires.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

use super::lifetime::{rounded_s, tell_lifetime};

/// EXPIRETIME.
pub const SPEC: Spec = Spec {
    name: "expiretime",
    arity: 2,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(1, Access::READ),
    since: "7.0.0",
    group: Group::Generic,
    summary: "The Unix second at which a key expires.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    tell_lifetime(context, arguments, |expires_at_ms, _| rounded_s(expires_at_ms))
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn tells_the_time() {
        check(
            "
            SET k v PX 1500 -> +OK
            EXPIRETIME k -> :1700000002
            @after 1000
            EXPIRETIME k -> :1700000002
            EXPIRETIME missing -> :-2
            SET k v -> +OK
            EXPIRETIME k -> :-1
            ",
        );
    }
}
