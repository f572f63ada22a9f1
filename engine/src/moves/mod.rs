//! What a core's commands know of moving slots: what an operator asks for, and what is told of it.
//!
//! The process moves the slots; here stand the request that a command hands to it and the report that it hands back.

mod report;
mod request;

use crate::key::{SLOT_COUNT, SlotId};

pub use report::{MoveReport, Operation};
pub use request::{Estimate, MoveRequest, RequestError};

/// What the process tells a core of its moves.
#[derive(Debug, Default)]
pub struct Moves {
    /// Slots of this core that are planned to move, or moving.
    pub moving: Moving,
    /// The moves that this core takes part in, the latest first; brought up to date when somebody asks.
    pub reports: Vec<MoveReport>,
}

/// A set of slots: one bit each.
#[derive(Debug)]
pub struct Moving(Box<[u64; SLOT_COUNT / 64]>);

impl Default for Moving {
    fn default() -> Self {
        Self(Box::new([0; SLOT_COUNT / 64]))
    }
}

impl Moving {
    /// Adds a slot.
    pub fn insert(&mut self, slot: SlotId) {
        self.0[slot.number() / 64] |= 1 << (slot.number() % 64);
    }

    /// Takes a slot out.
    pub fn remove(&mut self, slot: SlotId) {
        self.0[slot.number() / 64] &= !(1 << (slot.number() % 64));
    }

    /// Whether a slot is in it.
    pub fn contains(&self, slot: SlotId) -> bool {
        self.0[slot.number() / 64] >> (slot.number() % 64) & 1 == 1
    }
}
