//! INFO replication: there are no replicas yet, so every process is a primary of its own.

use super::{Fields, View};

pub(super) fn write(view: &View<'_>, out: &mut Fields) {
    out.add("role", "master");
    out.add("connected_slaves", 0);
    out.add("master_failover_state", "no-failover");
    out.add("master_replid", &view.process.run_id);
    out.add("master_replid2", "0".repeat(40));
    out.add("master_repl_offset", 0);
    out.add("second_repl_offset", -1);
    out.add("repl_backlog_active", 0);
    out.add("repl_backlog_size", 0);
    out.add("repl_backlog_first_byte_offset", 0);
    out.add("repl_backlog_histlen", 0);
}
