//! OBJECT HELP: the subcommands of OBJECT.

use crate::commands::{Categories, Category, Flag, Flags, Group, Spec, run_help};

/// OBJECT HELP.
pub const SPEC: Spec = Spec {
    name: "object|help",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Keyspace]),
    since: "6.2.0",
    group: Group::Generic,
    summary: "The subcommands of OBJECT.",
    run: run_help,
    ..Spec::BASE
};

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn lists_the_subcommands() {
        check("OBJECT HELP -> *...+OBJECT <subcommand> ...+ENCODING key ...+HELP +    Prints this help.");
    }
}
