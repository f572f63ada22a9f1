//! What a core's commands know of moving slots: what an operator asks for, and what is told of it.
//!
//! The process moves the slots; here stand the request that a command hands to it and the report that it hands back.

mod report;
mod request;

use std::collections::HashSet;

use crate::key::SlotId;

pub use report::{MoveReport, Operation};
pub use request::{Estimate, MoveRequest, RequestError};

/// What the process tells a core of its moves.
#[derive(Debug, Default)]
pub struct Moves {
    /// Slots of this core that are planned to move, or moving.
    pub moving: HashSet<SlotId>,
    /// The moves that this core takes part in, the latest first; brought up to date when somebody asks.
    pub reports: Vec<MoveReport>,
}
