//! MEMORY DOCTOR: whether memory is used well, in sentences.

use std::fmt::Write;

use super::{numbers, ratio, together};
use crate::commands::{CommandError, Context, Gather, Group, Route, Spec, run_gather};
use crate::info::Counters;
use crate::resp::Arguments;

/// MEMORY DOCTOR.
pub const SPEC: Spec = Spec {
    name: "memory|doctor",
    arity: 2,
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    since: "4.0.0",
    group: Group::Server,
    summary: "Whether memory is used well, in sentences.",
    route: Route::Gather(Gather { part: numbers, merge }),
    run: run_gather,
    ..Spec::BASE
};

/// Below this there is too little data to judge.
const DATA_BYTES_MIN: u64 = 5 << 20;

/// A peak this much above the present use keeps pages sparse.
const PEAK_RATIO_MAX: f64 = 1.5;

/// Memory held from the kernel above this much of what objects take is fragmentation ...
const FRAGMENTATION_RATIO_MAX: f64 = 1.4;

/// ... or the process takes this much of what is in use ...
const RESIDENT_RATIO_MAX: f64 = 1.4;

/// ... if it is this much at least.
const FRAGMENTATION_BYTES_MIN: u64 = 10 << 20;

/// Buffers of a client on average.
const CLIENT_BYTES_MAX: u64 = 200 << 10;

/// What forks retain, of what is in use.
const RETAINED_RATIO_MAX: f64 = 0.25;

fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let total = together(parts);
    let text = report(&total.counters, context.core.observed.process.resident_bytes);
    context.reply.verbatim("txt", text);
    Ok(())
}

fn report(counters: &Counters, resident_bytes: u64) -> String {
    let used = counters.used_bytes;
    if used.saturating_sub(counters.overhead_bytes) < DATA_BYTES_MIN {
        return "There is too little data to judge: less than 5 MiB.\n".to_owned();
    }
    let found = findings(counters, resident_bytes);
    if found.is_empty() {
        return "Memory is used well.\n".to_owned();
    }
    let mut out = "This was found:\n\n".to_owned();
    for sentence in found {
        writeln!(out, "- {sentence}").expect("writing to memory does not fail");
    }
    out
}

fn findings(counters: &Counters, resident_bytes: u64) -> Vec<&'static str> {
    let used = counters.used_bytes;
    let (allocated, active) = (counters.arena_allocated_bytes, counters.arena_active_bytes);
    let is_wasteful = |held: u64, needed: u64, ratio_max: f64| {
        ratio(held, needed) > ratio_max && held - needed >= FRAGMENTATION_BYTES_MIN
    };
    let cases = [
        (
            ratio(counters.used_bytes_peak, used) > PEAK_RATIO_MAX,
            "Peak: there was once more than 150 % of the present data. Pages may be sparse for a while; they are given \
             back as objects are moved together.",
        ),
        (
            is_wasteful(active, allocated, FRAGMENTATION_RATIO_MAX),
            "Fragmentation: the arenas hold more than 140 % of what objects take. Background work moves objects \
             together; if it does not keep up, raise background-turn-us.",
        ),
        (
            is_wasteful(resident_bytes, active.max(used), RESIDENT_RATIO_MAX),
            "Outside of the arenas: the process takes more than 140 % of them. Look at the buffers of clients in CLIENT \
             LIST, and at pipelines with very large values.",
        ),
        (
            counters.clients_bytes.checked_div(counters.connected_clients).unwrap_or(0) > CLIENT_BYTES_MAX,
            "Clients: their buffers take more than 200 KiB each on average. Find those that read too slowly in CLIENT \
             LIST (omem), and set client-output-buffer-limit.",
        ),
        (
            ratio(counters.fork_retained_bytes, used) > RETAINED_RATIO_MAX,
            "Forks: they retain more than a quarter of the data. fork-retained-max bounds that.",
        ),
    ];
    cases.into_iter().filter_map(|(is_found, sentence)| is_found.then_some(sentence)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::check;

    const MIB: u64 = 1 << 20;

    #[test]
    fn an_empty_core_is_not_judged() {
        check("MEMORY DOCTOR -> $...There is too little data to judge...");
    }

    #[test]
    fn what_is_found_is_said() {
        let good = Counters {
            used_bytes: 100 * MIB,
            used_bytes_peak: 100 * MIB,
            arena_allocated_bytes: 100 * MIB,
            arena_active_bytes: 105 * MIB,
            connected_clients: 10,
            ..Counters::default()
        };
        assert_eq!(report(&good, 110 * MIB), "Memory is used well.\n");
        for (counters, resident_bytes, expected) in [
            (Counters { used_bytes_peak: 200 * MIB, ..good }, 110 * MIB, "- Peak"),
            (Counters { arena_active_bytes: 150 * MIB, ..good }, 110 * MIB, "- Fragmentation"),
            (good, 200 * MIB, "- Outside"),
            (Counters { clients_bytes: 10 * MIB, ..good }, 110 * MIB, "- Clients"),
            (Counters { fork_retained_bytes: 30 * MIB, ..good }, 110 * MIB, "- Forks"),
        ] {
            let text = report(&counters, resident_bytes);
            assert!(text.contains(expected) && text.matches("\n- ").count() == 1, "{expected}: {text}");
        }
    }
}
