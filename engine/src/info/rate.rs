//! How fast a total grows, over the last second or two.

/// Samples that the rate is taken over.
const SAMPLES: usize = 16;

/// The rate of a total that is sampled now and then; ten times a second gives the last 1.6 seconds, as in Redis.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rate {
    per_second: [u64; SAMPLES],
    next: usize,
    last: Option<(u64, u64)>,
}

impl Rate {
    /// Notes the total at a time in microseconds that never goes back.
    pub fn sample(&mut self, monotonic_us: u64, total: u64) {
        if let Some((before_us, before)) = self.last {
            let passed = monotonic_us.saturating_sub(before_us);
            if passed == 0 {
                return;
            }
            // A total that was reset starts from zero again.
            let grown = u128::from(total.checked_sub(before).unwrap_or(total));
            let rate = grown * 1_000_000 / u128::from(passed);
            self.per_second[self.next] = u64::try_from(rate).unwrap_or(u64::MAX);
            self.next = (self.next + 1) % SAMPLES;
        }
        self.last = Some((monotonic_us, total));
    }

    /// How much the total grows in a second.
    pub fn per_second(&self) -> u64 {
        let sum: u128 = self.per_second.iter().map(|rate| u128::from(*rate)).sum();
        (sum / SAMPLES as u128) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_follow_the_total() {
        let mut rate = Rate::default();
        (0..=32).for_each(|tenth| rate.sample(tenth * 100_000, tenth * 50));
        assert_eq!(rate.per_second(), 500);
        rate.sample(3_200_000, 9_999);
        assert_eq!(rate.per_second(), 500, "no time has passed");
        (0..16).for_each(|tenth| rate.sample(4_000_000 + tenth * 100_000, 7));
        assert_eq!(rate.per_second(), 0, "a total that was reset does not count backwards");
    }
}
