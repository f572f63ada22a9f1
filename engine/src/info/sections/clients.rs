//! INFO clients: who is connected.

use super::{Fields, View};

pub(super) fn write(view: &View<'_>, out: &mut Fields) {
    let counters = &view.total.counters;
    out.add("connected_clients", counters.connected_clients);
    out.add("cluster_connections", 0);
    out.add("maxclients", view.config.maxclients);
    out.add("client_recent_max_input_buffer", counters.client_input_buffer_bytes_max);
    out.add("client_recent_max_output_buffer", counters.client_output_buffer_bytes_max);
    out.add("blocked_clients", counters.blocked_clients);
    out.add("tracking_clients", counters.tracking_clients);
    out.add("pubsub_clients", counters.pubsub_clients);
    out.add("watching_clients", counters.watching_clients);
    out.add("clients_in_timeout_table", 0);
    out.add("total_watched_keys", 0);
    out.add("total_blocking_keys", 0);
    out.add("total_blocking_keys_on_nokey", 0);
    let (reason, actions) = match view.pause.ends_ms(view.now) {
        None => ("none", "none"),
        Some(_) if view.pause.is_of_writes() => ("client_pause", "write"),
        Some(_) => ("client_pause", "all"),
    };
    let left_ms = view.pause.ends_ms(view.now).map_or(0, |at_ms| at_ms - view.now.unix_ms);
    out.add("paused_reason", reason);
    out.add("paused_actions", actions);
    out.add("paused_timeout_milliseconds", left_ms);
}
