//! The limits of a shard, each with its name in the configuration.

use crate::config::{Config, MaxmemoryPolicy};

/// The limits of a shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShardLimits {
    /// Fields of a packed hash (`hash-max-listpack-entries`).
    pub packed_fields_max: usize,
    /// Bytes of a field or value in a packed hash (`hash-max-listpack-value`).
    pub packed_value_bytes_max: usize,
    /// Bytes that forks may retain (`fork-retained-max`); behind that, the fork that keeps a change from being made in
    /// place is ended.
    pub fork_retained_bytes_max: u64,
    /// Bytes that may be charged (this core's even share of `maxmemory`); 0 sets no limit.
    pub charged_bytes_max: u64,
    /// What is evicted at that limit (`maxmemory-policy`).
    pub policy: MaxmemoryPolicy,
    /// Keys compared per eviction by the policies that sample (`maxmemory-samples`).
    pub samples: u32,
    /// How slowly the counter of uses grows (`lfu-log-factor`).
    pub lfu_log_factor: u32,
    /// Minutes after which the counter of uses is one less (`lfu-decay-time`).
    pub lfu_decay_min: u32,
    /// How eagerly expired keys are swept, 1 to 10 (`active-expire-effort`).
    pub expire_effort: u8,
}

impl ShardLimits {
    /// The limits of one of `cores` cores under these settings.
    pub fn of(config: &Config, cores: u16) -> ShardLimits {
        ShardLimits {
            fork_retained_bytes_max: config.fork_retained_max,
            charged_bytes_max: match config.maxmemory {
                0 => 0,
                bytes => (bytes / u64::from(cores)).max(1),
            },
            policy: config.maxmemory_policy,
            samples: config.maxmemory_samples,
            lfu_log_factor: config.lfu_log_factor,
            lfu_decay_min: config.lfu_decay_time,
            expire_effort: config.active_expire_effort,
            packed_fields_max: config.hash_max_listpack_entries as usize,
            packed_value_bytes_max: config.hash_max_listpack_value as usize,
        }
    }
}

impl Default for ShardLimits {
    fn default() -> Self {
        ShardLimits::of(&Config::default(), 1)
    }
}
