//! Lanes: numbered frames that survive the connections they travel on.
//!
//! The sender keeps what was not acknowledged and sends it again on the next connection, from where the receiver says. The
//! receiver takes each number once and in order: what it has seen is dropped, a gap is an error.

mod receiver;
mod sender;

pub use receiver::{Arrival, LaneReceiver, PerLane};
pub use sender::{Acknowledged, LaneError, LaneSender, Stamp};

/// One of the two lanes of a batch, each a connection of its own, so that bulk data never delays what is urgent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Lane {
    /// Deltas and control.
    Delta,
    /// The baseline of the slots.
    Snapshot,
}

impl Lane {
    /// Both lanes, the urgent one first.
    pub const ALL: [Lane; 2] = [Lane::Delta, Lane::Snapshot];

    /// The lane's place in arrays.
    #[inline]
    pub fn index(self) -> usize {
        self as usize
    }
}
