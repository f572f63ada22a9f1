//! What has come of each slot at the target.

use whimbrel_engine::key::{SLOT_COUNT, SlotId};
use whimbrel_engine::shard::Shard;

use crate::digest::SlotsDigest;
use crate::frame::RunHead;

/// In the table of places: not of this batch.
const NOWHERE: u16 = u16::MAX;

/// What has come of a slot.
#[derive(Clone, Copy, Debug)]
pub struct SlotCopy {
    /// Which.
    pub slot: SlotId,
    /// Which copy of it; the first begins by itself.
    pub copy: u16,
    /// Whether its baseline is complete.
    pub is_complete: bool,
    /// The last delta that was applied.
    pub last_sequence: u64,
}

/// All slots of the batch, in its order.
#[derive(Debug)]
pub struct SlotCopies {
    all: Vec<SlotCopy>,
    places: Box<[u16; SLOT_COUNT]>,
    complete: usize,
}

impl SlotCopies {
    /// Slots of which nothing has come.
    pub fn new(slots: &[SlotId]) -> Self {
        let mut places = Box::new([NOWHERE; SLOT_COUNT]);
        for (place, slot) in slots.iter().enumerate() {
            places[slot.number()] = place as u16;
        }
        let copy = |slot: &SlotId| SlotCopy { slot: *slot, copy: 1, is_complete: false, last_sequence: 0 };
        SlotCopies { all: slots.iter().map(copy).collect(), places, complete: 0 }
    }

    /// The slot that a frame names, if it is of this batch.
    pub fn of(&mut self, head: RunHead) -> Option<&mut SlotCopy> {
        self.all.get_mut(usize::from(self.places[head.slot.number()]))
    }

    /// Whether the slot is of the batch.
    pub fn has(&self, slot: SlotId) -> bool {
        self.places[slot.number()] != NOWHERE
    }

    /// The slot's baseline is complete.
    pub fn completed(&mut self, head: RunHead) {
        if let Some(copy) = self.of(head)
            && !std::mem::replace(&mut copy.is_complete, true)
        {
            self.complete += 1;
        }
    }

    /// Another copy of the slot begins.
    pub fn restarted(&mut self, head: RunHead) {
        let Some(copy) = self.of(head) else { return };
        let was_complete = copy.is_complete;
        *copy = SlotCopy { slot: head.slot, copy: head.copy, is_complete: false, last_sequence: 0 };
        self.complete -= usize::from(was_complete);
    }

    /// How many are complete.
    pub fn complete(&self) -> usize {
        self.complete
    }

    /// Whether all are.
    pub fn are_all_complete(&self) -> bool {
        self.complete == self.all.len()
    }

    /// What the slots came to.
    pub fn digest(&self, shard: &Shard) -> SlotsDigest {
        let mut digest = SlotsDigest::default();
        for copy in &self.all {
            digest.add(copy.copy, copy.last_sequence, shard.slot_keys(copy.slot));
        }
        digest
    }
}
