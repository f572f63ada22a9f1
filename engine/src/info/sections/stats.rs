//! INFO stats: what happened since the start or CONFIG RESETSTAT.

use super::{Fields, View};

pub(super) fn write(view: &View<'_>, out: &mut Fields) {
    let counters = &view.total.counters;
    let kilobytes = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
    out.add("total_connections_received", counters.connections_received);
    out.add("total_commands_processed", counters.commands_processed);
    out.add("instantaneous_ops_per_sec", counters.commands_per_second);
    out.add("total_net_input_bytes", counters.net_input_bytes);
    out.add("total_net_output_bytes", counters.net_output_bytes);
    out.add("total_net_repl_input_bytes", 0);
    out.add("total_net_repl_output_bytes", 0);
    out.add("instantaneous_input_kbps", kilobytes(counters.net_input_bytes_per_second));
    out.add("instantaneous_output_kbps", kilobytes(counters.net_output_bytes_per_second));
    out.add("rejected_connections", counters.connections_rejected);
    out.add("sync_full", 0);
    out.add("sync_partial_ok", 0);
    out.add("sync_partial_err", 0);
    out.add("expired_subkeys", counters.fields_expired);
    out.add("expired_keys", counters.keys_expired);
    out.add("expire_cycle_cpu_milliseconds", counters.expire_us / 1000);
    out.add("evicted_keys", counters.keys_evicted);
    out.add("evicted_clients", 0);
    out.add("total_eviction_exceeded_time", counters.over_memory_ms_total);
    out.add("current_eviction_exceeded_time", counters.over_memory_ms);
    out.add("keyspace_hits", counters.hits);
    out.add("keyspace_misses", counters.misses);
    out.add("pubsub_channels", 0);
    out.add("pubsub_patterns", 0);
    out.add("pubsubshard_channels", 0);
    // Opening a fork takes less than a microsecond, whatever it shows.
    out.add("latest_fork_usec", 0);
    out.add("total_forks", counters.forks_opened);
    out.add("live_forks", counters.forks_live);
    out.add("active_defrag_hits", counters.defragmented);
    out.add("tracking_total_keys", 0);
    out.add("tracking_total_items", 0);
    out.add("tracking_total_prefixes", 0);
    out.add("unexpected_error_replies", 0);
    out.add("total_error_replies", counters.error_replies);
    out.add("total_reads_processed", counters.reads_processed);
    out.add("total_writes_processed", counters.writes_processed);
    out.add("client_query_buffer_limit_disconnections", counters.query_buffer_disconnections);
    out.add("client_output_buffer_limit_disconnections", counters.output_buffer_disconnections);
    out.add("eventloop_cycles", counters.turns);
    out.add("eventloop_duration_sum", counters.turn_us);
    out.add("eventloop_duration_cmd_sum", counters.command_us);
    out.add("instantaneous_eventloop_cycles_per_sec", counters.turns_per_second);
    let turn_us = counters.turn_us_per_second.checked_div(counters.turns_per_second).unwrap_or(0);
    out.add("instantaneous_eventloop_duration_usec", turn_us);
    out.add("acl_access_denied_auth", counters.auth_failures);
    out.add("acl_access_denied_cmd", 0);
    out.add("acl_access_denied_key", 0);
    out.add("acl_access_denied_channel", 0);
}
