//! The delta lane: what was written to a slot since its baseline, once the target has that.

use whimbrel_engine::shard::Shard;

use super::Outgoing;
use super::slots::Stage;
use crate::frame::{DeltasHead, Kind};

/// Watches that are looked at in one step.
pub(super) const LOOKS_MAX: usize = 128;

/// Bytes that are made ahead of what may go out. The rest stays in the watches.
const AHEAD_BYTES_MAX: usize = 128 * 1024;

/// How far the round over all watches has come.
#[derive(Clone, Copy, Default, Debug)]
pub struct Round {
    next: usize,
    /// Slots looked at since deltas were found last.
    quiet: usize,
}

impl Outgoing {
    /// Looks at further watches and puts the deltas of one slot on their lane; whether there is more to look at.
    pub(super) fn step_deltas(&mut self, shard: &mut Shard) -> bool {
        if !self.may_put_deltas() {
            return false;
        }
        let count = self.slots.len();
        for _ in 0..LOOKS_MAX {
            if self.round.quiet >= count {
                return false;
            }
            let index = self.round.next;
            self.round.next = (index + 1) % count;
            self.round.quiet += 1;
            let Some(bytes) = self.look(index, shard) else { return true };
            if bytes > 0 && self.put_deltas(index, shard) {
                self.round.quiet = 0;
                return true;
            }
        }
        true
    }

    /// Begins another round.
    pub(super) fn begin_round(&mut self, shard: &Shard) {
        self.round.quiet = if shard.all_queued_delta_bytes() == 0 { self.slots.len() } else { 0 };
    }

    pub(super) fn may_put_deltas(&self) -> bool {
        let lane = &self.senders.delta;
        self.link.is_up()
            && lane.window_bytes() < self.settings.delta_window_bytes
            && lane.unsent_bytes() < AHEAD_BYTES_MAX
    }

    /// Bytes that wait in a slot's watch; none if the batch failed for them.
    pub(super) fn look(&mut self, index: usize, shard: &Shard) -> Option<usize> {
        let Some(bytes) = self.slots.look(index, shard) else {
            let slot = self.slots.at(index).slot.number();
            self.fail(format!("slot {slot} is written faster than migration-delta-max allows"));
            return None;
        };
        if self.slots.queued_bytes(shard) > self.settings.delta_bytes_max {
            self.fail("the slots are written faster than migration-delta-max allows".to_owned());
            return None;
        }
        Some(bytes)
    }

    /// Puts up to a run of deltas of a slot on their lane; whether there were any that may go.
    pub(super) fn put_deltas(&mut self, index: usize, shard: &mut Shard) -> bool {
        let state = self.slots.at(index);
        let Stage::Streaming { watch } = state.stage else { return false };
        let mut head = DeltasHead { of: state.head(), first: state.last_sequence + 1, last: 0 };
        let run_bytes = self.settings.run_bytes;
        let number = self.senders.delta.push_with(Kind::Deltas, |out| {
            let start = out.len();
            head.put(out);
            let taken = shard.take_deltas(watch, run_bytes, out);
            head.last = taken.last_sequence;
            debug_assert!(taken.count == 0 || head.first + taken.count - 1 == head.last, "none is left out");
            head.put_over(&mut out[start..]);
            taken.count > 0
        });
        if number.is_some() {
            self.slots.at(index).last_sequence = head.last;
            self.slots.look(index, shard);
        }
        number.is_some()
    }
}
