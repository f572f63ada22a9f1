//! Monotonic time of the process: one origin for all its cores.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// An instant, counted in nanoseconds since the process first asked for the time. Comparable between cores.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Monotonic {
    nanoseconds: u64,
}

impl Monotonic {
    /// The present instant.
    pub fn now() -> Self {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        let elapsed = ORIGIN.get_or_init(Instant::now).elapsed();
        // 2^64 ns are 584 years of uptime.
        Self { nanoseconds: elapsed.as_nanos() as u64 }
    }

    /// The instant `nanoseconds` after the origin.
    pub fn from_nanoseconds(nanoseconds: u64) -> Self {
        Self { nanoseconds }
    }

    /// Nanoseconds since the origin.
    pub fn nanoseconds(self) -> u64 {
        self.nanoseconds
    }

    /// Microseconds since the origin.
    pub fn microseconds(self) -> u64 {
        self.nanoseconds / 1_000
    }

    /// This instant moved by `delay`.
    pub fn after(self, delay: Duration) -> Self {
        let delay = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        Self { nanoseconds: self.nanoseconds.saturating_add(delay) }
    }

    /// The time from `earlier` to this instant, zero when it lies later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanoseconds.saturating_sub(earlier.nanoseconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_runs_backwards_and_adds_up() {
        let first = Monotonic::now();
        let second = Monotonic::now();
        assert!(second >= first);
        let later = first.after(Duration::from_millis(5));
        assert_eq!(later.since(first), Duration::from_millis(5));
        assert_eq!(first.since(later), Duration::ZERO);
        assert_eq!(first.after(Duration::MAX).nanoseconds(), u64::MAX);
    }
}
