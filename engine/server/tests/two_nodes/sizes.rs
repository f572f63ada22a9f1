//! How much data a test moves: little by default, what operators have with `WHIMBREL_MOVE_FAULTS=full`.

/// Numbers of keys and bytes.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Strings of 512 bytes over all slots.
    pub strings: usize,
    /// Fields of the large hash, which lies in a moving slot.
    pub large_hash_fields: usize,
    /// Bytes of the large string, which lies in a moving slot.
    pub large_string_bytes: usize,
    /// Hashes of sixteen fields.
    pub hashes: usize,
    /// Writes a second into the moving slots, over all writers.
    pub writes_per_second: u64,
    /// What a move may take of the link, so that faults come upon it before it is done.
    pub link_rate_max: u64,
}

impl Sizes {
    /// What the environment asks for.
    pub fn chosen() -> Sizes {
        if std::env::var("WHIMBREL_MOVE_FAULTS").is_ok_and(|value| value == "full") {
            return Sizes {
                strings: 1_000_000,
                large_hash_fields: 1_000_000,
                large_string_bytes: 256 << 20,
                hashes: 10_000,
                writes_per_second: 35_000,
                link_rate_max: 200_000_000,
            };
        }
        Sizes {
            strings: 20_000,
            large_hash_fields: 20_000,
            large_string_bytes: 4 << 20,
            hashes: 200,
            writes_per_second: 8_000,
            link_rate_max: 8_000_000,
        }
    }
}
