//! UNLINK: removes keys; the memory of large values is freed in the background.

use crate::commands::{Access, Categories, Category, Flag, Flags, Group, Keys, Merge, Route, Spec};

/// UNLINK.
pub const SPEC: Spec = Spec {
    name: "unlink",
    arity: -2,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::range(1, -1, 1, Access::RM.and(Access::DELETE)),
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    since: "4.0.0",
    group: Group::Generic,
    summary: "Removes keys; the memory of large values is freed in the background.",
    complexity: "O(N) where N is the number of keys",
    route: Route::Split(Merge::Sum),
    run: super::del::run,
    ..Spec::BASE
};

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn counts_what_was_there() {
        check(
            "
            SET a 1 -> +OK
            HSET h f v -> :1
            UNLINK a h missing -> :2
            EXISTS a h -> :0
            ",
        );
    }
}
