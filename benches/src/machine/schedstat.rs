//! CPU time of a process with all its threads, and its wait for a CPU, from `/proc/PID/task/*/schedstat`.

use std::collections::BTreeMap;
use std::{fs, io};

/// What each thread of a process has had of its CPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CpuTime {
    threads: BTreeMap<u32, Share>,
}

/// Nanoseconds of one thread, or of several together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// On a CPU.
    pub ran_ns: u64,
    /// Ready to run while another ran: what else the machine did.
    pub waited_ns: u64,
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
                && let Some(share) = parse(&text)
            {
                threads.insert(thread, share);
            }
        }
        Ok(Self { threads })
    }

    /// What all threads had between `earlier` and this; a thread that was born since counts whole.
    pub fn since(&self, earlier: &Self) -> Share {
        self.threads.iter().fold(Share::default(), |sum, (thread, now)| {
            let before = earlier.threads.get(thread).copied().unwrap_or_default();
            Share {
                ran_ns: sum.ran_ns + now.ran_ns.saturating_sub(before.ran_ns),
                waited_ns: sum.waited_ns + now.waited_ns.saturating_sub(before.waited_ns),
            }
        })
    }
}

/// CPU time of the calling thread.
pub fn of_this_thread_ns() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok();
    text.and_then(|text| parse(&text)).unwrap_or_default().ran_ns
}

/// The first two fields: nanoseconds on a CPU, and waiting for one.
fn parse(text: &str) -> Option<Share> {
    let mut fields = text.split_ascii_whitespace().map(str::parse);
    Some(Share { ran_ns: fields.next()?.ok()?, waited_ns: fields.next()?.ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_fields_count() {
        assert_eq!(parse("123456 789 10\n"), Some(Share { ran_ns: 123_456, waited_ns: 789 }));
        assert_eq!(parse("0 0 0"), Some(Share::default()));
        for bad in ["", "1", "x 1 2", "1 x 2"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn threads_add_up_and_newborn_ones_count_whole() {
        let time = |threads: &[(u32, u64, u64)]| CpuTime {
            threads: threads
                .iter()
                .map(|&(id, ran_ns, waited_ns)| (id, Share { ran_ns, waited_ns }))
                .collect(),
        };
        let before = time(&[(1, 100, 5), (2, 50, 0), (3, 7, 7)]);
        let after = time(&[(1, 160, 6), (2, 50, 0), (4, 9, 2)]);
        assert_eq!(after.since(&before), Share { ran_ns: 69, waited_ns: 3 });
    }

    #[test]
    fn this_process_burns_time() {
        let before = CpuTime::of_process(std::process::id()).unwrap();
        let start = std::time::Instant::now();
        let mut sum = 0u64;
        while start.elapsed().as_millis() < 60 {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        let share = CpuTime::of_process(std::process::id()).unwrap().since(&before);
        assert!(share.ran_ns > 1_000_000, "{share:?}");
    }
}
