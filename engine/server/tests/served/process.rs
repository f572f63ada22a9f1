//! What a process uses of the machine, from /proc.

use std::fs;
use std::time::Duration;

/// Memory that a process has of the machine.
pub fn resident_bytes(pid: u32) -> u64 {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).expect("the process runs");
    let pages: u64 = statm.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("the second number");
    pages * rustix::param::page_size() as u64
}

/// CPU time that all threads of a process have used.
pub fn cpu_time(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    let of_thread = |path: std::path::PathBuf| {
        let text = fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0)
    };
    Duration::from_nanos(threads.map(|thread| of_thread(thread.expect("an entry").path())).sum())
}
