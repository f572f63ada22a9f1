//! Memory of a process from `/proc/PID`: resident and proportional set sizes, huge pages included; and of the machine.

use std::{fs, io};

use serde::{Deserialize, Serialize};
use whimbrel_engine::arena::{Arena, Purpose};

/// Bytes of each object that is allocated to have memory backed; a page holds some.
const OBJECT_BYTES: usize = 4096;

/// Bytes that a process holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMemory {
    /// Resident set, with explicit huge pages, which the kernel counts apart.
    pub resident_bytes: u64,
    /// Proportional set, with explicit huge pages.
    pub proportional_bytes: u64,
}

impl ProcessMemory {
    /// Reads `/proc/PID/smaps_rollup`.
    pub fn of_process(pid: u32) -> io::Result<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
        parse(&text)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "smaps_rollup lacks Rss or Pss"))
    }
}

fn parse(rollup: &str) -> Option<ProcessMemory> {
    let kib = |name: &str| {
        let line = rollup.lines().find(|line| line.split(':').next() == Some(name))?;
        line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()
    };
    let huge = kib("Shared_Hugetlb").unwrap_or(0) + kib("Private_Hugetlb").unwrap_or(0);
    Some(ProcessMemory {
        resident_bytes: (kib("Rss")? + huge) * 1024,
        proportional_bytes: (kib("Pss")? + huge) * 1024,
    })
}

/// Has so many bytes of the machine's free memory backed, in a virtual machine whose host takes free memory back after a
/// while: the first process that gets it again would pay for that, ten times as much as for memory on the metal.
pub fn back_free_memory(bytes: u64) {
    // An arena asks for huge pages, as Whimbrel does; what others take comes out of the same memory.
    let Ok(mut arena) = Arena::new() else { return };
    for _ in 0..bytes / OBJECT_BYTES as u64 {
        let Ok(object) = arena.allocate(Purpose::Object, OBJECT_BYTES) else { return };
        arena.write(object, 0, &[1]);
    }
}

/// `used_memory` of an INFO reply.
pub fn used_memory(info: &str) -> Option<u64> {
    info.lines().find_map(|line| line.strip_prefix("used_memory:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollup_parses() {
        let text = "00400000-7fff r--p 0 00:00 0 [rollup]\nRss:  100 kB\nPss:   80 kB\nPss_Dirty: 7 kB\n\
                    Private_Hugetlb:  2048 kB\n";
        let wanted = ProcessMemory { resident_bytes: 2148 * 1024, proportional_bytes: 2128 * 1024 };
        assert_eq!(parse(text), Some(wanted));
        assert_eq!(parse("Rss: 1 kB\n"), None);
    }

    #[test]
    fn this_process_holds_memory() {
        assert!(ProcessMemory::of_process(std::process::id()).unwrap().resident_bytes > 100_000);
    }

    #[test]
    fn used_memory_of_info() {
        assert_eq!(used_memory("# Memory\r\nused_memory:1234\r\nused_memory_human:1K\r\n"), Some(1234));
        assert_eq!(used_memory("# Memory\r\n"), None);
    }
}
