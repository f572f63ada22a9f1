//! The sections that are lists: INFO commandstats, latencystats, errorstats and limits.

use super::super::core_stats::LimitUse;
use super::{Fields, View};

pub(super) fn commands(view: &View<'_>, out: &mut Fields) {
    for (name, count) in &view.total.commands {
        let usec = count.nanos / 1000;
        let per_call = if count.calls == 0 { 0.0 } else { count.nanos as f64 / 1000.0 / count.calls as f64 };
        out.add(
            format_args!("cmdstat_{}", safe(name)),
            format_args!(
                "calls={},usec={usec},usec_per_call={per_call:.2},rejected_calls={},failed_calls={}",
                count.calls, count.rejected_calls, count.failed_calls
            ),
        );
    }
}

/// Percentiles of each command's times in microseconds, those that `latency-tracking-info-percentiles` names.
pub(super) fn latencies(view: &View<'_>, out: &mut Fields) {
    for (name, count) in &view.total.commands {
        let Some(times) = &count.times else { continue };
        let one = |percent: &f64| format!("p{percent}={:.3}", times.percentile_ns(*percent) as f64 / 1000.0);
        let list: Vec<_> = view.config.latency_tracking_info_percentiles.iter().map(one).collect();
        out.add(format_args!("latency_percentiles_usec_{}", safe(name)), list.join(","));
    }
}

pub(super) fn errors(view: &View<'_>, out: &mut Fields) {
    for (code, count) in &view.total.errors {
        out.add(format_args!("errorstat_{}", safe(code)), format_args!("count={count}"));
    }
}

/// Every queue and buffer that has a limit: how much of it is used, and how often it was reached.
pub(super) fn limits(view: &View<'_>, out: &mut Fields) {
    let (config, counters) = (view.config, &view.total.counters);
    let cores = view.cores.len() as u64;
    // A core that answers for itself has its share of what is split evenly.
    let maxmemory = config.maxmemory / (view.process.cpus.len() as u64).max(cores) * cores;
    let limit = |now, max, reached| LimitUse { now, max, reached };
    let own = [
        (
            "maxclients",
            limit(counters.connected_clients, config.maxclients.into(), counters.connections_rejected),
        ),
        ("maxmemory", limit(counters.used_bytes, maxmemory, counters.keys_evicted)),
        ("fork-retained-max", limit(counters.fork_retained_bytes, config.fork_retained_max * cores, 0)),
        (
            "client-query-buffer-limit",
            limit(
                counters.client_input_buffer_bytes_max,
                config.client_query_buffer_limit,
                counters.query_buffer_disconnections,
            ),
        ),
    ];
    let named = view.total.limits.iter().map(|(name, limit)| (name.as_str(), *limit));
    for (name, LimitUse { now, max, reached }) in own.into_iter().chain(named) {
        out.add(format_args!("limit_{}", safe(name)), format_args!("now={now},max={max},reached={reached}"));
    }
}

/// The name without what would break a line of INFO.
fn safe(name: &str) -> String {
    name.replace(|letter: char| matches!(letter, '#' | ':') || letter.is_control(), "_")
}
