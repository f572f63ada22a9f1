//! CLIENT ID: the connection's number.

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// CLIENT ID.
pub const SPEC: Spec = Spec {
    name: "client|id",
    arity: 2,
    flags: Flags::of(&[Flag::NoScript, Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "5.0.0",
    group: Group::Connection,
    summary: "The number of this connection.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.reply.integer(context.session.id.0 as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn each_connection_has_its_own() {
        check(
            r#"
            CLIENT ID -> :1
            2> CLIENT ID -> :2
            CLIENT ID x -> -ERR wrong number of arguments for 'client|id' command
            "#,
        );
    }
}
