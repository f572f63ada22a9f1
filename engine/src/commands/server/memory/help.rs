//! MEMORY HELP: the subcommands of MEMORY.

use crate::commands::{Flag, Flags, Group, Spec, run_help};

/// MEMORY HELP.
pub const SPEC: Spec = Spec {
    name: "memory|help",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    since: "4.0.0",
    group: Group::Server,
    summary: "The subcommands of MEMORY.",
    run: run_help,
    ..Spec::BASE
};

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn lists_the_subcommands() {
        check(
            "MEMORY HELP -> *...+MEMORY <subcommand> ...+DOCTOR ...+STATS ...+USAGE key [SAMPLES count] ...",
        );
    }
}
