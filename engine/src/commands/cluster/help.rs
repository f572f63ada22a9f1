//! CLUSTER HELP: the subcommands of CLUSTER.

use crate::commands::{Flag, Flags, Group, Spec, run_help};

/// CLUSTER HELP.
pub const SPEC: Spec = Spec {
    name: "cluster|help",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    since: "5.0.0",
    group: Group::Cluster,
    summary: "The subcommands of CLUSTER.",
    run: run_help,
    ..Spec::BASE
};

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn lists_the_subcommands() {
        check("CLUSTER HELP -> *...+CLUSTER <subcommand> ...+GETKEYSINSLOT slot count ...+SLOTS ...");
    }
}
