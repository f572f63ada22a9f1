//! LATENCY HELP: the subcommands of LATENCY.

use crate::commands::{Flag, Flags, Group, Spec, run_help};

/// LATENCY HELP.
pub const SPEC: Spec = Spec {
    name: "latency|help",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    since: "2.8.13",
    group: Group::Server,
    summary: "The subcommands of LATENCY.",
    run: run_help,
    ..Spec::BASE
};

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn lists_the_subcommands() {
        check("LATENCY HELP -> *...+LATENCY <subcommand> ...+DOCTOR ...+GRAPH event ...+LATEST ...");
    }
}
