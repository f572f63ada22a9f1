//! CLIENT LIST: everybody who is connected, one line each.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec,
    run_gather,
};
use crate::resp::Arguments;
use crate::session::{Filter, describe};

/// CLIENT LIST.
pub const SPEC: Spec = Spec {
    name: "client|list",
    syntax: "[TYPE type] [ID id ...] [ADDR ip:port] [NAME name] ...",
    arity: -2,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    tips: &["nondeterministic_output"],
    since: "2.4.0",
    group: Group::Connection,
    summary: "Everybody who is connected, one line each.",
    complexity: "O(N) where N is the number of connections",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let filter = Filter::parse(&arguments.from(2), false, "ERR Invalid client ID")?;
    let own = context.session.as_deref();
    for session in context.core.sessions.iter().chain(own) {
        if filter.admits(session, context.caller, context.now) {
            let line = describe(session, context.now);
            context.out.extend_from_slice(&session.id.0.to_be_bytes());
            context.out.extend_from_slice(&(line.len() as u32).to_be_bytes());
            context.out.extend_from_slice(line.as_bytes());
        }
    }
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let mut lines: Vec<(u64, &[u8])> = Vec::new();
    for mut rest in parts.iter().map(Vec::as_slice) {
        while let Some((id, tail)) = rest.split_first_chunk() {
            let (len, tail) = tail.split_first_chunk().expect("a part writes whole entries");
            let (line, tail) = tail.split_at(u32::from_be_bytes(*len) as usize);
            lines.push((u64::from_be_bytes(*id), line));
            rest = tail;
        }
    }
    lines.sort_unstable_by_key(|(id, _)| *id);
    let text: Vec<u8> = lines.iter().flat_map(|(_, line)| [line, &b"\n"[..]]).flatten().copied().collect();
    context.reply.verbatim("txt", text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn shows_all_clients_in_order() {
        check(
            r#"
            2> CLIENT SETNAME second -> +OK
            CLIENT LIST -> $...id=1 ... name=second ... cmd=client|setname ...id=2 ... cmd=client|list ...
            CLIENT LIST ID 1 -> $...id=1 addr=127.0.0.1:50002 ...
            CLIENT LIST ID 3 -> $0
            CLIENT LIST TYPE pubsub -> $0
            CLIENT LIST NAME second -> ...id=1 ...
            CLIENT LIST TYPE boss -> -ERR Unknown client type 'boss'
            CLIENT LIST ID x -> -ERR Invalid client ID
            CLIENT LIST x -> -ERR syntax error
            "#,
        );
    }
}
