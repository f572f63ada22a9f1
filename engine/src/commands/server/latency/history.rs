//! LATENCY HISTORY: the spikes of an event.

use super::{spikes, together};
use crate::commands::{CommandError, Context, Flag, Flags, Gather, Group, Route, Spec, run_gather};
use crate::resp::Arguments;

/// LATENCY HISTORY.
pub const SPEC: Spec = Spec {
    name: "latency|history",
    syntax: "event",
    arity: 3,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    since: "2.8.13",
    group: Group::Server,
    summary: "The spikes of an event, each with its time.",

    route: Route::Gather(Gather { part: spikes, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn merge(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let monitor = together(parts);
    let samples: Vec<_> =
        monitor.event(arguments.at(2)).map(|series| series.samples().collect()).unwrap_or_default();
    context.reply.array(samples.len());
    for sample in samples {
        context.reply.array(2);
        context.reply.integer(sample.unix_seconds as i64);
        context.reply.integer(sample.latency_ms as i64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::bench;

    #[test]
    fn spikes_with_their_times() {
        bench().check(
            "
            LATENCY HISTORY command -> *2 *2 :1700000000 :30 *2 :1700000002 :20
            LATENCY HISTORY COMMAND -> *0
            LATENCY HISTORY foo -> *0
            ",
        );
    }
}
