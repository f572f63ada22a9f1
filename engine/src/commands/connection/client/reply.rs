//! CLIENT REPLY: whether replies are sent at all.

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;
use crate::session::ReplyMode;

/// CLIENT REPLY.
pub const SPEC: Spec = Spec {
    name: "client|reply",
    syntax: "<ON | OFF | SKIP>",
    arity: 3,
    flags: Flags::of(&[Flag::NoScript, Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "3.2.0",
    group: Group::Connection,
    summary: "Switches replies on or off, or skips the next one.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let session = &mut *context.session;
    match arguments.at(2).to_ascii_uppercase().as_slice() {
        b"ON" => {
            session.reply_mode = ReplyMode::On;
            context.reply.ok();
        }
        b"OFF" => session.reply_mode = ReplyMode::Off,
        b"SKIP" if session.reply_mode == ReplyMode::Off => {}
        b"SKIP" => session.reply_mode = ReplyMode::SkipNext,
        _ => return Err(CommandError::Syntax),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn replies_can_be_left_out() {
        check(
            r#"
            CLIENT REPLY SKIP ->
            PING ->
            PING -> +PONG
            CLIENT REPLY OFF ->
            PING ->
            nonsense ->
            CLIENT REPLY SKIP ->
            PING ->
            PING ->
            CLIENT REPLY ON -> +OK
            PING -> +PONG
            CLIENT REPLY maybe -> -ERR syntax error
            "#,
        );
    }
}
