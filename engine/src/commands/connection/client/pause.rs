//! CLIENT PAUSE: commands of all clients wait for a while.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec,
    run_gather,
};
use crate::number::parse_i64;
use crate::resp::Arguments;

/// CLIENT PAUSE.
pub const SPEC: Spec = Spec {
    name: "client|pause",
    syntax: "timeout [WRITE | ALL]",
    arity: -3,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "3.0.0",
    group: Group::Connection,
    summary: "Lets the commands of all clients wait for so many milliseconds.",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let writes_only = match arguments.opt(3) {
        None => false,
        Some(_) if arguments.len() > 4 => return Err(CommandError::Syntax),
        Some(mode) if mode.eq_ignore_ascii_case(b"ALL") => false,
        Some(mode) if mode.eq_ignore_ascii_case(b"WRITE") => true,
        Some(_) => return Err(CommandError::Static("ERR CLIENT PAUSE mode must be WRITE or ALL")),
    };
    let timeout_ms = parse_i64(arguments.at(2))
        .ok_or(CommandError::Static("ERR timeout is not an integer or out of range"))?;
    let timeout_ms =
        u64::try_from(timeout_ms).map_err(|_| CommandError::Static("ERR timeout is negative"))?;
    let until_ms = context.now.unix_ms.saturating_add(timeout_ms);
    context.core.pause.begin(until_ms, writes_only, context.now);
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    _parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    context.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn commands_wait() {
        check(
            r#"
            CLIENT PAUSE 100 WRITE -> +OK
            PING -> +PONG
            CLIENT PAUSE 50 -> +OK
            PING -> (held)
            @after 99
            PING -> (held)
            @after 1
            PING -> +PONG
            CLIENT PAUSE x -> -ERR timeout is not an integer or out of range
            CLIENT PAUSE -1 -> -ERR timeout is negative
            CLIENT PAUSE 1 x -> -ERR CLIENT PAUSE mode must be WRITE or ALL
            CLIENT PAUSE 1 ALL x -> -ERR syntax error
            "#,
        );
    }
}
