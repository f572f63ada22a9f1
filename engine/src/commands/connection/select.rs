//! SELECT: chooses a database, of which there is one.

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::number::parse_i64;
use crate::resp::Arguments;

/// SELECT.
pub const SPEC: Spec = Spec {
    name: "select",
    syntax: "index",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale, Flag::Fast]),
    acl: Categories::of(&[Category::Connection]),
    since: "1.0.0",
    group: Group::Connection,
    summary: "Chooses the database; there is only number 0.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    match parse_i64(arguments.at(1)) {
        None => Err(CommandError::NotInteger),
        Some(0) => {
            context.reply.ok();
            Ok(())
        }
        Some(_) if context.core.config.cluster_enabled => {
            Err(CommandError::Static("ERR SELECT is not allowed in cluster mode"))
        }
        Some(_) => Err(CommandError::Static("ERR DB index is out of range")),
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn there_is_one_database() {
        check(
            r#"
            SELECT 0 -> +OK
            SELECT 1 -> -ERR DB index is out of range
            SELECT -1 -> -ERR DB index is out of range
            SELECT x -> -ERR value is not an integer or out of range
            @cores 2
            SELECT 0 -> +OK
            SELECT 1 -> -ERR SELECT is not allowed in cluster mode
            "#,
        );
    }
}
