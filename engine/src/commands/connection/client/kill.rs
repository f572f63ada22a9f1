//! CLIENT KILL: closes connections.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec,
    run_gather,
};
use crate::core::Action;
use crate::resp::Arguments;
use crate::session::{Closing, Filter};

/// CLIENT KILL.
pub const SPEC: Spec = Spec {
    name: "client|kill",
    syntax: "<ip:port | [ID id ...] [TYPE type] [ADDR ip:port] [LADDR ip:port] [USER username] [SKIPME yes | no] [MAXAGE seconds]>",
    arity: -3,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "2.4.0",
    group: Group::Connection,
    summary: "Closes the connections that meet the conditions.",
    complexity: "O(N) where N is the number of connections",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let filter = filter(arguments)?;
    let mut killed: u64 = 0;
    let core = &mut *context.core;
    for session in core.sessions.iter_mut() {
        if session.closing.is_none() && filter.admits(session, context.caller, context.now) {
            session.closing = Some(Closing::Now);
            core.actions.push(Action::Close(session.index));
            killed += 1;
        }
    }
    if let Some(own) = context.session.as_deref_mut()
        && filter.admits(own, context.caller, context.now)
    {
        own.closing = Some(Closing::AfterReply);
        killed += 1;
    }
    context.out.extend_from_slice(&killed.to_be_bytes());
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let count = |part: &Vec<u8>| u64::from_be_bytes(*part.first_chunk().expect("a part writes its count"));
    let killed: u64 = parts.iter().map(count).sum();
    match (arguments.len(), killed) {
        (3, 0) => return Err(CommandError::Static("ERR No such client")),
        (3, _) => context.reply.ok(),
        _ => context.reply.integer(killed as i64),
    }
    Ok(())
}

/// With one argument it is an address, and whoever asks may end himself; with more they are conditions.
fn filter(arguments: &Arguments<'_>) -> Result<Filter, CommandError> {
    if arguments.len() == 3 {
        return Ok(Filter::peer(arguments.at(2)));
    }
    Filter::parse(&arguments.from(2), true, "ERR client-id should be greater than 0")
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn closes_who_meets_the_conditions() {
        check(
            r#"
            2> PING -> +PONG
            3> PING -> +PONG
            CLIENT KILL 1.2.3.4:5 -> -ERR No such client
            CLIENT KILL 127.0.0.1:50002 -> +OK
            2> CLIENT ID -> :4
            CLIENT KILL TYPE normal ID 4 -> :1
            CLIENT KILL TYPE normal -> :1
            CLIENT KILL ID 3 -> :0
            CLIENT KILL TYPE normal SKIPME no -> :1
            CLIENT ID -> :5
            CLIENT KILL 127.0.0.1:50001 -> +OK
            CLIENT ID -> :6
            CLIENT KILL ID 0 -> -ERR client-id should be greater than 0
            CLIENT KILL ID x SKIPME yes -> -ERR client-id should be greater than 0
            CLIENT KILL foo bar -> -ERR syntax error
            CLIENT KILL -> -ERR wrong number of arguments for 'client|kill' command
            "#,
        );
    }
}
