//! Numbers of variable length: seven bits a byte, the lowest first, the upper bit says that more follow.

/// Appends a number.
#[inline]
pub fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Writes a number into exactly as many bytes as there are; it must fit into seven bits of each.
#[inline]
pub fn put_padded(bytes: &mut [u8], mut number: u64) {
    let last = bytes.len() - 1;
    for byte in &mut bytes[..last] {
        *byte = number as u8 | 0x80;
        number >>= 7;
    }
    assert!(number < 0x80, "the number fits into the bytes that were set aside");
    bytes[last] = number as u8;
}

/// How many bytes `put_padded` needs for numbers up to this one.
#[inline]
pub fn width(number: usize) -> usize {
    (usize::BITS - number.leading_zeros()).div_ceil(7).max(1) as usize
}

/// Takes a number off the front; nothing if the bytes end in it, or if it has more than 64 bits.
#[inline]
pub fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        let bits = u64::from(byte & 0x7f);
        if at == 9 && bits > 1 {
            return None;
        }
        number |= bits << (7 * at);
        if byte & 0x80 == 0 {
            *bytes = &bytes[at + 1..];
            return Some(number);
        }
    }
    None
}

/// Takes as many bytes off the front as the number before them says.
#[inline]
pub fn take_part<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take(bytes)?).ok()?;
    let (part, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(part)
}

/// Appends bytes behind their length.
#[inline]
pub fn put_part(out: &mut Vec<u8>, part: &[u8]) {
    put(out, part.len() as u64);
    out.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, 127, 128, 16_383, 16_384, 1 << 20, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            assert_eq!(bytes.len(), width(number as usize));
            assert!(
                (0..bytes.len()).all(|length| take(&mut &bytes[..length]).is_none()),
                "{number} cut short"
            );
            let mut padded = [0; 10];
            put_padded(&mut padded, number);
            for mut rest in [&bytes[..], &padded[..]] {
                assert_eq!((take(&mut rest), rest), (Some(number), &[][..]));
            }
        }
        assert_eq!(take(&mut &[0xff; 10][..]), None, "more than 64 bits");
        assert_eq!(take_part(&mut &[3, 1, 2][..]), None, "more than there is");
    }
}
