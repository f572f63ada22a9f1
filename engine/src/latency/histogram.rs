//! How long the calls of one command took.
//!
//! Times are kept in nanoseconds, in sixteen steps for each doubling: what is read back is at most 1/16 too high. The
//! doublings end where LATENCY HISTOGRAM of Redis and Valkey ends its own, so that the same times give the same numbers:
//! their first bound is 1,031 ns, the n-th 129 × 2^(n + 3) − 1, the last 2^30 − 1. Dividing a time by 129/128 first moves
//! these bounds to powers of two.

const STEPS: usize = 16;

/// Doublings, of which the first one holds everything up to 1 µs and the last one ends above `DURATION_MAX_NS`.
const DOUBLINGS: usize = 21;

/// Times below 2 to this power are in the first doubling.
const FIRST_BITS: u32 = 10;

/// The end of the last doubling.
const HIGHEST_NS: u64 = (1 << 30) - 1;

/// Longer calls count as this long.
const DURATION_MAX_NS: u64 = 1_000_000_000;

/// The times of all calls of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    steps: Box<[[u64; STEPS]; DOUBLINGS]>,
    calls: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { steps: Box::new([[0; STEPS]; DOUBLINGS]), calls: 0 }
    }
}

impl Histogram {
    /// Adds a call.
    pub fn add(&mut self, duration_ns: u64) {
        self.add_calls(duration_ns, 1);
    }

    /// Adds several calls of one duration.
    pub fn add_calls(&mut self, duration_ns: u64, calls: u64) {
        let (doubling, step) = place(duration_ns.min(DURATION_MAX_NS));
        self.steps[doubling][step] += calls;
        self.calls += calls;
    }

    /// Adds the calls on another core.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.steps.as_flattened_mut().iter_mut().zip(other.steps.as_flattened()) {
            *mine += theirs;
        }
        self.calls += other.calls;
    }

    /// How many calls there were.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls
    }

    /// The steps that any call falls into, with their calls: what another core needs to merge.
    pub fn steps(&self) -> impl Iterator<Item = (usize, u64)> {
        self.steps.as_flattened().iter().copied().enumerate().filter(|(_, calls)| *calls > 0)
    }

    /// Adds calls to a step that [`steps`](Self::steps) gave; `false` if there is no such step.
    pub fn add_to_step(&mut self, step: usize, calls: u64) -> bool {
        let Some(own) = self.steps.as_flattened_mut().get_mut(step) else { return false };
        *own = own.saturating_add(calls);
        self.calls = self.calls.saturating_add(calls);
        true
    }

    /// For each doubling that any call falls into: its upper bound in microseconds, and how many calls took no longer.
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut below = 0;
        self.steps.iter().enumerate().filter_map(move |(doubling, steps)| {
            let calls: u64 = steps.iter().sum();
            below += calls;
            (calls > 0).then_some((highest_ns(doubling, STEPS - 1) / 1000, below))
        })
    }

    /// The time in nanoseconds that `percent` of the calls did not exceed, 0 if there were no calls.
    /// 0 <= percent <= 100.
    #[must_use]
    pub fn percentile_ns(&self, percent: f64) -> u64 {
        assert!((0.0..=100.0).contains(&percent));
        let wanted = ((percent / 100.0 * self.calls as f64).round() as u64).max(1);
        let mut below = 0;
        for (doubling, steps) in self.steps.iter().enumerate() {
            for (step, calls) in steps.iter().enumerate() {
                below += calls;
                if below >= wanted {
                    return highest_ns(doubling, step);
                }
            }
        }
        0
    }
}

fn place(duration_ns: u64) -> (usize, usize) {
    let scaled = duration_ns * 128 / 129;
    let doubling = scaled.checked_ilog2().map_or(0, |bits| (bits + 1).saturating_sub(FIRST_BITS));
    let (start, width) = span(doubling as usize);
    (doubling as usize, ((scaled - start) / width) as usize)
}

