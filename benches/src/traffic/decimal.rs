//! Zero-padded decimal numbers written in place, four digits at a time.

const CHUNK: usize = 4;
const CHUNK_VALUES: usize = 10_000;

static DIGITS: [[u8; CHUNK]; CHUNK_VALUES] = digits();

const fn digits() -> [[u8; CHUNK]; CHUNK_VALUES] {
    let mut table = [[0; CHUNK]; CHUNK_VALUES];
    let mut value = 0;
    while value < CHUNK_VALUES {
        let v = value as u16;
        table[value] = [
            b'0' + (v / 1000) as u8,
            b'0' + (v / 100 % 10) as u8,
            b'0' + (v / 10 % 10) as u8,
            b'0' + (v % 10) as u8,
        ];
        value += 1;
    }
    table
}

/// Fills `out` with `value`, padded with zeros; higher digits that do not fit are dropped.
#[inline]
pub fn write_decimal(out: &mut [u8], mut value: u64) {
    for chunk in out.rchunks_mut(CHUNK) {
        let digits = &DIGITS[(value % CHUNK_VALUES as u64) as usize];
        value /= CHUNK_VALUES as u64;
        if let Ok(whole) = <&mut [u8; CHUNK]>::try_from(&mut *chunk) {
            *whole = *digits;
        } else {
            chunk.copy_from_slice(&digits[CHUNK - chunk.len()..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pads_and_truncates() {
        let cases: [(usize, u64, &str); 7] = [
            (12, 0, "000000000000"),
            (12, 123_456_789_012, "123456789012"),
            (12, 42, "000000000042"),
            (1, 7, "7"),
            (3, 98_765, "765"),
            (6, 98_765, "098765"),
            (20, u64::MAX, "18446744073709551615"),
        ];
        for (width, value, wanted) in cases {
            let mut out = vec![b'x'; width];
            write_decimal(&mut out, value);
            assert_eq!(String::from_utf8(out).unwrap(), wanted);
        }
    }
}
