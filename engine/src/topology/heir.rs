//! Heirs: who may take slots by their owner's word, before the map's keeper has heard of it.
//!
//! An heir changes nothing about who serves. It says to whom the owner *may* give the slots, so that the word between the two
//! decides and the keeper is told afterwards. Only the two of them, and an operator once both are gone, may end it.

use super::NodeId;
use crate::key::SlotId;

/// Names one appointment of an heir. No other one ever has the same name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HeirId {
    /// The move.
    pub job: u128,
    /// The batch of the move.
    pub number: u32,
    /// How often the batch has begun.
    pub life: u32,
}

/// Who may take slots by their owner's word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heir {
    /// Names the appointment.
    pub id: HeirId,
    /// The owner of the slots.
    pub source: NodeId,
    /// The registration of the source's process under which the heir was appointed.
    pub source_incarnation: u64,
    /// Who may take them.
    pub target: NodeId,
    /// The registration of the target's process that may.
    pub target_incarnation: u64,
    /// The slots, at least one; all of them are the source's.
    pub slots: Vec<SlotId>,
}
