//! SLOWLOG: the commands that took longest to run.

mod get;
mod help;
mod len;
mod reset;

use crate::commands::{Group, Spec};

/// SLOWLOG.
pub const SPEC: Spec = Spec {
    name: "slowlog",
    syntax: "<subcommand> [<arg> ...]",
    arity: -2,
    since: "2.2.12",
    group: Group::Server,
    summary: "The commands that took longest to run.",
    complexity: "Depends on the subcommand.",
    subcommands: &[&get::SPEC, &help::SPEC, &len::SPEC, &reset::SPEC],
    ..Spec::BASE
};

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn subcommands_are_asked_for() {
        check(
            "
            SLOWLOG -> -ERR wrong number of arguments for 'slowlog' command
            SLOWLOG foo -> -ERR unknown subcommand 'foo'. Try SLOWLOG HELP.
            ",
        );
    }
}
