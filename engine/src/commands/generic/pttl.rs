//! PTTL: how many milliseconds a key has left to live.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

use super::lifetime::tell_lifetime;

/// PTTL.
pub const SPEC: Spec = Spec {
    name: "pttl",
    arity: 2,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(1, Access::READ),
    tips: &["nondeterministic_output"],
    since: "2.6.0",
    group: Group::Generic,
    summary: "How many milliseconds a key has left to live.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    tell_lifetime(context, arguments, |expires_at_ms, now_ms| expires_at_ms - now_ms)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn tells_the_time() {
        check(
            "
            SET k v PX 1499 -> +OK
            PTTL k -> :1499
            @after 1498
            PTTL k -> :1
            @after 1
            PTTL k -> :-2
            SET k v -> +OK
            PTTL k -> :-1
            ",
        );
    }
}
