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
}
