//! How densely requests arrive, to know whether waiting a moment for more of them is worth it.

use std::time::Duration;

use super::options::MinWait;
use crate::clock::Monotonic;

/// New measurements count one in this many.
const WEIGHT: u64 = 8;

/// The time between two requests, on average over the last few dozen turns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Arrivals {
    /// Chunks received in this turn.
    count: u64,
    /// When the last turn with a chunk began.
    last: Monotonic,
    /// Nanoseconds from one chunk to the next, on average; 0 before the first.
    gap_ns: u64,
}

impl Arrivals {
    /// A chunk was received.
    #[inline]
    pub fn note(&mut self) {
        self.count += 1;
    }

    /// The turn that began at `now` has received all it will.
    pub fn end_turn(&mut self, now: Monotonic) {
        if self.count == 0 {
            return;
        }
        let gap_ns = now.since(self.last).as_nanos() as u64 / self.count;
        // One long pause is one measurement, not a thousand turns of them.
        let gap_ns = gap_ns.min(Duration::from_millis(1).as_nanos() as u64);
        self.gap_ns =
            if self.gap_ns == 0 { gap_ns } else { self.gap_ns - self.gap_ns / WEIGHT + gap_ns / WEIGHT };
        self.last = now;
        self.count = 0;
    }

    /// Whether several requests will have come when the wait is over: then one wake-up serves them all. Otherwise the wait
    /// would only be time lost for the one client that asks.
    pub fn are_worth(&self, wait: MinWait) -> bool {
        /// Requests that must be expected within the wait.
        const EXPECTED_MIN: u64 = 3;
        self.gap_ns > 0 && u64::from(wait.microseconds) * 1000 / self.gap_ns >= EXPECTED_MIN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: MinWait = MinWait { completions: 8, microseconds: 20 };

    fn after(gap_us: u64, chunks_per_turn: usize) -> Arrivals {
        let mut arrivals = Arrivals::default();
        for turn in 0..200 {
            (0..chunks_per_turn).for_each(|_| arrivals.note());
            arrivals.end_turn(Monotonic::from_nanoseconds(turn * gap_us * 1000 * chunks_per_turn as u64));
        }
        arrivals
    }

    #[test]
    fn one_client_that_waits_for_each_reply_is_never_made_to_wait() {
        assert!(!Arrivals::default().are_worth(WAIT));
        assert!(!after(25, 1).are_worth(WAIT));
        assert!(!after(10, 1).are_worth(WAIT));
    }

    #[test]
    fn many_clients_are_served_together() {
        assert!(after(5, 1).are_worth(WAIT));
        assert!(after(2, 8).are_worth(WAIT));
    }

    #[test]
    fn the_measure_follows_the_load() {
        let mut arrivals = after(2, 8);
        let start = 1_000_000_000;
        for turn in 0..60 {
            arrivals.note();
            arrivals.end_turn(Monotonic::from_nanoseconds(start + turn * 30_000));
        }
        assert!(!arrivals.are_worth(WAIT));
    }
}
