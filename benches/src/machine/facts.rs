//! The facts about a machine without which figures mean nothing.

use std::fs;

use serde::{Deserialize, Serialize};

/// Printed and kept with every result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineFacts {
    /// CPU model.
    pub cpu: String,
    /// CPUs that are online.
    pub cpus: usize,
    /// Kernel release.
    pub kernel: String,
    /// The system's TCP congestion control, which every server's sockets use unless they choose another.
    pub tcp_congestion_control: String,
    /// Policy for transparent huge pages.
    pub transparent_huge_pages: String,
    /// Memory of the machine.
    pub memory_bytes: u64,
    /// Frequency governor, where the machine shows one.
    pub governor: Option<String>,
}

impl MachineFacts {
    /// Reads them from `/proc` and `/sys`; what cannot be read stays empty.
    pub fn read() -> Self {
        let line = |path: &str| fs::read_to_string(path).map(|text| text.trim().to_owned()).ok();
        let cpuinfo = line("/proc/cpuinfo").unwrap_or_default();
        Self {
            cpu: field(&cpuinfo, "model name").unwrap_or_default(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: line("/proc/sys/kernel/osrelease").unwrap_or_default(),
            tcp_congestion_control: line("/proc/sys/net/ipv4/tcp_congestion_control").unwrap_or_default(),
            transparent_huge_pages: line("/sys/kernel/mm/transparent_hugepage/enabled")
                .as_deref()
                .and_then(chosen)
                .unwrap_or_default(),
            memory_bytes: memory_bytes(&line("/proc/meminfo").unwrap_or_default()),
            governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        }
    }

    /// One line for a report's head.
    pub fn line(&self) -> String {
        format!(
            "{} ({} CPUs, {} GiB), Linux {}, TCP congestion control {}, transparent huge pages {}, governor {}",
            self.cpu,
            self.cpus,
            self.memory_bytes >> 30,
            self.kernel,
            self.tcp_congestion_control,
            self.transparent_huge_pages,
            self.governor.as_deref().unwrap_or("unknown"),
        )
    }
}

fn field(text: &str, name: &str) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The word in brackets of `always [madvise] never`.
fn chosen(text: &str) -> Option<String> {
    Some(text.split_once('[')?.1.split_once(']')?.0.to_owned())
}

fn memory_bytes(meminfo: &str) -> u64 {
    let kib = field(meminfo, "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_texts_parse() {
        assert_eq!(chosen("always [madvise] never"), Some("madvise".into()));
        assert_eq!(chosen("always"), None);
        assert_eq!(field("a : b\nmodel name\t: X 1\n", "model name"), Some("X 1".into()));
        assert_eq!(memory_bytes("MemTotal:       2048 kB\nMemFree: 1 kB"), 2048 * 1024);
        assert_eq!(memory_bytes(""), 0);
    }
}
