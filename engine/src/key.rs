//! Keys: the slot that a key belongs to and the hash by which tables find it.

use xxhash_rust::xxh3::xxh3_64_with_seed;

/// How many hash slots there are.
pub const SLOT_COUNT: usize = 16_384;

/// The longest key or field; an object stands in one piece in the arena.
pub const KEY_BYTES_MAX: usize = 7 * 1024;

/// One of the 16,384 hash slots.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SlotId(u16);

impl SlotId {
    /// The slot with this number, if there is one.
    pub fn new(number: usize) -> Option<SlotId> {
        (number < SLOT_COUNT).then_some(SlotId(number as u16))
    }

    /// The slot of a key: the CRC16 of its hash tag if it has one, else of the whole key.
    #[inline]
    pub fn of(key: &[u8]) -> SlotId {
        SlotId(crc16(hash_tag(key)) % SLOT_COUNT as u16)
    }

    /// The number of the slot.
    #[inline]
    pub fn number(self) -> usize {
        usize::from(self.0)
    }
}

/// Seeds the hash of keys and fields, so that nobody outside can choose keys that collide.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct HashSeed(pub u64);

/// The hash of a key or field.
#[inline]
pub fn hash(bytes: &[u8], seed: HashSeed) -> u64 {
    xxh3_64_with_seed(bytes, seed.0)
}

/// What stands between the first `{` and the next `}`, unless that is nothing.
#[inline]
fn hash_tag(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|byte| *byte == b'{') else { return key };
    let inside = &key[open + 1..];
    match inside.iter().position(|byte| *byte == b'}') {
        Some(length) if length > 0 => &inside[..length],
        _ => key,
    }
}

/// CRC-16/XMODEM, eight bytes at a time (tables for each distance from the end of a block).
#[inline]
pub fn crc16(bytes: &[u8]) -> u16 {
    let mut crc = 0u16;
    let mut blocks = bytes.chunks_exact(8);
    for block in &mut blocks {
        crc = TABLES[7][usize::from(block[0] ^ (crc >> 8) as u8)]
            ^ TABLES[6][usize::from(block[1] ^ crc as u8)]
            ^ TABLES[5][usize::from(block[2])]
            ^ TABLES[4][usize::from(block[3])]
            ^ TABLES[3][usize::from(block[4])]
            ^ TABLES[2][usize::from(block[5])]
            ^ TABLES[1][usize::from(block[6])]
            ^ TABLES[0][usize::from(block[7])];
    }
    for byte in blocks.remainder() {
        crc = (crc << 8) ^ TABLES[0][usize::from((crc >> 8) as u8 ^ byte)];
    }
    crc
}

static TABLES: [[u16; 256]; 8] = tables();

const fn tables() -> [[u16; 256]; 8] {
    const POLYNOMIAL: u16 = 0x1021;
    let mut tables = [[0u16; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ POLYNOMIAL };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut distance = 1;
    while distance < 8 {
        let mut byte = 0;
        while byte < 256 {
            let crc = tables[distance - 1][byte];
            tables[distance][byte] = (crc << 8) ^ tables[0][(crc >> 8) as usize];
            byte += 1;
        }
        distance += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn crc_matches_the_published_check_value() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(crc16(b""), 0);
    }

    #[test]
    fn slots_follow_the_cluster_specification() {
        for (key, slot) in [("foo", 12182), ("bar", 5061), ("hello", 866), ("{user1000}.following", 3443)] {
            assert_eq!(SlotId::of(key.as_bytes()).number(), slot, "{key}");
        }
        assert_eq!(SlotId::of(b"{user1000}.following"), SlotId::of(b"{user1000}.followers"));
        assert_eq!(
            SlotId::of(b"foo{}{bar}"),
            SlotId(crc16(b"foo{}{bar}") % 16_384),
            "an empty tag is no tag"
        );
        assert_eq!(SlotId::of(b"foo{{bar}}zap"), SlotId(crc16(b"{bar") % 16_384));
        assert_eq!(SlotId::of(b"foo{bar}{zap}"), SlotId::of(b"bar"));
    }

    proptest! {
        #[test]
        fn blocks_agree_with_single_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut crc = 0u16;
            for byte in &bytes {
                crc = (crc << 8) ^ TABLES[0][usize::from((crc >> 8) as u8 ^ byte)];
            }
            prop_assert_eq!(crc16(&bytes), crc);
        }
    }
}
