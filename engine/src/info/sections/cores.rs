//! INFO cores: each core by itself, on one line.

use super::{Fields, View, ratio};
use std::fmt::Write;

pub(super) fn write(view: &View<'_>, out: &mut Fields) {
    for core in view.cores {
        let (index, counters) = (usize::from(core.core), &core.counters);
        let mut line = String::new();
        let mut add = |name: &str, value: u64| {
            let separator = if line.is_empty() { "" } else { "," };
            write!(line, "{separator}{name}={value}").expect(super::TO_STRING);
        };
        add("cpu", view.process.cpus.get(index).copied().unwrap_or_default().into());
        if view.config.cluster_enabled
            && let Some(node) = view.topology.node_of_core(core.core)
        {
            add("port", node.port.into());
        }
        add("slots", counters.slots);
        add("keys", counters.keys);
        add("clients", counters.connected_clients);
        add("used_memory", counters.used_bytes);
        add("fork_retained", counters.fork_retained_bytes);
        add("commands", counters.commands_processed);
        add("ops_per_sec", counters.commands_per_second);
        add("forwarded_out", counters.forwarded_out);
        add("forwarded_in", counters.forwarded_in);
        add("turns", counters.turns);
        add("turn_usec", counters.turn_us);
        add("turn_usec_max", counters.turn_us_max);
        add("turn_ran_usec_max", counters.turn_ran_us_max);
        add("reclaim_turn_usec_max", counters.reclaim_turn_us_max);
        add("background_usec", counters.background_us);
        let share = ratio(counters.background_us, counters.turn_us) * 100.0;
        write!(line, ",background_perc={share:.2}").expect(super::TO_STRING);
        out.add(format_args!("core{index}"), line);
    }
}
