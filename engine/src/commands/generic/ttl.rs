//! TTL: how many seconds a key has left to live.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

use super::lifetime::{rounded_s, tell_lifetime};

/// TTL.
pub const SPEC: Spec = Spec {
    name: "ttl",
    arity: 2,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(1, Access::READ),
    tips: &["nondeterministic_output"],
    since: "1.0.0",
    group: Group::Generic,
    summary: "How many seconds a key has left to live.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    tell_lifetime(context, arguments, |expires_at_ms, now_ms| rounded_s(expires_at_ms - now_ms))
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn tells_the_time() {
        check(
            "
            SET k v PX 1499 -> +OK
            TTL k -> :1
            @after 999
            TTL k -> :1
            @after 1
            TTL k -> :0
            TTL missing -> :-2
            SET k v -> +OK
            TTL k -> :-1
            ",
        );
    }
}
