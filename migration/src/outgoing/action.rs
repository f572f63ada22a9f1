//! What the source's side and its caller say to each other beside bytes.

use crate::batch::Incarnation;

/// What waits at the source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Hold {
    /// Nothing.
    None,
    /// Writes to the slots.
    Writes,
    /// Everything that touches the slots.
    All,
}

/// What became of a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The target owns the slots. The caller has adopted the map: nothing of the slots is served here any more.
    Committed {
        /// The map, as the store keeps it.
        map: Vec<u8>,
    },
    /// The source owns the slots, and this commit can never take effect.
    Refused {
        /// Why.
        reason: String,
    },
    /// Nobody knows yet.
    Unknown,
}

/// What the source's side asks of its caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Open both lanes anew, and say `connected` or `disconnected` of each. What is left of older connections is closed, and
    /// nothing more is said of them.
    Connect,
    /// Close both lanes. Nothing is to be said about it.
    Disconnect,
    /// Let these commands wait from now on, and say `held` when none of them is under way any more; what waited at a higher
    /// level goes on. `Hold::None` needs no answer. Only the latest one is answered.
    Hold(Hold),
    /// Give the slots to the target in the map, if the map, the source's registration and the target's are what they were;
    /// say the `outcome`.
    Commit {
        /// The target's process.
        target: Incarnation,
    },
    /// Find out what became of the commit, and see to it that nothing more can become of it; say the `outcome`.
    Resolve,
    /// It is over. The machine wants nothing more; the lanes may be closed once their output is sent.
    Ended(Result<(), String>),
}
