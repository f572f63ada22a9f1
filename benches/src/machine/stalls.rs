//! When the machine stood still: a thread on each CPU that goes before all others and notes when it woke late.
//!
//! What such a thread misses, no program had: a guest's CPU was taken away, or waited for memory that the host had to find first.
//! The idea is G. Tene's (jHiccup), for each CPU by itself.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use thread_priority::unix::{
    RealtimeThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};
use thread_priority::{ThreadPriority, ThreadPriorityValue};

use crate::machine::cpus::pin_thread;

/// Time on either side of a stall in which replies count as spoilt: once a second or so, the memory management of a guest's
/// kernel takes the CPUs for a millisecond and for parts of one, over 10 to 20 ms.
const AROUND: Duration = Duration::from_millis(15);
/// Priority among real-time threads: above all of a usual machine's.
const PRIORITY: u8 = 50;

/// How finely a watch looks. A stall that is shorter than period and lateness together may go unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grain {
    /// Time between two looks.
    pub period: Duration,
    /// Lateness that counts.
    pub late: Duration,
    /// Idle CPUs spin meanwhile: a hypervisor may take 150 µs to wake one that sleeps.
    pub spins: bool,
}

impl Grain {
    /// For what is late by milliseconds. The kernel's own work that nothing may interrupt takes less.
    pub const COARSE: Self =
        Self { period: Duration::from_micros(500), late: Duration::from_millis(1), spins: false };
    /// For what is late by parts of a millisecond, such as where a host has to find a page first. Work of the kernel may be
    /// taken for a stall.
    pub const FINE: Self =
        Self { period: Duration::from_micros(100), late: Duration::from_micros(75), spins: true };
}

/// A CPU did nothing for anybody. Instants count from the watch's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    /// Which one.
    pub cpu: usize,
    /// When the watch should have run.
    pub from_ns: u64,
    /// When it ran.
    pub to_ns: u64,
}

/// The stalls of some CPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stalls(pub Vec<Stall>);

impl Stalls {
    /// Those of one CPU.
    pub fn on(&self, cpu: usize) -> Self {
        Self(self.0.iter().filter(|stall| stall.cpu == cpu).copied().collect())
    }

    /// Whether something between these instants may have been late because of a stall: it overlaps one, or as long a time
    /// after it, in which what had piled up was done.
    pub fn spoil(&self, from_ns: u64, to_ns: u64) -> bool {
        self.0.iter().any(|stall| {
            let caught_up_ns = stall.to_ns + (stall.to_ns - stall.from_ns);
            from_ns <= caught_up_ns && stall.from_ns <= to_ns
        })
    }

    /// Whether something between these instants overlaps a stall, or the time around it in which the machine may have stood still
    /// for shorter times, and in which what piled up is done.
    pub fn spoil_around(&self, from_ns: u64, to_ns: u64) -> bool {
        let around_ns = AROUND.as_nanos() as u64;
        self.0.iter().any(|stall| from_ns <= stall.to_ns + around_ns && stall.from_ns <= to_ns + around_ns)
    }

    /// How much of the time between these instants was stalls.
    pub fn within_ns(&self, from_ns: u64, to_ns: u64) -> u64 {
        self.0.iter().map(|stall| stall.to_ns.min(to_ns).saturating_sub(stall.from_ns.max(from_ns))).sum()
    }

    /// The longest one that began between these instants.
    pub fn longest_ns(&self, from_ns: u64, to_ns: u64) -> u64 {
        let within = self.0.iter().filter(|stall| (from_ns..to_ns).contains(&stall.from_ns));
        within.map(|stall| stall.to_ns - stall.from_ns).max().unwrap_or(0)
    }
}

/// Watches while it lives.
#[derive(Debug)]
pub struct StallWatch {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Option<Vec<Stall>>>>,
    /// Idle CPUs spin while it is open.
    _awake: Option<File>,
}

