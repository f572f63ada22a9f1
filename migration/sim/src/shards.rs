//! Shards for the cores of runs.
//!
//! Each is a new one: what a shard has been through (the turns of its background work, the epochs of its forks, which pages
//! are in use) shows in what it does next, and a run must follow from its seed alone. A shard reserves 32 GiB of addresses,
//! which go back when it is dropped; no more are there at once than a run has cores.

use whimbrel_engine::key::HashSeed;
use whimbrel_engine::shard::{Shard, ShardLimits};

use crate::scenario::Scenario;

/// Fields of a packed hash: few, so that short hashes become tables too.
const PACKED_FIELDS_MAX: usize = 16;

/// An empty shard.
pub fn new_shard(scenario: &Scenario) -> Shard {
    const SEED: HashSeed = HashSeed(11);
    let limits = ShardLimits {
        fork_retained_bytes_max: scenario.fork_retained_bytes_max,
        packed_fields_max: PACKED_FIELDS_MAX,
        ..ShardLimits::default()
    };
    Shard::new(SEED, limits).expect("there are addresses for a few shards")
}
