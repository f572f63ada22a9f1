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
    /// Go by this map, which names this core as the heir of the slots.
    Adopt {
        /// The map, as the store keeps it; empty if it is to be read there.
        map: Vec<u8>,
    },
    /// The slots are the target's, by the source's word or by the map: their keys can be seen in the shard. Serve them as soon
    /// as the map says so, or names this core as their heir; until then let commands for them wait. Have the map say so.
    Promote,
    /// It is over: nothing of the slots is here, and what waits is to be let go of. The machine may be forgotten once its
    /// output is sent.
    Dropped {
        /// Why.
        reason: String,
    },
    /// Close both lanes; `disconnected` needs not be said.
    Disconnect,
    /// The source is gone, and no word of it is obeyed any more: have the map name this core as heir no more. What came is kept
    /// until the map says whose the slots are: the source's word may have reached it.
    Withdraw,
    /// Prepared, and without news of the source: read the map linearizably and say `map_changed`.
    AskMap,
}

/// What a map says of a batch to its target.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct MapNews {
    /// All slots of the batch are this core's.
    pub owner_is_me: bool,
    /// Known of a linearizable read that began after `AskMap`, or after the batch was prepared: the source's registration is gone
    /// or another one.
    pub source_is_gone: bool,
    /// Known of such a read: the map does not name this core as the heir of the slots (any more).
    pub is_no_heir: bool,
}
