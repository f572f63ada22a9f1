//! RESET: back to the state of a new connection.

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// RESET.
pub const SPEC: Spec = Spec {
    name: "reset",
    arity: 1,
    flags: Flags::of(&[
        Flag::NoScript,
        Flag::Loading,
        Flag::Stale,
        Flag::Fast,
        Flag::NoAuth,
        Flag::AllowBusy,
    ]),
    acl: Categories::of(&[Category::Connection]),
    since: "6.2.0",
    group: Group::Connection,
    summary: "Brings the connection back to the state of a new one.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let authenticated = !context.core.needs_password();
    context.session.reset(authenticated);
    context.reply.set_protocol(context.session.protocol);
    context.reply.simple("RESET");
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn forgets_what_was_agreed() {
        check(
            r#"
            HELLO 3 SETNAME me -> %7 ...
            CLIENT REPLY OFF ->
            RESET -> +RESET
            CLIENT GETNAME -> $-1
            RESET now -> -ERR wrong number of arguments for 'reset' command
            @config requirepass secret
            RESET -> +RESET
            PING -> -NOAUTH Authentication required.
            "#,
        );
    }
}