impl StallWatch {
    /// Begins to watch these CPUs.
    pub fn start(cpus: &[usize], grain: Grain, origin: Instant) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let on = |cpu: usize| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || watch(cpu, grain, origin, &stop))
        };
        let threads = cpus.iter().map(|cpu| on(*cpu)).collect();
        // Where it cannot be had, more stalls are seen than there are.
        let awake = grain.spins.then(stay_awake).and_then(Result::ok);
        Self { stop, threads, _awake: awake }
    }

    /// What was seen; nothing at all when the system does not let a thread go before the others.
    pub fn end(mut self) -> Option<Stalls> {
        self.stop.store(true, Ordering::Relaxed);
        let mut stalls = Vec::new();
        for thread in std::mem::take(&mut self.threads) {
            stalls.extend(thread.join().ok()??);
        }
        Some(Stalls(stalls))
    }
}

impl Drop for StallWatch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn watch(cpu: usize, grain: Grain, origin: Instant, stop: &AtomicBool) -> Option<Vec<Stall>> {
    pin_thread(&[cpu]).ok()?;
    go_before_all()?;
    let mut stalls = Vec::new();
    let mut due = Instant::now() + grain.period;
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let now = Instant::now();
        if now.saturating_duration_since(due) > grain.late {
            let ns = |instant: Instant| instant.saturating_duration_since(origin).as_nanos() as u64;
            stalls.push(Stall { cpu, from_ns: ns(due), to_ns: ns(now) });
        }
        due = (due + grain.period).max(now);
    }
    Some(stalls)
}

/// Asks for CPUs that wake without delay, for as long as the file is open.
fn stay_awake() -> io::Result<File> {
    let mut file = File::options().write(true).open("/dev/cpu_dma_latency")?;
    file.write_all(&0i32.to_ne_bytes())?;
    Ok(file)
}

fn go_before_all() -> Option<()> {
    let priority = ThreadPriority::Crossplatform(ThreadPriorityValue::try_from(PRIORITY).ok()?);
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    set_thread_priority_and_policy(thread_native_id(), priority, policy).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_spoils_what_overlaps_it_and_as_long_a_time_after_it() {
        let stalls = Stalls(vec![
            Stall { cpu: 0, from_ns: 100, to_ns: 150 },
            Stall { cpu: 1, from_ns: 1000, to_ns: 1001 },
        ]);
        let spoilt = [(0, 100), (120, 130), (90, 500), (160, 170), (200, 210), (1001, 1001)];
        assert!(spoilt.iter().all(|(from, to)| stalls.spoil(*from, *to)));
        let unspoilt = [(0, 99), (201, 999), (1003, 2000)];
        assert!(unspoilt.iter().all(|(from, to)| !stalls.spoil(*from, *to)));
        assert!(stalls.on(1).spoil(1001, 1001) && !stalls.on(0).spoil(1001, 1001));
        assert_eq!((stalls.longest_ns(0, 2000), stalls.longest_ns(101, 2000)), (50, 1));
    }

    #[test]
    fn replies_around_a_stall_count_as_spoilt() {
        const MS: u64 = 1_000_000;
        let stalls = Stalls(vec![Stall { cpu: 0, from_ns: 100 * MS, to_ns: 102 * MS }]);
        assert!(
            [(80, 85), (117, 150), (101, 101)]
                .iter()
                .all(|(from, to)| stalls.spoil_around(from * MS, to * MS))
        );
        assert!([(80, 84), (118, 150)].iter().all(|(from, to)| !stalls.spoil_around(from * MS, to * MS)));
    }

    #[test]
    fn a_watch_ends_when_it_is_told_to() {
        let grain = Grain::FINE;
        let watch = StallWatch::start(&[0], grain, Instant::now());
        thread::sleep(2 * grain.period);
        // Nothing where the privilege is missing.
        if let Some(Stalls(stalls)) = watch.end() {
            assert!(stalls.iter().all(|stall| stall.to_ns - stall.from_ns > grain.late.as_nanos() as u64));
        }
    }
}
