//! What happened in a shard, counted.

/// Counters of one shard.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct ShardStats {
    /// Reads that found their key.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Keys that expired.
    pub expired_keys: u64,
    /// Fields that expired.
    pub expired_fields: u64,
    /// Keys that were evicted.
    pub evicted_keys: u64,
    /// Changes of keys, one for each effect.
    pub changes: u64,
    /// Forks that were opened.
    pub forks_opened: u64,
    /// Forks that were ended because they retained too much.
    pub forks_overrun: u64,
}
