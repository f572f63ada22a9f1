//! What a process uses of the machine, from /proc.

use std::fs;

/// Memory that a process has of the machine.
pub fn resident_bytes(pid: u32) -> u64 {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm")).expect("the process runs");
    let pages: u64 = statm.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("the second number");
    pages * rustix::param::page_size() as u64
}
