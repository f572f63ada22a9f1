//! The limits of a shard, each with its name in the configuration.

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
}

impl Default for ShardLimits {
    fn default() -> Self {
        ShardLimits { packed_fields_max: 512, packed_value_bytes_max: 64, fork_retained_bytes_max: 256 << 20 }
    }
}
