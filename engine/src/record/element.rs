//! One element of a packed collection: bytes, or a number in binary.

use std::borrow::Cow;

use super::RecordError;
use super::string::text;

/// An element as a listpack or a ziplist holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element<'a> {
    Bytes(&'a [u8]),
    Number(i64),
}

impl<'a> Element<'a> {
    /// The element as a client sees it.
    pub(super) fn text(self) -> Cow<'a, [u8]> {
        match self {
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Number(number) => text(number),
        }
    }

    /// The element where only a number makes sense.
    pub(super) fn number(self) -> Result<i64, RecordError> {
        match self {
            Self::Bytes(_) => Err(RecordError::Malformed),
            Self::Number(number) => Ok(number),
        }
    }
}

/// The number in the low `bits` bits of `raw`, read as two's complement. 1 <= bits <= 64.
pub(super) fn sign_extend(raw: u64, bits: u32) -> i64 {
    let unused = 64 - bits;
    (raw << unused).cast_signed() >> unused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers() {
        assert_eq!(Element::Bytes(b"12").text(), &b"12"[..]);
        assert_eq!(Element::Number(-12).text(), &b"-12"[..]);
        assert_eq!(Element::Number(-12).number(), Ok(-12));
        assert_eq!(Element::Bytes(b"12").number(), Err(RecordError::Malformed));
    }

    #[test]
    fn signs() {
        let cases = [(0x1fff, 13, -1), (0x1000, 13, -4096), (0x0fff, 13, 4095), (0x80_0000, 24, -8_388_608)];
        for (raw, bits, number) in cases {
            assert_eq!(sign_extend(raw, bits), number);
        }
        assert_eq!(sign_extend(u64::MAX, 64), -1);
    }
}
