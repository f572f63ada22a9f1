//! CPU time of a process with all its threads, in nanoseconds, from `/proc/PID/task/*/schedstat`.

use std::collections::BTreeMap;
use std::{fs, io};

/// Time that each thread of a process has run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    threads: BTreeMap<u32, u64>,
}

impl CpuTime {
    /// Reads the process' threads. A thread that ends meanwhile is left out.
    pub fn of_process(pid: u32) -> io::Result<Self> {
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str());
            let Some(thread) = name.and_then(|name| name.parse().ok()) else { continue };
            if let Ok(text) = fs::read_to_string(path.join("schedstat"))
                && let Some(ran_ns) = parse(&text)
            {
                threads.insert(thread, ran_ns);
            }
        }
        Ok(Self { threads })
    }

    /// Nanoseconds that ran between `earlier` and this; a thread that was born since counts whole.
    pub fn since_ns(&self, earlier: &Self) -> u64 {
        self.threads
            .iter()
            .map(|(thread, ran)| ran.saturating_sub(earlier.threads.get(thread).copied().unwrap_or(0)))
            .sum()
    }
}

/// CPU time of the calling thread.
pub fn of_this_thread_ns() -> u64 {
    fs::read_to_string("/proc/thread-self/schedstat").ok().and_then(|text| parse(&text)).unwrap_or(0)
}

/// The first field: nanoseconds on a CPU.
fn parse(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_field_is_the_time() {
        assert_eq!(parse("123456 789 10\n"), Some(123_456));
        assert_eq!(parse("0 0 0"), Some(0));
        assert_eq!(parse(""), None);
        assert_eq!(parse("x 1 2"), None);
    }

    #[test]
    fn threads_add_up_and_newborn_ones_count_whole() {
        let time = |threads: &[(u32, u64)]| CpuTime { threads: threads.iter().copied().collect() };
        let before = time(&[(1, 100), (2, 50), (3, 7)]);
        let after = time(&[(1, 160), (2, 50), (4, 9)]);
        assert_eq!(after.since_ns(&before), 69);
    }

    #[test]
    fn this_process_burns_time() {
        let before = CpuTime::of_process(std::process::id()).unwrap();
        let start = std::time::Instant::now();
        let mut sum = 0u64;
        while start.elapsed().as_millis() < 60 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let ran = CpuTime::of_process(std::process::id()).unwrap().since_ns(&before);
        assert!(ran > 1_000_000, "{ran}");
    }
}
