//! The spikes of one event: the worst of each second, for the last 160 seconds that had one.

use std::collections::VecDeque;

use crate::info::codec::{Reader, put_u64};

/// Seconds that are kept.
pub const SAMPLES_MAX: usize = 160;

/// The worst spike of a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The second, since 1970.
    pub unix_seconds: u64,
    /// How long the spike took.
    pub latency_ms: u64,
}

/// The spikes of one event.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// Oldest first. At most `SAMPLES_MAX`, one for a second.
    samples: VecDeque<Sample>,
    worst_ms: u64,
    total_ms: u64,
    count: u64,
}

/// The samples of a series in a few numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Samples there are. At least 1.
    pub samples: u64,
    /// Their average.
    pub average_ms: u64,
    /// Their average distance from the average.
    pub deviation_ms: u64,
    /// The seconds from the oldest to now. At least 1.
    pub period_seconds: u64,
}

impl Series {
    /// Adds a spike that happened now.
    pub fn add(&mut self, sample: Sample) {
        self.worst_ms = self.worst_ms.max(sample.latency_ms);
        self.total_ms = self.total_ms.saturating_add(sample.latency_ms);
        self.count += 1;
        match self.samples.back_mut() {
            Some(last) if last.unix_seconds == sample.unix_seconds => {
                last.latency_ms = last.latency_ms.max(sample.latency_ms);
            }
            _ => {
                if self.samples.len() == SAMPLES_MAX {
                    self.samples.pop_front();
                }
                self.samples.push_back(sample);
            }
        }
    }

    /// Adds what another core saw of the same event.
    pub fn merge(&mut self, other: &Self) {
        let mut samples: Vec<Sample> = self.samples.iter().chain(&other.samples).copied().collect();
        samples.sort_by_key(|sample| sample.unix_seconds);
        let mut merged = Self {
            samples: VecDeque::new(),
            worst_ms: self.worst_ms.max(other.worst_ms),
            total_ms: self.total_ms.saturating_add(other.total_ms),
            count: self.count + other.count,
        };
        let (total_ms, count) = (merged.total_ms, merged.count);
        samples.into_iter().for_each(|sample| merged.add(sample));
        *self = Self { total_ms, count, ..merged };
    }

    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        for number in [self.worst_ms, self.total_ms, self.count, self.samples.len() as u64] {
            put_u64(out, number);
        }
        for sample in &self.samples {
            put_u64(out, sample.unix_seconds);
            put_u64(out, sample.latency_ms);
        }
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let (worst_ms, total_ms, count) = (reader.u64()?, reader.u64()?, reader.u64()?);
        let sample =
            |reader: &mut Reader<'_>| Some(Sample { unix_seconds: reader.u64()?, latency_ms: reader.u64()? });
        let samples = reader.list(sample)?.into();
        Some(Self { samples, worst_ms, total_ms, count })
    }

    /// The samples, oldest first.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = Sample> {
        self.samples.iter().copied()
    }

    /// The newest sample. None if there was no spike.
    #[must_use]
    pub fn latest(&self) -> Option<Sample> {
        self.samples.back().copied()
    }

    /// The longest spike ever, also of seconds that are no longer kept.
    #[must_use]
    pub fn worst_ms(&self) -> u64 {
        self.worst_ms
    }

    /// All spikes ever, added up.
    #[must_use]
    pub fn total_ms(&self) -> u64 {
        self.total_ms
    }

    /// How many spikes there ever were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The samples in a few numbers. None if there was no spike.
    #[must_use]
    pub fn summary(&self, now_unix_seconds: u64) -> Option<Summary> {
        let oldest = self.samples.front()?;
        let samples = self.samples.len() as u64;
        let average = |values: &mut dyn Iterator<Item = u64>| values.fold(0, u64::saturating_add) / samples;
        let average_ms = average(&mut self.samples.iter().map(|sample| sample.latency_ms));
        let deviation_ms =
            average(&mut self.samples.iter().map(|sample| sample.latency_ms.abs_diff(average_ms)));
        let period_seconds = now_unix_seconds.saturating_sub(oldest.unix_seconds).max(1);
        Some(Summary { samples, average_ms, deviation_ms, period_seconds })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(samples: &[(u64, u64)]) -> Series {
        let mut series = Series::default();
        for (unix_seconds, latency_ms) in samples {
            series.add(Sample { unix_seconds: *unix_seconds, latency_ms: *latency_ms });
        }
        series
    }

    fn pairs(series: &Series) -> Vec<(u64, u64)> {
        series.samples().map(|sample| (sample.unix_seconds, sample.latency_ms)).collect()
    }

    #[test]
    fn a_second_keeps_its_worst() {
        let series = series(&[(10, 5), (10, 9), (10, 7), (12, 3)]);
        assert_eq!(pairs(&series), [(10, 9), (12, 3)]);
        assert_eq!(series.latest(), Some(Sample { unix_seconds: 12, latency_ms: 3 }));
        assert_eq!((series.worst_ms(), series.total_ms(), series.count()), (9, 24, 4));
    }

    #[test]
    fn the_oldest_go_but_the_worst_stays() {
        let samples: Vec<(u64, u64)> = (0..200).map(|second| (second, 1000 - second)).collect();
        let series = series(&samples);
        assert_eq!(pairs(&series), samples[40..]);
        assert_eq!((series.worst_ms(), series.count()), (1000, 200));
    }

    #[test]
    fn summaries() {
        assert_eq!(Series::default().summary(0), None);
        let one = Summary { samples: 1, average_ms: 8, deviation_ms: 0, period_seconds: 1 };
        assert_eq!(series(&[(10, 8)]).summary(10), Some(one));
        let four = Summary { samples: 4, average_ms: 25, deviation_ms: 10, period_seconds: 90 };
        assert_eq!(series(&[(10, 10), (20, 20), (30, 30), (40, 40)]).summary(100), Some(four));
    }

    #[test]
    fn two_cores_make_one_series() {
        let mut left = series(&[(1, 5), (3, 5), (5, 5)]);
        left.merge(&series(&[(2, 7), (3, 9), (6, 1)]));
        assert_eq!(pairs(&left), [(1, 5), (2, 7), (3, 9), (5, 5), (6, 1)]);
        assert_eq!((left.worst_ms(), left.total_ms(), left.count()), (9, 32, 6));
        let many: Vec<(u64, u64)> = (0..SAMPLES_MAX as u64).map(|second| (second * 2, 1)).collect();
        left.merge(&series(&many));
        assert_eq!(left.samples().len(), SAMPLES_MAX);
        assert_eq!(left.latest().map(|sample| sample.unix_seconds), many.last().map(|(second, _)| *second));
    }
}
