//! What the target's side and its caller say to each other beside bytes.

use crate::batch::Incarnation;

/// The settings of the target's side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IncomingSettings {
    /// The target's process, as it is registered.
    pub incarnation: Incarnation,
    /// Without a link for so long, what came is dropped, unless it is prepared (`migration-link-timeout`).
    pub link_timeout_us: u64,
    /// Bytes a second that the source may send; 0 sets no limit.
    pub bytes_per_second: u64,
}

impl Default for IncomingSettings {
    fn default() -> Self {
        IncomingSettings { incarnation: Incarnation(0), link_timeout_us: 10_000_000, bytes_per_second: 0 }
    }
}

/// What the target's side asks of its caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IncomingAction {
    /// Prepared: commands for the slots wait here from now on instead of being sent elsewhere.
    Hold,
    /// Not prepared any more, or for too long without a word: commands for the slots are answered by the map again.
    Release,
    /// The slots are the target's: their keys can be seen in the shard. Adopt the map, serve them, and let go of what waits.
    Promote {
        /// The map, as the store keeps it; none if it was learnt from the map, or is to be read there.
        map: Option<Vec<u8>>,
    },
    /// It is over: nothing of the slots is here, and what waits is to be let go of. The machine may be forgotten once its
    /// output is sent.
    Dropped {
        /// Why.
        reason: String,
    },
    /// Close both lanes; `disconnected` needs not be said.
    Disconnect,
    /// Prepared, and without news of the source: read the map linearizably and say `map_changed`.
    AskMap,
}
