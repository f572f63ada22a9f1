//! What is moved: jobs, the batches that they are cut into, and who takes part.

use std::fmt;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::topology::{HeirId, NodeId};

/// The most slots of a batch.
pub const BATCH_SLOTS_MAX: usize = whimbrel_engine::key::SLOT_COUNT;

/// A job: what an operator asked to be moved. Shown as 40 hexadecimal digits, as in Valkey.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MoveId(pub u128);

impl MoveId {
    /// Reads 40 hexadecimal digits.
    pub fn parse(text: &[u8]) -> Option<MoveId> {
        if text.len() != 40 || !text.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let (zeros, digits) = text.split_at(8);
        let digits = str::from_utf8(digits).expect("the digits are ASCII");
        let number = u128::from_str_radix(digits, 16).expect("32 hexadecimal digits");
        zeros.iter().all(|digit| *digit == b'0').then_some(MoveId(number))
    }
}

impl fmt::Display for MoveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:040x}", self.0)
    }
}

/// A batch: slots of a job that change hands at one instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BatchId {
    /// The job.
    pub job: MoveId,
    /// The batch's number in the job, from 0.
    pub number: u32,
}

impl BatchId {
    /// The name under which the map names the batch's target as the heir of its slots, in one life of the batch.
    pub fn heir(self, life: u32) -> HeirId {
        HeirId { job: self.job.0, number: self.number, life }
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.job, self.number)
    }
}

/// Slots on their way from one core to another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Batch {
    /// Names the batch.
    pub id: BatchId,
    /// Who owns the slots.
    pub source: NodeId,
    /// Who is to own them.
    pub target: NodeId,
    /// The slots in the order in which they are copied; at least one, none of them twice.
    pub slots: Vec<SlotId>,
}

/// One life of a process: what it registered itself as. A process that starts again has another one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Incarnation(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_forty_digits() {
        for id in [MoveId(0), MoveId(0xabc), MoveId(u128::MAX)] {
            let text = id.to_string();
            assert_eq!((text.len(), MoveId::parse(text.as_bytes())), (40, Some(id)));
        }
        for wrong in [&b"abc"[..], &[b'f'; 40], &[b'x'; 40]] {
            assert_eq!(MoveId::parse(wrong), None);
        }
    }
}
