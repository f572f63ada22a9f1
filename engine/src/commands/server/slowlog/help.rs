//! SLOWLOG HELP: the subcommands of SLOWLOG.

use crate::commands::{Flag, Flags, Group, Spec, run_help};

/// SLOWLOG HELP.
pub const SPEC: Spec = Spec {
    name: "slowlog|help",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    since: "6.2.0",
    group: Group::Server,
    summary: "The subcommands of SLOWLOG.",
    run: run_help,
    ..Spec::BASE
};

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn lists_the_subcommands() {
        check("SLOWLOG HELP -> *...+SLOWLOG <subcommand> ...+GET [count] ...+LEN ...+RESET ...");
    }
}
