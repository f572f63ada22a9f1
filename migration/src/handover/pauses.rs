//! When the next pause may be tried, and for how large a rest.
//!
//! A pause that was given up is followed by a rest that doubles each time. While writes keep the lag above what the target of
//! the pause allows, the allowance grows as well, so that a busy slot is moved at last; never beyond half of the longest pause.

/// The longest rest between two pauses.
const REST_US_MAX: u64 = 1_000_000;

/// The allowance doubles each time after so long without a pause.
const PATIENCE_US: u64 = 500_000;

/// What was tried, and when to try again.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    target_us: u64,
    longest_us: u64,
    tried: u32,
    /// No pause before this.
    rest_until_us: u64,
    /// Since when a pause could have begun, had the lag allowed it.
    waiting_since_us: Option<u64>,
}

impl Pauses {
    /// Pauses that take `target_us` if all is well, and `longest_us` at most.
    pub fn new(target_us: u64, longest_us: u64) -> Self {
        Pauses { target_us, longest_us, tried: 0, rest_until_us: 0, waiting_since_us: None }
    }

    /// How many were tried.
    pub fn tried(&self) -> u32 {
        self.tried
    }

    /// Whether a pause may begin, if draining is predicted to take so long and the way to the target and back so long.
    pub fn may_begin(&mut self, drain_us: u64, round_trip_us: u64, now_us: u64) -> bool {
        if now_us < self.rest_until_us {
            return false;
        }
        let since_us = *self.waiting_since_us.get_or_insert(now_us);
        drain_us <= self.allowed_us(round_trip_us, now_us.saturating_sub(since_us))
    }

    /// What draining may take: the target less the way, at first.
    fn allowed_us(&self, round_trip_us: u64, waited_us: u64) -> u64 {
        let doublings = (waited_us / PATIENCE_US).min(16) as u32;
        let first_us = self.target_us.saturating_sub(round_trip_us).max(self.target_us / 2);
        first_us.saturating_mul(1 << doublings).min((self.longest_us / 2).max(first_us))
    }

    /// The earliest time at which `may_begin` may answer differently for the same lag.
    pub fn next_us(&self, now_us: u64) -> u64 {
        self.rest_until_us.max(now_us + 1)
    }

    /// A pause begins.
    pub fn begin(&mut self) {
        self.tried += 1;
        self.waiting_since_us = None;
    }

    /// The pause was given up.
    pub fn give_up(&mut self, now_us: u64) {
        let doublings = self.tried.min(16);
        self.rest_until_us = now_us + self.longest_us.saturating_mul(1 << doublings).min(REST_US_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_begins_when_the_rest_is_short() {
        let mut pauses = Pauses::new(500, 10_000);
        assert!(!pauses.may_begin(450, 100, 1_000));
        assert!(pauses.may_begin(400, 100, 1_000));
        assert!(pauses.may_begin(250, 20_000, 1_000), "a distant target still gets its slots");
        assert!(!pauses.may_begin(251, 20_000, 1_000));
    }

    #[test]
    fn patience_allows_more_but_not_without_end() {
        let mut pauses = Pauses::new(500, 10_000);
        assert!(!pauses.may_begin(4_000, 0, 0));
        assert!(!pauses.may_begin(4_000, 0, 1_400_000));
        assert!(pauses.may_begin(4_000, 0, 1_500_000));
        assert!(!pauses.may_begin(5_001, 0, 900_000_000));
    }

    #[test]
    fn rests_double_up_to_a_second() {
        let mut pauses = Pauses::new(500, 10_000);
        let mut rests = Vec::new();
        for _ in 0..9 {
            pauses.begin();
            pauses.give_up(0);
            rests.push(pauses.next_us(0) / 1000);
            assert!(!pauses.may_begin(0, 0, pauses.next_us(0) - 1));
        }
        assert_eq!(rests, [20, 40, 80, 160, 320, 640, 1000, 1000, 1000]);
        assert!(pauses.may_begin(0, 0, 1_000_000));
        assert_eq!(pauses.tried(), 9);
    }
}
