//! HELP: what a command's subcommands are, from their specs.

use super::context::Context;
use super::error::CommandError;
use super::lookup::lookup;
use crate::resp::Arguments;

/// The `run` of every HELP subcommand.
pub fn run_help(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let name = context.spec.name.split('|').next().unwrap_or_default();
    let container = lookup(name.as_bytes()).expect("a subcommand belongs to a command").spec;
    let title = format!(
        "{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        container.name.to_ascii_uppercase()
    );
    let mut lines = vec![title];
    let others = container.subcommands.iter().filter(|spec| spec.short_name() != "help");
    for spec in others {
        let name = spec.short_name().to_ascii_uppercase();
        lines.push(format!("{name} {}", spec.syntax).trim_end().to_owned());
        lines.push(format!("    {}", spec.summary));
    }
    lines.extend(["HELP".to_owned(), "    Prints this help.".to_owned()]);
    context.reply.array(lines.len());
    lines.iter().for_each(|line| context.reply.simple(line));
    Ok(())
}
