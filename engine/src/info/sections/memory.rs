//! INFO memory: what memory is used for.
//!
//! `used_memory` is what the cores count themselves: data, tables and buffers. The arena takes the allocator's place in
//! the fields that Redis fills from jemalloc: `allocated` are objects with what their size classes waste, `active` the pages
//! that they lie in, `resident` what the arena holds from the kernel.

use super::{Fields, View, ratio};
use crate::config::Choice;

pub(super) fn write(view: &View<'_>, out: &mut Fields) {
    let View { process, config, total, .. } = view;
    let counters = &total.counters;
    let (used, resident) = (counters.used_bytes, process.resident_bytes);
    let peak = counters.used_bytes_peak.max(used);
    let dataset = used.saturating_sub(counters.overhead_bytes);
    out.add_bytes("used_memory", used);
    out.add_bytes("used_memory_rss", resident);
    out.add_bytes("used_memory_peak", peak);
    out.add("used_memory_peak_time", counters.used_bytes_peak_at_s.max(view.started.unix_s()));
    out.add("used_memory_peak_perc", format_args!("{:.2}%", ratio(used, peak) * 100.0));
    out.add("used_memory_overhead", counters.overhead_bytes);
    out.add("used_memory_startup", counters.startup_bytes);
    out.add("used_memory_dataset", dataset);
    let beyond_startup = used.saturating_sub(counters.startup_bytes);
    out.add(
        "used_memory_dataset_perc",
        format_args!("{:.2}%", ratio(dataset, beyond_startup).min(1.0) * 100.0),
    );
    out.add("allocator_allocated", counters.arena_allocated_bytes);
    out.add("allocator_active", counters.arena_active_bytes);
    out.add("allocator_resident", counters.arena_mapped_bytes);
    out.add_bytes("total_system_memory", process.system_bytes);
    out.add_bytes("maxmemory", config.maxmemory);
    out.add("maxmemory_policy", config.maxmemory_policy.name());
    let (allocated, active) = (counters.arena_allocated_bytes, counters.arena_active_bytes);
    let mapped = counters.arena_mapped_bytes;
    out.add("allocator_frag_ratio", format_args!("{:.2}", ratio(active, allocated)));
    out.add("allocator_frag_bytes", active.saturating_sub(allocated));
    out.add("allocator_rss_ratio", format_args!("{:.2}", ratio(mapped, active)));
    out.add("allocator_rss_bytes", mapped.saturating_sub(active));
    out.add("rss_overhead_ratio", format_args!("{:.2}", ratio(resident, mapped)));
    out.add("rss_overhead_bytes", resident as i64 - mapped as i64);
    out.add("mem_fragmentation_ratio", format_args!("{:.2}", ratio(resident, used)));
    out.add("mem_fragmentation_bytes", resident as i64 - used as i64);
    out.add("mem_not_counted_for_evict", counters.uncharged_bytes);
    out.add("mem_replication_backlog", 0);
    out.add("mem_total_replication_buffers", 0);
    out.add("mem_clients_slaves", 0);
    out.add("mem_clients_normal", counters.clients_bytes);
    out.add("mem_cluster_links", 0);
    out.add("mem_aof_buffer", 0);
    out.add("mem_fork_retained", counters.fork_retained_bytes);
    out.add("mem_reclaiming", counters.reclaiming_bytes);
    out.add("mem_allocator", "whimbrel-arena");
    out.add("active_defrag_running", counters.defragmenting);
    out.add("lazyfree_pending_objects", counters.reclaiming_objects);
    out.add("lazyfreed_objects", counters.reclaimed_objects);
}
