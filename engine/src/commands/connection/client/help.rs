//! CLIENT HELP: the subcommands of CLIENT.

use crate::commands::{Categories, Category, Flag, Flags, Group, Spec, run_help};

/// CLIENT HELP.
pub const SPEC: Spec = Spec {
    name: "client|help",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "5.0.0",
    group: Group::Connection,
    summary: "The subcommands of CLIENT.",
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
            CLIENT HELP -> *...+CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are: ...+KILL ...+SETNAME connection-name ... +HELP +    Prints this help.
            "#,
        );
    }
}
