//! Clocks that run at rates of their own.
//!
//! Every process and the map store have a monotonic clock that drifts; nobody can read the true time but the simulator.
//! Wall clocks agree: what differs between them shifts expiry times alone, which is not what is looked at here.

/// Drift that processes and the store allow for when they reason about leases, in millionths.
pub const DRIFT_MAX_PPM: u64 = 20_000;

/// The wall-clock time at which runs begin, in Unix milliseconds.
const BEGIN_MS: u64 = 1_700_000_000_000;

/// A monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    offset_us: u64,
    /// How much faster than true time it is, in millionths.
    drift_ppm: i64,
}

impl Clock {
    /// A clock that shows `offset_us` at the beginning.
    pub fn new(offset_us: u64, drift_ppm: i64) -> Clock {
        assert!(drift_ppm.unsigned_abs() <= DRIFT_MAX_PPM, "the drift is within what is allowed for");
        Clock { offset_us, drift_ppm }
    }

    /// What it shows at a true time.
    pub fn at(&self, true_us: u64) -> u64 {
        let skew = i128::from(true_us) * i128::from(self.drift_ppm) / 1_000_000;
        self.offset_us + (i128::from(true_us) + skew) as u64
    }

    /// The earliest true time at which it shows `local_us` or more.
    pub fn when(&self, local_us: u64) -> u64 {
        let Some(passed) = local_us.checked_sub(self.offset_us) else { return 0 };
        let mut at = (i128::from(passed) * 1_000_000 / i128::from(1_000_000 + self.drift_ppm)) as u64;
        while self.at(at) < local_us {
            at += 1;
        }
        at
    }
}

/// What every wall clock shows, in Unix milliseconds.
pub fn wall_ms(true_us: u64) -> u64 {
    BEGIN_MS + true_us / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_clock_shows_can_be_waited_for() {
        for drift in [-20_000, -1, 0, 1, 7, 20_000] {
            let clock = Clock::new(1_000, drift);
            for local in [0, 1_000, 1_001, 5_000_000, 123_456_789] {
                let at = clock.when(local);
                assert!(clock.at(at) >= local && (at == 0 || clock.at(at - 1) < local), "{drift} {local}");
            }
        }
    }
}
