//! Settings in force: what of a core goes by its configuration beyond reading it.

use super::{Action, Core};
use crate::config::Config;
use crate::shard::ShardLimits;

/// The limits of a shard under these settings.
pub fn shard_limits(config: &Config) -> ShardLimits {
    let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    ShardLimits {
        packed_fields_max: size(config.hash_max_listpack_entries),
        packed_value_bytes_max: size(config.hash_max_listpack_value),
        fork_retained_bytes_max: config.fork_retained_max,
    }
}

impl Core {
    /// Puts changed settings into force on this core, and has the process do the same.
    pub fn settings_changed(&mut self) {
        self.shard.set_limits(shard_limits(&self.config));
        self.actions.push(Action::ConfigChanged);
    }

    /// Counts anew (`CONFIG RESETSTAT`).
    pub fn reset_statistics(&mut self) {
        self.stats.reset();
        self.shard.reset_stats();
        let used_bytes = self.shard.used_bytes();
        self.observed.reset(used_bytes);
    }
}
