//! LATENCY DOCTOR: the spikes in sentences, with what can be done about them.

use super::{spikes, together};
use crate::commands::{CommandError, Context, Flag, Flags, Gather, Group, Route, Spec, run_gather};
use crate::latency::DoctorFacts;
use crate::resp::Arguments;

/// LATENCY DOCTOR.
pub const SPEC: Spec = Spec {
    name: "latency|doctor",

    arity: 2,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    since: "2.8.13",
    group: Group::Server,
    summary: "The spikes in sentences, with what can be done about them.",

    route: Route::Gather(Gather { part: spikes, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let config = &context.core.config;
    let facts = DoctorFacts {
        now_unix_seconds: context.now.unix_s(),
        threshold_ms: config.latency_monitor_threshold,
        slowlog_slower_than_us: config.slowlog_log_slower_than,
        slowlog_entries_max: config.slowlog_max_len,
    };
    context.reply.verbatim("txt", together(parts).doctor(&facts));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::bench;
    use crate::commands::testing::check;

    #[test]
    fn a_report() {
        bench().check("LATENCY DOCTOR -> $...1. command: 2 spikes (average 25 ms...");
        check("LATENCY DOCTOR -> $...monitor is off...");
    }
}
