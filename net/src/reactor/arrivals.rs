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

    /// Whether several requests will have come when a wait from `now` on is over: then one wake-up serves them all. Otherwise
    /// the wait would only be time lost for the one client that asks, and when none asks any more, it would never end: the
    /// kernel wakes the core when the moment is over, whether something came or not.
    pub fn are_worth(&self, wait: MinWait, now: Monotonic) -> bool {
        /// Requests that must be expected within the wait.
        const EXPECTED_MIN: u64 = 3;
        /// Waits in which nothing came, after which nothing is expected.
        const SILENT_MAX: u32 = 4;
        let wait_ns = u64::from(wait.microseconds) * 1000;
        let silence = Duration::from_micros(wait.microseconds.into()) * SILENT_MAX;
        self.gap_ns > 0 && wait_ns / self.gap_ns >= EXPECTED_MIN && now.since(self.last) < silence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: MinWait = MinWait { completions: 8, microseconds: 20 };

    /// Arrivals after a while, and the instant of the last.
    fn after(gap_us: u64, chunks_per_turn: usize) -> (Arrivals, Monotonic) {
        let mut arrivals = Arrivals::default();
        for turn in 0..200 {
            (0..chunks_per_turn).for_each(|_| arrivals.note());
            arrivals.end_turn(Monotonic::from_nanoseconds(turn * gap_us * 1000 * chunks_per_turn as u64));
        }
        (arrivals, arrivals.last)
    }

    fn are_worth((arrivals, now): (Arrivals, Monotonic)) -> bool {
        arrivals.are_worth(WAIT, now)
    }

    #[test]
    fn one_client_that_waits_for_each_reply_is_never_made_to_wait() {
        assert!(!are_worth((Arrivals::default(), Monotonic::default())));
        assert!(!are_worth(after(25, 1)));
        assert!(!are_worth(after(10, 1)));
    }

    #[test]
    fn many_clients_are_served_together() {
        assert!(are_worth(after(5, 1)));
        assert!(are_worth(after(2, 8)));
    }

    #[test]
    fn nobody_is_waited_for_when_all_have_gone() {
        let (mut arrivals, last) = after(2, 8);
        let soon = last.after(Duration::from_micros(60));
        arrivals.end_turn(soon);
        assert!(arrivals.are_worth(WAIT, soon), "one wait may bring nothing");
        let later = last.after(Duration::from_micros(80));
        arrivals.end_turn(later);
        assert!(!arrivals.are_worth(WAIT, later));
    }

    #[test]
    fn the_measure_follows_the_load() {
        let (mut arrivals, _) = after(2, 8);
        let start = 1_000_000_000;
        for turn in 0..60 {
            arrivals.note();
            arrivals.end_turn(Monotonic::from_nanoseconds(start + turn * 30_000));
        }
        assert!(!are_worth((arrivals, arrivals.last)));
    }
}
