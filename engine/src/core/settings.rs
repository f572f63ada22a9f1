//! Settings in force: what of a core goes by its configuration beyond reading it.

use super::{Action, Core};
use crate::shard::ShardLimits;

impl Core {
    /// Puts changed settings into force on this core, and has the process do the same.
    pub fn settings_changed(&mut self) {
        self.shard.set_limits(ShardLimits::of(&self.config, self.count));
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
