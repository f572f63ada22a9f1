//! All state of one core: its sessions, its statistics and what it asks the process to do.

mod action;
mod now;
mod stats;

use crate::session::Sessions;
use crate::shard::Shard;

pub use action::Action;
pub use now::Now;
pub use stats::{CommandStats, Stats};

/// All state of one core. Nothing in it is shared with another core.
pub struct Core {
    /// The keys of this core's slots.
    pub shard: Shard,
    /// Everybody who is connected to this core, but for the one whose command runs.
    pub sessions: Sessions,
    /// What happened so far.
    pub stats: Stats,
    /// What only the process can do, in the order in which commands asked for it.
    pub actions: Vec<Action>,
    /// The password that clients must give (`requirepass`).
    pub password: Option<Vec<u8>>,
}

impl Core {
    /// The core `index` of `count`, with its keys.
    pub fn new(index: u16, count: u16, shard: Shard) -> Self {
        Self {
            shard,
            sessions: Sessions::new(index, count),
            stats: Stats::default(),
            actions: Vec::new(),
            password: None,
        }
    }
}
