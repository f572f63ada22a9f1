//! Strings: plain bytes, whole numbers of up to 32 bits, or LZF.
//!
//! Everything textual in a record is one of these: values, keys, fields, and the packed collections of the other types.

use std::borrow::Cow;

use super::length::{Length, append_length, append_special};
use super::lzf::{self, Compressor};
use super::reader::Reader;
use super::{Limits, RecordError};
use crate::number::parse_i64;

const INT_8: u8 = 0;
const INT_16: u8 = 1;
const INT_32: u8 = 2;
const LZF: u8 = 3;

/// The longest text of a 32-bit number: `-2147483648`.
const INT_TEXT_MAX: usize = 11;

/// Shorter strings do not get smaller by LZF, whatever they hold.
const COMPRESS_MIN: usize = 21;

/// Compression has to save at least this many bytes, or the string stays as it is.
const COMPRESS_SAVES_MIN: usize = 4;

/// Appends `bytes` in the smallest of the three forms; LZF is tried only with a `compressor`.
pub(super) fn append_string(out: &mut Vec<u8>, bytes: &[u8], compressor: Option<&mut Compressor>) {
    if let Some(number) = canonical_number(bytes) {
        append_number(out, number);
        return;
    }
    if let Some(compressor) = compressor
        && bytes.len() >= COMPRESS_MIN
        && append_compressed(out, bytes, compressor)
    {
        return;
    }
    append_length(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// The number that `bytes` are the only decimal text of.
fn canonical_number(bytes: &[u8]) -> Option<i32> {
    if bytes.len() > INT_TEXT_MAX {
        return None;
    }
    parse_i64(bytes).and_then(|number| i32::try_from(number).ok())
}

fn append_number(out: &mut Vec<u8>, number: i32) {
    if let Ok(number) = i8::try_from(number) {
        append_special(out, INT_8);
        out.extend_from_slice(&number.to_le_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        append_special(out, INT_16);
        out.extend_from_slice(&number.to_le_bytes());
    } else {
        append_special(out, INT_32);
        out.extend_from_slice(&number.to_le_bytes());
    }
}

/// Appends `bytes` as LZF if that saves enough. The compressed length stands before the compressed bytes and is known
/// only after them, so room is kept for the widest length it can have, and closed if it turns out shorter.
fn append_compressed(out: &mut Vec<u8>, bytes: &[u8], compressor: &mut Compressor) -> bool {
    let start = out.len();
    append_special(out, LZF);
    let length_start = out.len();
    append_length(out, bytes.len() as u64);
    let length_room = out.len() - length_start;
    append_length(out, bytes.len() as u64);
    let body_start = out.len();
    if !compressor.compress(bytes, bytes.len() - COMPRESS_SAVES_MIN, out) {
        out.truncate(start);
        return false;
    }
    let mut length = Vec::with_capacity(length_room);
    append_length(&mut length, (out.len() - body_start) as u64);
    out.splice(length_start..length_start + length_room, length);
    true
}

impl<'a> Reader<'a> {
    /// The next string. Bytes that stand in the record as they are, are borrowed from it.
    pub(super) fn string(&mut self, limits: &Limits) -> Result<Cow<'a, [u8]>, RecordError> {
        match self.length_or_special()? {
            Length::Plain(length) => {
                let bytes = self.take(length)?;
                limits.check_string(length)?;
                Ok(Cow::Borrowed(bytes))
            }
            Length::Special(INT_8) => Ok(text(i8::from_le_bytes(self.array()?).into())),
            Length::Special(INT_16) => Ok(text(i16::from_le_bytes(self.array()?).into())),
            Length::Special(INT_32) => Ok(text(i32::from_le_bytes(self.array()?).into())),
            Length::Special(LZF) => self.compressed(limits).map(Cow::Owned),
            Length::Special(_) => Err(RecordError::Malformed),
        }
    }

    fn compressed(&mut self, limits: &Limits) -> Result<Vec<u8>, RecordError> {
        let length = self.length()?;
        let size = self.length()?;
        let bytes = self.take(length)?;
        limits.check_string(size)?;
        let size = usize::try_from(size).map_err(|_| RecordError::LimitExceeded)?;
        lzf::decompress(bytes, size)
    }
}

/// The decimal text of a number that a record holds in binary.
pub(super) fn text(number: i64) -> Cow<'static, [u8]> {
    Cow::Owned(number.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(bytes: &[u8], compress: bool) -> Vec<u8> {
        let mut compressor = compress.then(Compressor::new);
        let mut out = b"before".to_vec();
        append_string(&mut out, bytes, compressor.as_mut());
        assert!(out.starts_with(b"before"));
        out.split_off(6)
    }

    fn decoded(bytes: &[u8]) -> Result<Vec<u8>, RecordError> {
        let mut reader = Reader::new(bytes);
        let string = reader.string(&Limits::default())?.into_owned();
        assert!(reader.is_empty());
        Ok(string)
    }

    #[test]
    fn forms() {
        let cases: [(&[u8], &[u8]); 21] = [
            (b"", b"\x00"),
            (b"x", b"\x01x"),
            (b"0", b"\xc0\x00"),
            (b"-1", b"\xc0\xff"),
            (b"127", b"\xc0\x7f"),
            (b"-128", b"\xc0\x80"),
            (b"128", b"\xc1\x80\x00"),
            (b"-129", b"\xc1\x7f\xff"),
            (b"-32768", b"\xc1\x00\x80"),
            (b"32768", b"\xc2\x00\x80\x00\x00"),
            (b"2147483647", b"\xc2\xff\xff\xff\x7f"),
            (b"-2147483648", b"\xc2\x00\x00\x00\x80"),
            (b"2147483648", b"\x0a2147483648"),
            (b"-2147483649", b"\x0b-2147483649"),
            (b"-0", b"\x02-0"),
            (b"007", b"\x03007"),
            (b"+7", b"\x02+7"),
            (b"7 ", b"\x027 "),
            (b"-", b"\x01-"),
            (b"1-1", b"\x031-1"),
            (b"99999999999", b"\x0b99999999999"),
        ];
        for (plain, expected) in cases {
            assert_eq!(encoded(plain, true), expected, "{:?}", str::from_utf8(plain));
            assert_eq!(decoded(expected).as_deref(), Ok(plain));
        }
    }

    #[test]
    fn compression_is_an_option() {
        let plain = [b'a'; 1000];
        assert_eq!(encoded(&plain, false).len(), 1002);
        let packed = encoded(&plain, true);
        assert!(packed.len() < 25, "{} bytes", packed.len());
        assert_eq!(decoded(&packed).as_deref(), Ok(&plain[..]));
        assert_eq!(encoded(&[b'a'; 20], true).len(), 21);
        assert!(encoded(&[b'a'; 21], true).len() < 12);
    }

    #[test]
    fn the_compressed_length_closes_its_room() {
        let plain = [b'a'; 20_000];
        let packed = encoded(&plain, true);
        assert_eq!(packed[0], 0xc3);
        let mut reader = Reader::new(&packed[1..]);
        let length = reader.length().unwrap();
        assert_eq!(reader.length(), Ok(20_000));
        assert_eq!(reader.rest().len() as u64, length);
        assert_eq!(decoded(&packed).as_deref(), Ok(&plain[..]));
    }

    #[test]
    fn hostile_strings() {
        let limits = Limits { string_bytes_max: 4, ..Limits::default() };
        let cases: [(&[u8], RecordError); 9] = [
            (b"", RecordError::Truncated),
            (b"\x05abcd", RecordError::Truncated),
            (b"\x05abcde", RecordError::LimitExceeded),
            (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff", RecordError::Truncated),
            (b"\xc2\0\0\0", RecordError::Truncated),
            (b"\xc4\0", RecordError::Malformed),
            (b"\xc3\x02\x80\xff\xff\xff\xff\0a", RecordError::LimitExceeded),
            (b"\xc3\x02\x04\0a", RecordError::Malformed),
            (b"\xc3\xc0\x04\0a", RecordError::Malformed),
        ];
        for (bytes, error) in cases {
            assert_eq!(Reader::new(bytes).string(&limits), Err(error), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(words in prop::collection::vec("[a-c]{0,9}", 0..60), compress in any::<bool>()) {
            let plain = words.concat().into_bytes();
            let bytes = encoded(&plain, compress);
            prop_assert_eq!(decoded(&bytes), Ok(plain.clone()));
            for end in 0..bytes.len() {
                let cut = Reader::new(&bytes[..end]).string(&Limits::default()).err();
                prop_assert_eq!(cut, Some(RecordError::Truncated));
            }
        }

        #[test]
        fn numbers_round_trip(number in any::<i64>(), shift in 0_u32..64) {
            let plain = (number >> shift).to_string().into_bytes();
            prop_assert_eq!(decoded(&encoded(&plain, true)), Ok(plain));
        }
    }
}
