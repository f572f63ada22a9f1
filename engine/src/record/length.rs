//! Lengths: one, two, five or nine bytes, whose first two bits say which.
//!
//! ```text
//! 00xxxxxx                    0 to 63
//! 01xxxxxx xxxxxxxx           up to 16,383, big endian
//! 10000000 <4 bytes>          32 bits, big endian
//! 10000001 <8 bytes>          64 bits, big endian
//! 11xxxxxx                    no length: the string that follows has a special encoding
//! ```

use super::RecordError;
use super::reader::Reader;

const WIDE_32: u8 = 0x80;
const WIDE_64: u8 = 0x81;
const SPECIAL: u8 = 0xc0;

/// What stands where a length is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// A length, a count or a small number.
    Plain(u64),
    /// The number of a special string encoding. 0 <= number < 64.
    Special(u8),
}

/// Appends `length` in as few bytes as it takes.
pub(super) fn append_length(out: &mut Vec<u8>, length: u64) {
    let big_endian = length.to_be_bytes();
    match length {
        0..0x40 => out.push(length as u8),
        0x40..0x4000 => out.extend([0x40 | big_endian[6], big_endian[7]]),
        0x4000..=0xffff_ffff => {
            out.push(WIDE_32);
            out.extend_from_slice(&big_endian[4..]);
        }
        _ => {
            out.push(WIDE_64);
            out.extend_from_slice(&big_endian);
        }
    }
}

/// Appends the mark of special string encoding `number`.
pub(super) fn append_special(out: &mut Vec<u8>, number: u8) {
    assert!(number < 0x40);
    out.push(SPECIAL | number);
}

impl Reader<'_> {
    /// A length that nothing but a length may stand for.
    pub(super) fn length(&mut self) -> Result<u64, RecordError> {
        match self.length_or_special()? {
            Length::Plain(length) => Ok(length),
            Length::Special(_) => Err(RecordError::Malformed),
        }
    }

    /// A length, or the mark of a special string encoding.
    pub(super) fn length_or_special(&mut self) -> Result<Length, RecordError> {
        let [first] = self.array()?;
        Ok(match first {
            0..0x40 => Length::Plain(u64::from(first)),
            0x40..0x80 => {
                let [second] = self.array()?;
                Length::Plain(u64::from(u16::from_be_bytes([first & 0x3f, second])))
            }
            WIDE_32 => Length::Plain(u64::from(u32::from_be_bytes(self.array()?))),
            WIDE_64 => Length::Plain(u64::from_be_bytes(self.array()?)),
            SPECIAL.. => Length::Special(first & 0x3f),
            _ => return Err(RecordError::Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(length: u64) -> Vec<u8> {
        let mut out = Vec::new();
        append_length(&mut out, length);
        out
    }

    #[test]
    fn every_width_at_its_edges() {
        let cases: [(u64, &[u8]); 9] = [
            (0, b"\x00"),
            (63, b"\x3f"),
            (64, b"\x40\x40"),
            (16_383, b"\x7f\xff"),
            (16_384, b"\x80\x00\x00\x40\x00"),
            (0xffff_ffff, b"\x80\xff\xff\xff\xff"),
            (0x1_0000_0000, b"\x81\x00\x00\x00\x01\x00\x00\x00\x00"),
            (u64::MAX - 1, b"\x81\xff\xff\xff\xff\xff\xff\xff\xfe"),
            (u64::MAX, b"\x81\xff\xff\xff\xff\xff\xff\xff\xff"),
        ];
        for (length, expected) in cases {
            assert_eq!(bytes(length), expected);
            assert_eq!(Reader::new(expected).length(), Ok(length));
        }
    }

    #[test]
    fn what_is_no_length() {
        for first in 0..=255_u8 {
            let bytes = [first];
            let read = Reader::new(&bytes).length_or_special();
            match first {
                0..0x40 => assert_eq!(read, Ok(Length::Plain(u64::from(first)))),
                0x40..0x82 => assert_eq!(read, Err(RecordError::Truncated)),
                0x82..0xc0 => assert_eq!(read, Err(RecordError::Malformed)),
                0xc0.. => {
                    assert_eq!(read, Ok(Length::Special(first - 0xc0)));
                    assert_eq!(Reader::new(&bytes).length(), Err(RecordError::Malformed));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn round_trip(length in any::<u64>(), shift in 0_u32..64) {
            let length = length >> shift;
            let bytes = bytes(length);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.length(), Ok(length));
            prop_assert!(reader.is_empty());
            for end in 0..bytes.len() {
                prop_assert_eq!(Reader::new(&bytes[..end]).length(), Err(RecordError::Truncated));
            }
        }
    }
}
