//! INFO persistence: nothing is on disk yet, and that is what the fields say.

use super::{Fields, View};

pub(super) fn write(view: &View<'_>, out: &mut Fields) {
    out.add("loading", 0);
    out.add("async_loading", 0);
    out.add("rdb_changes_since_last_save", view.total.counters.changes);
    out.add("rdb_bgsave_in_progress", 0);
    // Redis says here when it started, as long as it has not saved.
    out.add("rdb_last_save_time", view.started.unix_s());
    out.add("rdb_last_bgsave_status", "ok");
    out.add("rdb_last_bgsave_time_sec", -1);
    out.add("rdb_current_bgsave_time_sec", -1);
    out.add("rdb_saves", 0);
    out.add("aof_enabled", 0);
    out.add("aof_rewrite_in_progress", 0);
    out.add("aof_rewrite_scheduled", 0);
    out.add("aof_last_rewrite_time_sec", -1);
    out.add("aof_current_rewrite_time_sec", -1);
    out.add("aof_last_bgrewrite_status", "ok");
    out.add("aof_last_write_status", "ok");
}
