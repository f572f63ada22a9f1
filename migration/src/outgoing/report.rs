//! The figures of a batch as it goes.

use whimbrel_engine::shard::Shard;

use super::{Outgoing, State};
use crate::progress::{Phase, Progress};

/// The rate is taken anew after so long.
const SAMPLE_US: u64 = 250_000;

/// Bytes a second that arrive, smoothed over about a second.
#[derive(Clone, Copy, Default, Debug)]
pub struct Throughput {
    at_us: u64,
    delivered: u64,
    rate: Option<u64>,
}

impl Throughput {
    fn note(&mut self, delivered: u64, now_us: u64) {
        if self.at_us == 0 {
            self.at_us = now_us;
        }
        let passed_us = now_us.saturating_sub(self.at_us);
        if passed_us < SAMPLE_US {
            return;
        }
        let sample = (delivered - self.delivered).saturating_mul(1_000_000) / passed_us;
        self.rate = Some(self.rate.map_or(sample, |rate| (rate * 3 + sample) / 4));
        (self.at_us, self.delivered) = (now_us, delivered);
    }
}

impl Outgoing {
    /// Notes what the shard can tell.
    pub(super) fn note(&mut self, shard: &Shard, now_us: u64) {
        if matches!(self.state, State::Ended) {
            return;
        }
        let progress = &mut self.progress;
        if progress.bytes_total == 0 && progress.keys_total == 0 {
            for slot in &self.batch.slots {
                progress.keys_total += shard.slot_keys(*slot);
                progress.bytes_total += shard.slot_bytes(*slot);
            }
        }
        progress.elapsed_us = now_us.saturating_sub(self.began_us);
        progress.retained_bytes = shard.retained_bytes();
        self.progress.lag_bytes = self.lag_bytes(shard);
        self.throughput.note(self.drain.delivered(), now_us);
        if matches!(self.state, State::Moving) {
            self.progress.phase = match () {
                () if self.slots.are_all_streaming() => Phase::Streaming,
                () if self.slots.has_begun() => Phase::Snapshot,
                () => Phase::Connecting,
            };
        }
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        let mut progress = self.progress.clone();
        let (delta, snapshot) = (self.senders.delta.bytes_sent(), self.senders.snapshot.bytes_sent());
        progress.slots_done = self.slots.streaming() as u64;
        progress.keys_total = progress.keys_total.max(progress.keys_done);
        progress.bytes_total = match self.slots.are_all_streaming() {
            true => progress.bytes_done,
            false => progress.bytes_total.max(progress.bytes_done),
        };
        progress.bytes_sent = delta.0 + snapshot.0;
        progress.bytes_sent_again = delta.1 + snapshot.1 + self.bytes_for_nothing;
        progress.delta_bytes_sent = delta.0;
        progress.apply_rate = self.drain.rate().unwrap_or(0);
        progress.round_trip_us = self.drain.round_trip_us().unwrap_or(0);
        progress.pauses_tried = self.pauses.tried();
        progress.rate = self.throughput.rate.unwrap_or_else(|| {
            (u128::from(self.drain.delivered()) * 1_000_000 / u128::from(progress.elapsed_us.max(1))) as u64
        });
        progress.eta_us = match progress.phase {
            Phase::Done => Some(0),
            Phase::Snapshot | Phase::Streaming if progress.rate > 0 => {
                let left = progress.bytes_total - progress.bytes_done + progress.lag_bytes;
                Some((u128::from(left) * 1_000_000 / u128::from(progress.rate)) as u64)
            }
            _ => None,
        };
        progress
    }
}
