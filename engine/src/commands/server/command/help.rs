//! COMMAND HELP: the subcommands of COMMAND.

use crate::commands::{Categories, Category, Flag, Flags, Group, Spec, run_help};

/// COMMAND HELP.
pub const SPEC: Spec = Spec {
    name: "command|help",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "5.0.0",
    group: Group::Server,
    summary: "The subcommands of COMMAND.",
    run: run_help,
    ..Spec::BASE
};

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn lists_the_subcommands() {
        check(
            r#"
            COMMAND HELP -> *...+COMMAND <subcommand> [<arg> [value] [opt] ...]. Subcommands are: +COUNT ... +HELP +    Prints this help.
            "#,
        );
    }
}
