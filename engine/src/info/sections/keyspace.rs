//! INFO keyspace and INFO cluster.

use super::{Fields, View};

/// One line for database 0, if it holds a key.
pub(super) fn write(view: &View<'_>, out: &mut Fields) {
    let counters = &view.total.counters;
    if counters.keys == 0 {
        return;
    }
    let average = counters.ttl_sampled_ms.checked_div(counters.ttl_samples).unwrap_or(0);
    let (keys, expires, fields) = (counters.keys, counters.keys_expiring, counters.keys_with_expiring_fields);
    out.add("db0", format_args!("keys={keys},expires={expires},avg_ttl={average},subexpiry={fields}"));
}

pub(super) fn cluster(view: &View<'_>, out: &mut Fields) {
    out.add("cluster_enabled", u8::from(view.config.cluster_enabled));
}
