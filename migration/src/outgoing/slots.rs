//! Where each slot of a batch stands at the source.

use std::collections::VecDeque;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::shard::{ForkId, Shard, WatchId};

use crate::digest::SlotsDigest;
use crate::frame::RunHead;

/// Where a slot stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Its turn has not come.
    Waiting,
    /// Its fork is being copied; writes to it queue.
    Copying {
        /// What it held when its copy began.
        fork: ForkId,
        /// What was written since.
        watch: WatchId,
    },
    /// Its baseline is on its way.
    Copied {
        /// What was written since.
        watch: WatchId,
    },
    /// The target has its baseline; writes to it are sent.
    Streaming {
        /// What is written.
        watch: WatchId,
    },
    /// It is none of this batch's concern any more.
    Released,
}

impl Stage {
    /// The watch of the slot, if it is watched.
    pub fn watch(self) -> Option<WatchId> {
        match self {
            Stage::Copying { watch, .. } | Stage::Copied { watch } | Stage::Streaming { watch } => {
                Some(watch)
            }
            Stage::Waiting | Stage::Released => None,
        }
    }
}

/// One slot of a batch.
#[derive(Debug)]
pub struct SlotState {
    /// Which.
    pub slot: SlotId,
    /// Where it stands.
    pub stage: Stage,
    /// How often its copy began.
    pub copy: u16,
    /// The last delta that was put on its lane.
    pub last_sequence: u64,
    /// Bytes of its baseline that were put on the lane in this copy.
    pub copied_bytes: u64,
    /// Keys among them.
    pub copied_keys: u64,
    /// Bytes that waited in its watch when it was looked at last.
    queued_bytes: usize,
}

impl SlotState {
    /// What stands before frames of this copy.
    pub fn head(&self) -> RunHead {
        RunHead { slot: self.slot, copy: self.copy }
    }
}

/// All slots of a batch.
#[derive(Debug)]
pub struct Slots {
    all: Vec<SlotState>,
    /// The first slot whose turn has not come.
    waiting: usize,
    /// The slots that are being copied, in turn.
    copying: VecDeque<usize>,
    /// The frames that end slots' baselines, with their slots, in order.
    ends: VecDeque<(u64, usize)>,
    /// Slots whose baseline the target has.
    streaming: usize,
    /// Bytes that waited in all watches when they were looked at last.
    queued_bytes: usize,
}

impl Slots {
    /// Slots whose turn has not come.
    pub fn new(slots: &[SlotId]) -> Self {
        let state = |slot: &SlotId| SlotState {
            slot: *slot,
            stage: Stage::Waiting,
            copy: 0,
            last_sequence: 0,
            copied_bytes: 0,
            copied_keys: 0,
            queued_bytes: 0,
        };
        Slots {
            all: slots.iter().map(state).collect(),
            waiting: 0,
            copying: VecDeque::new(),
            ends: VecDeque::new(),
            streaming: 0,
            queued_bytes: 0,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// One of them.
    pub fn at(&mut self, index: usize) -> &mut SlotState {
        &mut self.all[index]
    }

    /// Bytes of all baselines that were put on the lane.
    pub fn copied_bytes(&self) -> u64 {
        self.all.iter().map(|state| state.copied_bytes).sum()
    }

    /// How many are being copied.
    pub fn copying(&self) -> usize {
        self.copying.len()
    }

    /// Whether any slot's turn has come.
    pub fn has_begun(&self) -> bool {
        self.waiting > 0
    }

    /// How many the target has the baseline of.
    pub fn streaming(&self) -> usize {
        self.streaming
    }

    /// Whether the target has the baseline of all.
    pub fn are_all_streaming(&self) -> bool {
        self.streaming == self.all.len()
    }

    /// Whether the target has the baseline of most.
    pub fn are_mostly_streaming(&self) -> bool {
        4 * self.streaming >= 3 * self.all.len()
    }

    /// Begins to copy the next slot whose turn has not come: from the same instant its writes queue.
    pub fn begin_next(&mut self, queue_bytes_max: usize, shard: &mut Shard) -> Option<usize> {
        let index = self.waiting;
        self.all.get(index)?;
        self.waiting += 1;
        self.begin_copy(index, queue_bytes_max, shard);
        self.copying.push_back(index);
        Some(index)
    }

    /// Begins to copy a slot, once more if need be.
    pub fn begin_copy(&mut self, index: usize, queue_bytes_max: usize, shard: &mut Shard) {
        self.release(index, shard);
        let state = &mut self.all[index];
        state.copy += 1;
        state.copied_bytes = 0;
        state.copied_keys = 0;
        state.last_sequence = 0;
        state.stage =
            Stage::Copying { fork: shard.fork(state.slot), watch: shard.watch(state.slot, queue_bytes_max) };
    }

    /// The next slot to copy a part of.
    pub fn next_copying(&mut self) -> Option<usize> {
        let index = self.copying.pop_front()?;
        self.copying.push_back(index);
        Some(index)
    }

    /// The slot's baseline is on its lane; the last frame has this number.
    pub fn copied(&mut self, index: usize, number: u64, shard: &mut Shard) {
        let state = &mut self.all[index];
        let Stage::Copying { fork, watch } = state.stage else { return };
        shard.close_fork(fork);
        state.stage = Stage::Copied { watch };
        self.copying.retain(|other| *other != index);
        self.ends.push_back((number, index));
    }

    /// The target has applied all frames of the snapshot lane below this number.
    pub fn acknowledged(&mut self, expected: u64) {
        while let Some((number, index)) = self.ends.front().copied()
            && number < expected
        {
            self.ends.pop_front();
            let state = &mut self.all[index];
            if let Stage::Copied { watch } = state.stage {
                state.stage = Stage::Streaming { watch };
                self.streaming += 1;
            }
        }
    }

    /// Looks at what waits in a slot's watch; none if writes were lost because there were too many.
    pub fn look(&mut self, index: usize, shard: &Shard) -> Option<usize> {
        let state = &mut self.all[index];
        let Some(watch) = state.stage.watch() else { return Some(0) };
        let bytes = shard.queued_delta_bytes(watch);
        self.queued_bytes = self.queued_bytes + bytes - state.queued_bytes;
        state.queued_bytes = bytes;
        (bytes > 0 || !shard.is_overrun(watch)).then_some(bytes)
    }

    /// Bytes that wait in the watches, as far as was looked.
    pub fn queued_bytes(&self, shard: &Shard) -> usize {
        self.queued_bytes.min(shard.all_queued_delta_bytes())
    }

    /// Whether nothing waits in any watch, and what the slots came to if so.
    pub fn digest(&self, shard: &Shard) -> Option<SlotsDigest> {
        let mut digest = SlotsDigest::default();
        for state in &self.all {
            let watch = state.stage.watch()?;
            if shard.queued_delta_bytes(watch) > 0 {
                return None;
            }
            digest.add(state.copy, state.last_sequence, shard.slot_keys(state.slot));
        }
        Some(digest)
    }

    /// Lets go of a slot's fork and watch.
    pub fn release(&mut self, index: usize, shard: &mut Shard) {
        let state = &mut self.all[index];
        if let Stage::Copying { fork, .. } = state.stage {
            shard.close_fork(fork);
        }
        if let Some(watch) = state.stage.watch() {
            shard.unwatch(watch);
        }
        self.queued_bytes -= state.queued_bytes;
        state.queued_bytes = 0;
        state.stage = Stage::Released;
    }
}
