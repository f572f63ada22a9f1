//! COMMAND: what the server's commands are.

mod count;
mod describe;
mod docs;
mod getkeys;
mod getkeysandflags;
mod help;
mod info;
mod list;

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Group, SPECS, Spec, unknown_subcommand,
};
use crate::resp::Arguments;

/// COMMAND.
pub const SPEC: Spec = Spec {
    name: "command",
    arity: -1,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    tips: &["nondeterministic_output_order"],
    since: "2.8.13",
    group: Group::Server,
    summary: "What all commands are: arity, flags, keys, categories.",
    complexity: "O(N) where N is the number of commands",
    subcommands: &[
        &count::SPEC,
        &docs::SPEC,
        &getkeys::SPEC,
        &getkeysandflags::SPEC,
        &help::SPEC,
        &info::SPEC,
        &list::SPEC,
    ],
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    if arguments.len() > 1 {
        return unknown_subcommand(context, arguments);
    }
    context.reply.array(SPECS.len());
    SPECS.iter().for_each(|spec| describe::describe(context.reply, spec));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn describes_all_commands() {
        check(
            "
            COMMAND -> *...$4 ping :-1 ...
            COMMAND foo -> -ERR unknown subcommand 'foo'. Try COMMAND HELP.
            ",
        );
    }
}
