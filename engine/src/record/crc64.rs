//! The checksum of records: CRC-64 with the Jones polynomial, as Redis computes it.

/// The Jones polynomial 0xad93d23594c935a9, bits reflected.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

/// Bytes consumed by one step. Eight tables take 16 KiB and so leave half of a first-level cache to the data.
const SLICES: usize = 8;

static TABLES: [[u64; 256]; SLICES] = tables();

const fn tables() -> [[u64; 256]; SLICES] {
    let mut tables = [[0; 256]; SLICES];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u64;
        let mut bit = 0;
        while bit < 8 {
            let carry = remainder & 1;
            remainder >>= 1;
            if carry == 1 {
                remainder ^= POLYNOMIAL;
            }
            bit += 1;
        }
        tables[0][byte] = remainder;
        byte += 1;
    }
    let mut slice = 1;
    while slice < SLICES {
        let mut byte = 0;
        while byte < 256 {
            let previous = tables[slice - 1][byte];
            tables[slice][byte] = (previous >> 8) ^ tables[0][(previous & 0xff) as usize];
            byte += 1;
        }
        slice += 1;
    }
    tables
}

/// The checksum of what `checksum` covers followed by `bytes`. Start with 0.
#[must_use]
pub fn crc64(checksum: u64, bytes: &[u8]) -> u64 {
    let mut checksum = checksum;
    let (blocks, tail) = bytes.as_chunks::<SLICES>();
    for block in blocks {
        let lanes = (checksum ^ u64::from_le_bytes(*block)).to_le_bytes();
        checksum = 0;
        for (lane, table) in lanes.iter().zip(TABLES.iter().rev()) {
            checksum ^= table[usize::from(*lane)];
        }
    }
    for byte in tail {
        let index = (checksum as u8) ^ byte;
        checksum = (checksum >> 8) ^ TABLES[0][usize::from(index)];
    }
    checksum
}

#[cfg(test)]
mod tests {
    use super::crc64;

    #[test]
    fn check_value_of_the_polynomial() {
        assert_eq!(crc64(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(crc64(0, b""), 0);
    }

    /// The definition, bit by bit, with the polynomial and the bits as they are written down.
    fn by_definition(bytes: &[u8]) -> u64 {
        let mut remainder = 0_u64;
        for byte in bytes {
            remainder ^= u64::from(byte.reverse_bits()) << 56;
            for _ in 0..8 {
                let carry = remainder >> 63;
                remainder = (remainder << 1) ^ (carry * 0xad93_d235_94c9_35a9);
            }
        }
        remainder.reverse_bits()
    }

    #[test]
    fn every_length_agrees_with_the_definition() {
        let bytes: Vec<u8> = (0..100_u32).map(|i| (i * 151 + 7) as u8).collect();
        for end in 0..=bytes.len() {
            assert_eq!(crc64(0, &bytes[..end]), by_definition(&bytes[..end]), "{end} bytes");
        }
    }

    #[test]
    fn any_split_gives_the_same_value() {
        let bytes: Vec<u8> = (0..200_u32).map(|i| (i * 37 + 11) as u8).collect();
        let whole = crc64(0, &bytes);
        for cut in 0..=bytes.len() {
            let (left, right) = bytes.split_at(cut);
            assert_eq!(crc64(crc64(0, left), right), whole, "cut at {cut}");
        }
    }
}
