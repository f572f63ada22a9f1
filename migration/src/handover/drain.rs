//! How fast the target applies what it is sent, how far away it is, and how long the rest will take.
//!
//! A sample of the rate is what was acknowledged between sending a frame and its acknowledgement. A link that has little to
//! carry gives low samples, so the highest of the last seconds counts; of the round trips the shortest.

use crate::lane::Acknowledged;

/// Samples count for between one and two of these.
const WINDOW_US: u64 = 5_000_000;

/// No target applies more; a sample that says so was taken of too short a time.
const RATE_MAX: u64 = 20_000_000_000;

/// The best of two windows in turn.
#[derive(Clone, Copy, Default, Debug)]
struct Best {
    last: Option<u64>,
    this: Option<u64>,
}

impl Best {
    fn add(&mut self, value: u64, better: impl Fn(u64, u64) -> u64) {
        self.this = Some(self.this.map_or(value, |this| better(this, value)));
    }

    fn value(&self, better: impl Fn(u64, u64) -> u64) -> Option<u64> {
        match (self.last, self.this) {
            (Some(last), Some(this)) => Some(better(last, this)),
            (last, this) => this.or(last),
        }
    }

    /// Begins another window. What is known is not forgotten for want of anything newer.
    fn turn(&mut self) {
        if self.this.is_some() {
            self.last = self.this.take();
        }
    }
}

/// What was measured of the way to the target.
#[derive(Clone, Copy, Default, Debug)]
pub struct Drain {
    /// Bytes acknowledged so far, of both lanes.
    delivered: u64,
    rate: Best,
    round_trip: Best,
    turned_us: u64,
}

impl Drain {
    /// Bytes acknowledged so far.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Frames were acknowledged.
    pub fn acknowledged(&mut self, acknowledged: Acknowledged, now_us: u64) {
        self.delivered += acknowledged.bytes;
        if acknowledged.bytes == 0 || acknowledged.stamp.at_us == 0 {
            return;
        }
        self.turn(now_us);
        let took_us = now_us.saturating_sub(acknowledged.stamp.at_us).max(1);
        let bytes = self.delivered - acknowledged.stamp.delivered;
        let rate = u128::from(bytes) * 1_000_000 / u128::from(took_us);
        self.rate.add(u64::try_from(rate).unwrap_or(RATE_MAX).min(RATE_MAX), u64::max);
        self.round_trip.add(took_us, u64::min);
    }

    /// A question was answered.
    pub fn answered(&mut self, asked_us: u64, now_us: u64) {
        self.turn(now_us);
        self.round_trip.add(now_us.saturating_sub(asked_us).max(1), u64::min);
    }

    fn turn(&mut self, now_us: u64) {
        if now_us.saturating_sub(self.turned_us) >= WINDOW_US {
            self.turned_us = now_us;
            self.rate.turn();
            self.round_trip.turn();
        }
    }

    /// Bytes a second that the target applies.
    pub fn rate(&self) -> Option<u64> {
        self.rate.value(u64::max)
    }

    /// To the target and back.
    pub fn round_trip_us(&self) -> Option<u64> {
        self.round_trip.value(u64::min)
    }

    /// How long so many bytes will take, the way not counted; none before anything was measured.
    pub fn predicted_us(&self, bytes: u64) -> Option<u64> {
        if bytes == 0 {
            return Some(0);
        }
        let rate = self.rate()?.max(1);
        u64::try_from(u128::from(bytes) * 1_000_000 / u128::from(rate)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lane::Stamp;

    fn acknowledge(drain: &mut Drain, bytes: u64, sent_us: u64, before: u64, now_us: u64) {
        let stamp = Stamp { at_us: sent_us, delivered: before };
        drain.acknowledged(Acknowledged { bytes, stamp }, now_us);
    }

    #[test]
    fn a_full_link_is_measured_and_an_idle_one_does_not_spoil_it() {
        let mut drain = Drain::default();
        assert_eq!((drain.predicted_us(0), drain.predicted_us(1)), (Some(0), None));
        acknowledge(&mut drain, 500_000, 1_000, 0, 2_000);
        assert_eq!((drain.rate(), drain.round_trip_us()), (Some(500_000_000), Some(1_000)));
        acknowledge(&mut drain, 100, 3_000, 500_000, 3_200);
        assert_eq!((drain.rate(), drain.round_trip_us()), (Some(500_000_000), Some(200)));
        assert_eq!(drain.predicted_us(50_000), Some(100));
        drain.answered(4_000, 4_050);
        assert_eq!((drain.round_trip_us(), drain.delivered()), (Some(50), 500_100));
    }

    #[test]
    fn old_samples_fade_but_only_for_newer_ones() {
        let mut drain = Drain::default();
        acknowledge(&mut drain, 1_000_000, 1, 0, 1_001);
        acknowledge(&mut drain, 1_000, 6_000_000, 1_000_000, 6_001_000);
        assert_eq!(drain.rate(), Some(1_000_000_000), "it is one window old");
        acknowledge(&mut drain, 1_000, 12_000_000, 1_001_000, 12_001_000);
        assert_eq!(drain.rate(), Some(1_000_000));
        acknowledge(&mut drain, 0, 0, 0, 90_000_000);
        assert_eq!(drain.rate(), Some(1_000_000));
    }
}
