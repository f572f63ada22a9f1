//! The slot of a key: CRC16 of its hash tag, or of all of it.

/// Slots of a cluster.
pub const SLOTS: usize = 16_384;

static TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

/// CRC16 in its XMODEM form.
#[inline]
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| (crc << 8) ^ TABLE[usize::from((crc >> 8) as u8 ^ byte)])
}

/// The slot of `key`. What stands between the first `{` and the next `}` decides alone, unless it is empty.
#[inline]
pub fn slot_of(key: &[u8]) -> u16 {
    crc16(tag_of(key)) % SLOTS as u16
}

fn tag_of(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|&b| b == b'{') else { return key };
    let inside = &key[open + 1..];
    match inside.iter().position(|&b| b == b'}') {
        Some(length @ 1..) => &inside[..length],
        _ => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc16_vectors() {
        let cases: [(&[u8], u16); 4] = [(b"", 0), (b"123456789", 0x31c3), (b"A", 0x58e5), (b"\0", 0)];
        for (bytes, wanted) in cases {
            assert_eq!(crc16(bytes), wanted);
        }
    }

    #[test]
    fn slots_with_and_without_tags() {
        assert_eq!(slot_of(b"foo"), 12_182);
        assert_eq!(slot_of(b"bar"), 5_061);
        let same: [(&[u8], &[u8]); 5] = [
            (b"{user1000}.following", b"user1000"),
            (b"foo{bar}{zap}", b"bar"),
            (b"foo{{bar}}zap", b"{bar"),
            (b"foo{}{bar}", b"foo{}{bar}"),
            (b"foo{bar", b"foo{bar"),
        ];
        for (key, tag) in same {
            assert_eq!(slot_of(key), crc16(tag) % SLOTS as u16, "{}", String::from_utf8_lossy(key));
        }
    }
}
