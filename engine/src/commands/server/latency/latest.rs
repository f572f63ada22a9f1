//! LATENCY LATEST: the last and the worst spike of each event.

use super::{spikes, together};
use crate::commands::{CommandError, Context, Flag, Flags, Gather, Group, Route, Spec, run_gather};
use crate::resp::Arguments;

/// LATENCY LATEST.
pub const SPEC: Spec = Spec {
    name: "latency|latest",

    arity: 2,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    since: "2.8.13",
    group: Group::Server,
    summary: "The last and the worst spike of each event.",

    route: Route::Gather(Gather { part: spikes, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let monitor = together(parts);
    context.reply.array(monitor.events().len());
    for (event, series) in monitor.events() {
        let latest = series.latest().expect("an event has a spike");
        context.reply.array(4);
        context.reply.bulk(event);
        for number in [latest.unix_seconds, latest.latency_ms, series.worst_ms()] {
            context.reply.integer(number as i64);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::bench;
    use crate::commands::testing::check;

    #[test]
    fn last_and_worst() {
        bench().check("LATENCY LATEST -> *1 *4 $7 command :1700000002 :20 :30");
        check("LATENCY LATEST -> *0");
    }
}
