//! What must hold at every instant, and who looks whether it does.

pub mod caps;
pub mod ceilings;
pub mod ledger;
pub mod model;
pub mod orders;
pub mod resends;
pub mod rest;

use std::fmt;

use whimbrel_engine::key::SlotId;

use crate::story::About;

/// What must hold (DESIGN, section 7), and that everything settles once nothing goes wrong any more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Invariant {
    /// I1: no acknowledged write is lost; every key is linearisable; a connection's commands keep their order.
    NothingLost,
    /// I2: at no instant do two cores serve one slot.
    OneOwner,
    /// I3: a key is in its old place or its new one, never in neither, never in both.
    OnePlace,
    /// I4: a move that failed leaves the source as if nothing had been, and the target empty of it.
    NoTrace,
    /// I5: what is sent again after a cut is bounded by the windows.
    Resumes,
    /// I6: memory stays under the named ceilings.
    Ceilings,
    /// I7: caps hold over any second.
    Caps,
    /// Everything comes to rest.
    Settles,
}

impl Invariant {
    /// The number in the design, or what it is about.
    pub fn name(self) -> &'static str {
        match self {
            Invariant::NothingLost => "I1",
            Invariant::OneOwner => "I2",
            Invariant::OnePlace => "I3",
            Invariant::NoTrace => "I4",
            Invariant::Resumes => "I5",
            Invariant::Ceilings => "I6",
            Invariant::Caps => "I7",
            Invariant::Settles => "liveness",
        }
    }
}

/// Something that must hold did not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// What must hold.
    pub invariant: Invariant,
    /// When it did not.
    pub at_us: u64,
    /// The slots that are concerned.
    pub slots: Vec<SlotId>,
    /// The key that is concerned, if it is one.
    pub key: Option<Vec<u8>>,
    /// What was found, in words.
    pub text: String,
}

impl Violation {
    /// Whether a line of the story concerns it.
    pub(crate) fn concerns(&self, about: &About) -> bool {
        match about {
            About::All => true,
            About::Slots(slots) => {
                self.slots.is_empty() || slots.iter().any(|slot| self.slots.contains(slot))
            }
            About::Key(slot, key) => {
                let slot_matches = self.slots.is_empty() || self.slots.contains(slot);
                slot_matches && self.key.as_ref().is_none_or(|own| own == key)
            }
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (s, us) = (self.at_us / 1_000_000, self.at_us % 1_000_000);
        write!(f, "{} at {s}.{us:06}: {}", self.invariant.name(), self.text)
    }
}
