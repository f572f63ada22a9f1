//! LATENCY GRAPH: the spikes of an event, drawn in characters.

use super::{spikes, together};
use crate::commands::{CommandError, Context, Flag, Flags, Gather, Group, Route, Spec, run_gather};
use crate::resp::Arguments;

/// LATENCY GRAPH.
pub const SPEC: Spec = Spec {
    name: "latency|graph",
    syntax: "event",
    arity: 3,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    since: "2.8.13",
    group: Group::Server,
    summary: "The spikes of an event, drawn in characters.",

    route: Route::Gather(Gather { part: spikes, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn merge(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let event = arguments.at(2);
    let name = String::from_utf8_lossy(event);
    let Some(drawing) = together(parts).event(event).map(|series| series.graph(&name, context.now.unix_s()))
    else {
        return Err(CommandError::text(format!("ERR No samples available for event '{name}'")));
    };
    context.reply.verbatim("txt", drawing);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::bench;

    #[test]
    fn draws_an_event() {
        bench().check(
            "
            LATENCY GRAPH command -> $...command - high 30 ms, low 20 ms (all time high 30 ms)...
            LATENCY GRAPH foo -> -ERR No samples available for event 'foo'
            HELLO 3 -> ...
            LATENCY GRAPH command -> =...txt:command - high 30 ms, ...
            ",
        );
    }
}
