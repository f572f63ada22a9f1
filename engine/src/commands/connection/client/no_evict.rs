//! CLIENT NO-EVICT: protects this connection from being closed to save memory.

use super::on_or_off;
use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// CLIENT NO-EVICT.
pub const SPEC: Spec = Spec {
    name: "client|no-evict",
    syntax: "<ON | OFF>",
    arity: 3,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "7.0.0",
    group: Group::Connection,
    summary: "Protects this connection from being closed to save memory.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.session.no_evict = on_or_off(arguments.at(2))?;
    context.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn is_a_flag_of_the_connection() {
        check(
            r#"
            CLIENT NO-EVICT on -> +OK
            CLIENT INFO -> ... flags=e ...
            CLIENT NO-EVICT OFF -> +OK
            CLIENT INFO -> ... flags=N ...
            CLIENT NO-EVICT maybe -> -ERR syntax error
            "#,
        );
    }
}
