//! A token bucket: so many bytes a second, and no more than a small burst at once.

/// The part of a second that a bucket holds at most: caps hold within this over any second, whatever the ticks.
const BURST_PART: u64 = 40;

/// Parts of a byte that are counted, so that frequent ticks at low rates lose nothing.
const PARTS: i128 = 1_000_000;

/// So many bytes a second. It may run into debt, which is paid before it gives again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bucket {
    /// Bytes a second; none sets no limit.
    rate: Option<u64>,
    /// Millionths of bytes that may go; negative in debt.
    level: i128,
    /// When the level was right.
    at_us: u64,
}

impl Bucket {
    /// A full bucket with this rate; none sets no limit.
    pub fn new(rate: Option<u64>, now_us: u64) -> Self {
        let mut bucket = Bucket { rate, level: 0, at_us: now_us };
        bucket.level = bucket.level_max();
        bucket
    }

    /// The rate in force.
    pub fn rate(&self) -> Option<u64> {
        self.rate
    }

    /// Sets another rate from now on. A debt stays.
    pub fn set_rate(&mut self, rate: Option<u64>, now_us: u64) {
        self.fill(now_us);
        self.rate = rate;
        self.level = self.level.min(self.level_max());
    }

    /// Bytes that it holds at most.
    pub fn burst(&self) -> u64 {
        self.rate.map_or(u64::MAX, |rate| (rate / BURST_PART).max(1))
    }

    fn level_max(&self) -> i128 {
        i128::from(self.burst()) * PARTS
    }

    /// Fills up to now.
    pub fn fill(&mut self, now_us: u64) {
        let passed_us = now_us.saturating_sub(self.at_us);
        self.at_us = self.at_us.max(now_us);
        match self.rate {
            // A byte a second is a millionth of a byte a microsecond.
            Some(rate) => {
                let more = i128::from(rate) * i128::from(passed_us);
                self.level = (self.level + more).min(self.level_max());
            }
            None => self.level = self.level_max(),
        }
    }

    /// Bytes that may go at the time that it was filled to.
    pub fn available(&self) -> u64 {
        (self.level.max(0) / PARTS) as u64
    }

    /// Bytes went, as many as were available or more.
    pub fn spend(&mut self, bytes: u64) {
        if self.rate.is_some() {
            self.level -= i128::from(bytes) * PARTS;
        }
    }

    /// When so many bytes will be available, or as many as it can hold; none if never.
    pub fn available_at_us(&self, bytes: u64) -> Option<u64> {
        let missing = i128::from(bytes.min(self.burst())) * PARTS - self.level;
        match self.rate {
            _ if missing <= 0 => Some(self.at_us),
            Some(0) | None => None,
            Some(rate) => {
                let wait_us = (missing + i128::from(rate) - 1) / i128::from(rate);
                Some(self.at_us.saturating_add(u64::try_from(wait_us).unwrap_or(u64::MAX)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_gives_what_has_come_in_and_pays_its_debts() {
        let mut bucket = Bucket::new(Some(40_000), 0);
        assert_eq!(bucket.available(), 1000);
        bucket.spend(1500);
        assert_eq!((bucket.available(), bucket.available_at_us(500)), (0, Some(25_000)));
        bucket.fill(24_999);
        assert_eq!(bucket.available(), 499);
        bucket.fill(25_000);
        assert_eq!(bucket.available(), 500);
        bucket.fill(10_000_000);
        assert_eq!(bucket.available(), 1000);
        bucket.set_rate(None, 10_000_000);
        bucket.fill(10_000_000);
        assert!(bucket.available() > 1 << 40);
        bucket.set_rate(Some(0), 10_000_000);
        bucket.spend(bucket.available());
        assert_eq!((bucket.available(), bucket.available_at_us(1)), (0, None));
    }

    proptest! {
        #[test]
        fn no_second_sees_more_than_the_cap_and_a_little(
            rate in 10_000u64..1_000_000_000, ticks in proptest::collection::vec((1u64..200_000, 0u64..3), 1..300)
        ) {
            let mut bucket = Bucket::new(Some(rate), 0);
            let (mut now_us, mut spent) = (0, Vec::new());
            for (tick_us, eagerness) in ticks {
                now_us += tick_us;
                bucket.fill(now_us);
                let bytes = bucket.available() * eagerness / 2;
                bucket.spend(bytes.min(bucket.available()));
                spent.push((now_us, bytes.min(bucket.burst())));
            }
            for (index, (from_us, _)) in spent.iter().enumerate() {
                let second = spent[index..].iter().take_while(|(at_us, _)| *at_us < from_us + 1_000_000);
                let bytes: u64 = second.map(|(_, bytes)| bytes).sum();
                prop_assert!(bytes <= rate + rate / BURST_PART + 1, "{bytes} bytes in a second at {rate}");
            }
        }

        #[test]
        fn many_short_ticks_lose_nothing(rate in 1_000u64..10_000_000, tick_us in 1u64..5_000) {
            let mut bucket = Bucket::new(Some(rate), 0);
            bucket.spend(bucket.available());
            let (mut now_us, mut bytes) = (0, 0);
            while now_us < 2_000_000 {
                now_us += tick_us;
                bucket.fill(now_us);
                bytes += bucket.available();
                bucket.spend(bucket.available());
            }
            let due = u128::from(rate) * u128::from(now_us) / 1_000_000;
            prop_assert!(u128::from(bytes) <= due && u128::from(bytes) + 1 >= due, "{bytes} of {due}");
        }
    }
}
