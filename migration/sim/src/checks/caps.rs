//! I7: over any second no more bytes go than the cap allows, headers of segments included, and 5 %.
//!
//! The last deltas of a pause do not wait for the pacer: they are few by the machine's own limit, and are paid for afterwards.
//! Under real caps they are within the 5 %; the caps here are a hundredth of those, so they are allowed for by name.

use std::collections::VecDeque;

use whimbrel_migration::pacer::with_headers;

/// How much more than the cap may go in a second, in percent.
const OVER_PERCENT: u64 = 5;

/// What a batch may send in a pause without waiting for the pacer.
const URGENT_BYTES: usize = 64 * 1024;

/// The bytes of the last second of something that has a cap.
#[derive(Clone, Default, Debug)]
pub struct LastSecond {
    sent: VecDeque<(u64, u64)>,
    bytes: u64,
}

impl LastSecond {
    /// Notes bytes that go now; says how many went within the second that ends now.
    pub fn add(&mut self, now_us: u64, bytes: u64) -> u64 {
        while self.sent.front().is_some_and(|(at_us, _)| at_us + 1_000_000 <= now_us) {
            self.bytes -= self.sent.pop_front().expect("it was just seen").1;
        }
        self.bytes += bytes;
        self.sent.push_back((now_us, bytes));
        self.bytes
    }

    /// The most bytes that may go under a cap in a second in which there were so many pauses.
    pub fn allowed(cap: u64, pauses: u64) -> u64 {
        cap + cap * OVER_PERCENT / 100 + pauses * with_headers(URGENT_BYTES) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_slides() {
        let mut last = LastSecond::default();
        assert_eq!(last.add(0, 10), 10);
        assert_eq!(last.add(999_999, 5), 15);
        assert_eq!(last.add(1_000_000, 1), 6);
        assert_eq!(LastSecond::allowed(1_000, 1), 1_050 + 65_536 + 46 * 86);
    }
}
