//! COMMAND COUNT: how many commands there are.

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, SPECS, Spec};
use crate::resp::Arguments;

/// COMMAND COUNT.
pub const SPEC: Spec = Spec {
    name: "command|count",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "2.8.13",
    group: Group::Server,
    summary: "How many commands there are.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.reply.count(SPECS.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn counts_commands_without_subcommands() {
        check(
            r#"
            COMMAND COUNT -> :...
            COMMAND COUNT x -> -ERR wrong number of arguments for 'command|count' command
            "#,
        );
    }
}
