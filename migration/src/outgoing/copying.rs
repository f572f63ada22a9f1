//! The snapshot lane: slots are frozen when their turn comes and copied run by run, some at once.

use whimbrel_engine::shard::{ForkError, Shard};

use super::Outgoing;
use super::slots::Stage;
use crate::frame::{Frame, Kind};

/// Bytes that are made ahead of what may go out. The rest stays frozen, where it costs nothing until it is overwritten.
const AHEAD_BYTES_MAX: usize = 128 * 1024;

impl Outgoing {
    /// Copies one run, or begins a slot; whether it did.
    pub(super) fn step_copy(&mut self, shard: &mut Shard) -> bool {
        let lane = &self.senders.snapshot;
        if !self.link.is_up()
            || lane.window_bytes() >= self.settings.snapshot_window_bytes
            || lane.unsent_bytes() >= AHEAD_BYTES_MAX
        {
            return false;
        }
        if self.slots.copying() < self.settings.slots_concurrent_max.max(1)
            && self.slots.begin_next(self.settings.delta_bytes_max, shard).is_some()
        {
            return true;
        }
        let Some(index) = self.slots.next_copying() else { return false };
        self.copy_run(index, shard);
        true
    }

    fn copy_run(&mut self, index: usize, shard: &mut Shard) {
        let state = self.slots.at(index);
        let Stage::Copying { fork, .. } = state.stage else { return };
        let (head, run_bytes) = (state.head(), self.settings.run_bytes);
        let mut copied = Ok(Default::default());
        let mut bytes = 0;
        self.senders.snapshot.push_with(Kind::Run, |out| {
            head.put(out);
            let start = out.len();
            copied = shard.copy_fork(fork, run_bytes, out);
            bytes = out.len() - start;
            bytes > 0 && copied.is_ok()
        });
        let copied = match copied {
            Ok(copied) => copied,
            Err(ForkError::Overrun) => return self.restart_slot(index, shard),
            Err(_) => return self.fail("a fork of the batch was closed by somebody else".to_owned()),
        };
        let state = self.slots.at(index);
        state.copied_bytes += bytes as u64;
        state.copied_keys += copied.keys;
        self.progress.keys_done += copied.keys;
        if !copied.more {
            // Before any delta is applied, the target holds the keys of the fork and no others.
            let keys = shard.fork_keys(fork).unwrap_or_default();
            let number = self.senders.snapshot.push(&Frame::SlotEnd { head, keys });
            self.slots.copied(index, number, shard);
        }
    }

    /// The slot's fork retained more than it may: the slot begins anew.
    fn restart_slot(&mut self, index: usize, shard: &mut Shard) {
        if u32::from(self.slots.at(index).copy) > self.settings.restarts_max {
            let slot = self.slots.at(index).slot.number();
            return self
                .fail(format!("slot {slot} changes faster than it can be copied within fork-retained-max"));
        }
        self.progress.restarts += 1;
        self.bytes_for_nothing += self.slots.at(index).copied_bytes;
        self.progress.keys_done -= self.slots.at(index).copied_keys;
        self.slots.begin_copy(index, self.settings.delta_bytes_max, shard);
        let head = self.slots.at(index).head();
        self.senders.snapshot.push(&Frame::SlotRestart { head });
    }
}
