//! CONFIG HELP: the subcommands of CONFIG.

use crate::commands::{Flag, Flags, Group, Spec, run_help};

/// CONFIG HELP.
pub const SPEC: Spec = Spec {
    name: "config|help",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    since: "5.0.0",
    group: Group::Server,
    summary: "The subcommands of CONFIG.",
    run: run_help,
    ..Spec::BASE
};

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn lists_the_subcommands() {
        check("CONFIG HELP -> *...+CONFIG <subcommand> ...+GET parameter [parameter ...] ...+SET ...");
    }
}
