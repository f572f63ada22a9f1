//! CLIENT MAINT_NOTIFICATIONS: whether this client is told that slots move: push messages `SMIGRATING` when a batch of slots
//! begins to move, `SMIGRATED` when another node owns it.

use super::on_or_off;
use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// CLIENT MAINT_NOTIFICATIONS.
pub const SPEC: Spec = Spec {
    name: "client|maint_notifications",
    syntax: "ON | OFF [parameter value ...]",
    arity: -3,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "8.4.0",
    group: Group::Connection,
    summary: "Whether this client is told, in RESP3, that slots move.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let is_on = on_or_off(arguments.at(2))?;
    // What follows says how a client wants to be told where else to connect: we always say where it would find the node.
    if arguments.len().is_multiple_of(2) {
        return Err(CommandError::Syntax);
    }
    if is_on && !context.reply.is_resp3() {
        return Err(CommandError::Static("ERR Maintenance notifications need RESP3: say HELLO 3 first"));
    }
    context.session.hears_of_moves = is_on;
    context.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn push_messages_need_resp3() {
        check(
            "
            CLIENT MAINT_NOTIFICATIONS ON -> -ERR Maintenance notifications need RESP3: say HELLO 3 first
            CLIENT MAINT_NOTIFICATIONS OFF -> +OK
            HELLO 3 -> ...
            CLIENT MAINT_NOTIFICATIONS ON moving-endpoint-type internal-ip -> +OK
            CLIENT MAINT_NOTIFICATIONS ON moving-endpoint-type -> -ERR syntax error
            CLIENT MAINT_NOTIFICATIONS perhaps -> -ERR syntax error
            CLIENT MAINT_NOTIFICATIONS OFF -> +OK
            ",
        );
    }
}
