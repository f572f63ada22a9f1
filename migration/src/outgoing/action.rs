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

/// What the map says of slots that were given away by a word, once it does not name their heir any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The slots are the target's, or somebody else's behind it.
    Committed,
    /// The source owns slots of the batch: the target had dropped them before it heard the word, and never will obey it.
    Refused {
        /// Why.
        reason: String,
    },
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
    /// Name the target in the map as the heir of the slots under `Outgoing::heir`, if the source owns them, they have no other
    /// heir, and the registrations of both are these; say `appointed`.
    Appoint {
        /// The target's process.
        target: Incarnation,
    },
    /// The target holds the same, and nothing is under way: say `give` if the lease surely runs and the map names the
    /// heir, `cancel` otherwise.
    Give,
    /// It is over. The machine wants nothing more; the lanes may be closed once their output is sent.
    Ended(Result<(), String>),
}