/// Where a doubling starts and how wide its steps are, in scaled nanoseconds.
fn span(doubling: usize) -> (u64, u64) {
    let end = 1 << (FIRST_BITS as usize + doubling);
    let start = if doubling == 0 { 0 } else { end / 2 };
    (start, (end - start) / STEPS as u64)
}

/// The longest time that falls into a step.
fn highest_ns(doubling: usize, step: usize) -> u64 {
    let (start, width) = span(doubling);
    let end = start + width * (step as u64 + 1);
    ((end * 129).div_ceil(128) - 1).min(HIGHEST_NS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn steps_rebuild_the_histogram() {
        let (mut histogram, mut rebuilt) = (Histogram::default(), Histogram::default());
        (0..2_000_000_000).step_by(77_777_777).for_each(|duration_ns| histogram.add(duration_ns));
        for (step, calls) in histogram.steps() {
            assert!(rebuilt.add_to_step(step, calls));
        }
        assert_eq!(rebuilt, histogram);
        assert!(!rebuilt.add_to_step(STEPS * DOUBLINGS, 1));
    }

    fn histogram(durations: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        durations.into_iter().for_each(|duration| histogram.add(duration));
        histogram
    }

    #[test]
    fn bounds_are_those_of_other_servers() {
        let bounds: Vec<u64> = (0..DOUBLINGS).map(|doubling| highest_ns(doubling, STEPS - 1)).collect();
        assert_eq!(bounds[0], 1031);
        assert_eq!(bounds[5], 33_023);
        let microseconds: Vec<u64> = bounds.iter().map(|bound| bound / 1000).collect();
        let expected = [
            1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113, 4227, 8454, 16_908, 33_816, 67_633, 135_266,
            270_532, 541_065, 1_073_741,
        ];
        assert_eq!(microseconds, expected);
    }

    #[test]
    fn every_time_is_in_the_step_that_ends_behind_it() {
        let mut previous = None;
        for doubling in 0..DOUBLINGS {
            for step in 0..STEPS {
                let highest = highest_ns(doubling, step);
                assert_eq!(place(highest), (doubling, step), "{highest}");
                if let Some(previous) = previous {
                    assert_eq!(place(previous + 1), (doubling, step), "{previous} + 1");
                }
                previous = Some(highest);
            }
        }
        assert_eq!(place(0), (0, 0));
        assert_eq!(place(DURATION_MAX_NS).0, DOUBLINGS - 1);
    }

    #[test]
    fn cumulative_counts_of_doublings_with_calls() {
        let histogram = histogram([0, 1031, 1032, 33_023, 33_024, u64::MAX]);
        let expected = [(1, 2), (2, 3), (33, 4), (66, 5), (1_073_741, 6)];
        assert_eq!(histogram.cumulative().collect::<Vec<_>>(), expected);
        assert_eq!(histogram.calls(), 6);
    }

    #[test]
    fn percentiles() {
        assert_eq!(Histogram::default().percentile_ns(50.0), 0);
        let histogram = histogram((1..=1000).map(|microseconds| microseconds * 1000));
        for (percent, exact) in
            [(0.0, 1000), (50.0, 500_000), (99.0, 990_000), (99.9, 999_000), (100.0, 1_000_000)]
        {
            let found = histogram.percentile_ns(percent);
            assert!((exact..=exact + exact / 15).contains(&found), "{percent}: {found}");
        }
    }

    proptest! {
        #[test]
        fn merged_is_as_if_added(
            left in prop::collection::vec(any::<u32>(), 0..50),
            right in prop::collection::vec(any::<u32>(), 0..50),
        ) {
            let together = histogram(left.iter().chain(&right).map(|duration| u64::from(*duration)));
            let mut merged = histogram(left.into_iter().map(u64::from));
            merged.merge(&histogram(right.into_iter().map(u64::from)));
            prop_assert_eq!(merged, together);
        }
    }
}
