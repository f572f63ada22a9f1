//! INFO cpu: CPU time of the process, all threads together. There are no child processes.

use super::{Fields, View};

pub(super) fn write(view: &View<'_>, out: &mut Fields) {
    let seconds = |us: u64| format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    out.add("used_cpu_sys", seconds(view.process.cpu_system_us));
    out.add("used_cpu_user", seconds(view.process.cpu_user_us));
    out.add("used_cpu_sys_children", seconds(0));
    out.add("used_cpu_user_children", seconds(0));
}
