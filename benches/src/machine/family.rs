//! A process with its children: a server that forks to copy its memory has to answer for the child as well.

use std::{fs, io};

use crate::machine::memory::ProcessMemory;
use crate::machine::schedstat::CpuTime;

/// Ticks a second in `/proc/PID/stat`: the kernel shows 100 on every machine.
const TICKS_PER_SECOND: u64 = 100;

/// CPU time of a process, and of those children of it that have ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FamilyTime {
    own: CpuTime,
    /// Known to a hundredth of a second.
    ended_children_ns: u64,
}

impl FamilyTime {
    /// Reads both.
    pub fn of_process(pid: u32) -> io::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let ended_children_ns = children_ns(&stat)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "stat lacks the children's times"))?;
        Ok(Self { own: CpuTime::of_process(pid)?, ended_children_ns })
    }

    /// Nanoseconds that all of them ran between `earlier` and this.
    pub fn ran_ns_since(&self, earlier: &Self) -> u64 {
        self.own.since(&earlier.own).ran_ns + self.ended_children_ns.saturating_sub(earlier.ended_children_ns)
    }

    /// Nanoseconds that the process itself waited for a CPU between `earlier` and this.
    pub fn waited_ns_since(&self, earlier: &Self) -> u64 {
        self.own.since(&earlier.own).waited_ns
    }
}

/// Memory that a process and its living children have of the machine, pages that they share counted once.
pub fn proportional_bytes(pid: u32) -> io::Result<u64> {
    let mut total = ProcessMemory::of_process(pid)?.proportional_bytes;
    for child in living_children(pid) {
        // A child that has ended meanwhile holds nothing.
        total += ProcessMemory::of_process(child).map_or(0, |memory| memory.proportional_bytes);
    }
    Ok(total)
}

fn living_children(pid: u32) -> Vec<u32> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let of_task = |path: std::path::PathBuf| fs::read_to_string(path.join("children")).unwrap_or_default();
    let lists: Vec<String> = tasks.flatten().map(|task| of_task(task.path())).collect();
    lists.iter().flat_map(|list| list.split_ascii_whitespace()).filter_map(|word| word.parse().ok()).collect()
}

/// Time of children that have ended and were waited for: the 16th and the 17th field of `/proc/PID/stat`.
fn children_ns(stat: &str) -> Option<u64> {
    // The second field, the program's name, may hold spaces and brackets.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let ticks = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some((ticks(16)? + ticks(17)?) * (1_000_000_000 / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn stat_parses_whatever_the_program_is_called() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 11 12 13 14 20 0 1 0 5";
        assert_eq!(children_ns(stat), Some(27 * 10_000_000));
        assert_eq!(children_ns("7 (a) S 1"), None);
    }

    #[test]
    fn children_count_once_they_have_ended() {
        let own = std::process::id();
        let before = FamilyTime::of_process(own).unwrap();
        let script = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        assert!(Command::new("sh").args(["-c", script]).status().unwrap().success());
        let after = FamilyTime::of_process(own).unwrap();
        assert!(after.ran_ns_since(&before) >= 10_000_000, "{before:?} {after:?}");
    }

    #[test]
    fn memory_includes_living_children() {
        let own = std::process::id();
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        assert!(living_children(own).contains(&child.id()));
        assert!(proportional_bytes(own).unwrap() > 100_000);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
