//! Why a target will not take part in a batch.

use std::fmt;

use whimbrel_engine::key::SlotId;

/// Why a target will not take part in a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The batch had begun, and the target knows nothing of it any more: begin from zero.
    Forgotten,
    /// The connection is older than one that the target has seen.
    Stale,
    /// No core here has the id that was named.
    UnknownTarget,
    /// A slot holds keys.
    Occupied {
        /// Which.
        slot: SlotId,
    },
    /// A slot is on its way here from elsewhere.
    Staged {
        /// Which.
        slot: SlotId,
    },
    /// A slot is the target's own already.
    Owned {
        /// Which.
        slot: SlotId,
    },
    /// The target has no memory left, or as many moves as it may have. Another time, perhaps.
    Busy,
}

impl Refusal {
    /// The refusal's code, and the slot that it names.
    pub(super) fn code(self) -> (u8, u16) {
        let number = |slot: SlotId| slot.number() as u16;
        match self {
            Refusal::Forgotten => (1, 0),
            Refusal::Stale => (2, 0),
            Refusal::UnknownTarget => (3, 0),
            Refusal::Occupied { slot } => (4, number(slot)),
            Refusal::Staged { slot } => (5, number(slot)),
            Refusal::Owned { slot } => (6, number(slot)),
            Refusal::Busy => (7, 0),
        }
    }

    /// The refusal with this code.
    pub(super) fn of(code: u8, slot: SlotId) -> Option<Refusal> {
        Some(match code {
            1 => Refusal::Forgotten,
            2 => Refusal::Stale,
            3 => Refusal::UnknownTarget,
            4 => Refusal::Occupied { slot },
            5 => Refusal::Staged { slot },
            6 => Refusal::Owned { slot },
            7 => Refusal::Busy,
            _ => return None,
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Forgotten => f.write_str("the target knows nothing of the batch any more"),
            Refusal::Stale => f.write_str("the target has seen a newer connection"),
            Refusal::UnknownTarget => f.write_str("the target has no core with that id"),
            Refusal::Occupied { slot } => write!(f, "slot {} holds keys at the target", slot.number()),
            Refusal::Staged { slot } => {
                write!(f, "slot {} is on its way to the target already", slot.number())
            }
            Refusal::Owned { slot } => write!(f, "slot {} is the target's already", slot.number()),
            Refusal::Busy => f.write_str("the target takes no further moves now"),
        }
    }
}
