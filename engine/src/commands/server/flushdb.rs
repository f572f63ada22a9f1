//! FLUSHDB: removes all keys of the selected database, which is the only one.

use super::flushall::{merge, part};
use crate::commands::{Categories, Category, Flag, Flags, Gather, Group, Route, Spec, run_gather};

/// FLUSHDB.
pub const SPEC: Spec = Spec {
    name: "flushdb",
    syntax: "[ASYNC | SYNC]",
    arity: -1,
    flags: Flags::of(&[Flag::Write]),
    acl: Categories::of(&[Category::Keyspace, Category::Dangerous]),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    since: "1.0.0",
    group: Group::Server,
    summary: "Removes all keys of the selected database, which is the only one.",
    complexity: "O(S) where S is the number of slots that hold keys; memory is reclaimed in the background.",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn removes_everything() {
        check(
            "
            MSET a 1 b 2 -> +OK
            FLUSHDB x -> -ERR syntax error
            DBSIZE -> :2
            FLUSHDB -> +OK
            DBSIZE -> :0
            FLUSHDB sync -> +OK
            FLUSHDB ASYNC -> +OK
            ",
        );
    }
}
