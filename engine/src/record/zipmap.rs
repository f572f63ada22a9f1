//! Zipmaps: the packed form of small hashes before Redis 2.6. Read, never written.
//!
//! ```text
//! <count: 1 byte> <length> field <length> <unused: 1 byte> value <unused bytes> … 0xff
//! length = 1 byte below 0xfe, or 0xfe and 4 bytes little endian if it is longer
//! ```
//!
//! The count is 254 when there are that many fields or more.

use super::RecordError;
use super::reader::Reader;

const END: u8 = 0xff;
const WIDE: u8 = 0xfe;

/// A field and its value.
pub(super) type Pair<'a> = (&'a [u8], &'a [u8]);

/// The fields of a zipmap in their order, each checked when it is reached.
#[derive(Clone, Debug)]
pub(super) struct Zipmap<'a> {
    reader: Reader<'a>,
    /// Fields that the header promises beyond those read. None if it promises nothing.
    promised: Option<u8>,
}

impl<'a> Zipmap<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let mut reader = Reader::new(bytes);
        let [count] = reader.array()?;
        Ok(Self { reader, promised: (count != WIDE).then_some(count) })
    }

    /// The next field and its value, or None at the end of a zipmap that kept its promise.
    pub(super) fn next(&mut self) -> Result<Option<Pair<'a>>, RecordError> {
        if self.reader.peek()? == END {
            let kept = self.promised.unwrap_or(0) == 0 && self.reader.rest().len() == 1;
            return if kept { Ok(None) } else { Err(RecordError::Malformed) };
        }
        if let Some(promised) = &mut self.promised {
            *promised = promised.checked_sub(1).ok_or(RecordError::Malformed)?;
        }
        let field_size = length(&mut self.reader)?;
        let field = self.reader.take(field_size)?;
        let value_size = length(&mut self.reader)?;
        let [unused] = self.reader.array()?;
        let value = self.reader.take(value_size)?;
        self.reader.take(unused.into())?;
        Ok(Some((field, value)))
    }
}

fn length(reader: &mut Reader<'_>) -> Result<u64, RecordError> {
    let [first] = reader.array()?;
    match first {
        0..WIDE => Ok(first.into()),
        WIDE => match u32::from_le_bytes(reader.array()?) {
            // Servers take the width from the length when they walk on, so a wide short length is ambiguous.
            0..0xfe => Err(RecordError::Malformed),
            wide => Ok(wide.into()),
        },
        END => Err(RecordError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(bytes: &[u8]) -> Result<Vec<Pair<'_>>, RecordError> {
        let mut zipmap = Zipmap::new(bytes)?;
        let mut pairs = Vec::new();
        while let Some(pair) = zipmap.next()? {
            pairs.push(pair);
        }
        Ok(pairs)
    }

    /// `foo` is `bar`, and `hello` is 254 times `w` with two unused bytes behind.
    fn good() -> Vec<u8> {
        let start = b"\x02\x03foo\x03\0bar\x05hello\xfe\xfe\0\0\0\x02";
        [&start[..], &[b'w'; 254], b"__\xff"].concat()
    }

    #[test]
    fn fields_with_short_and_wide_lengths_and_unused_bytes() {
        let wide = [b'w'; 254];
        let expected: Vec<Pair<'_>> = vec![(b"foo", b"bar"), (b"hello", &wide)];
        let mut bytes = good();
        assert_eq!(pairs(&bytes).as_ref(), Ok(&expected));
        bytes[0] = 0xfe;
        assert_eq!(pairs(&bytes), Ok(expected));
        assert_eq!(pairs(b"\0\xff"), Ok(vec![]));
    }

    #[test]
    fn hostile_zipmaps() {
        let good = good();
        for end in 0..good.len() {
            assert!(pairs(&good[..end]).is_err(), "cut at {end}");
        }
        let cases: [(&[u8], RecordError); 7] = [
            (b"\x01\xff", RecordError::Malformed),
            (b"\0\x01a\x01\0b\xff", RecordError::Malformed),
            (b"\0\xff\xff", RecordError::Malformed),
            (b"\x01\x01a\xff", RecordError::Malformed),
            (b"\x01\xfe\x01\0\0\0a\x01\0b\xff", RecordError::Malformed),
            (b"\x01\x01a\x01\xffb\xff", RecordError::Truncated),
            (b"\x01\xfe\xff\xff\xff\xff\xff", RecordError::Truncated),
        ];
        for (bytes, error) in cases {
            assert_eq!(pairs(bytes), Err(error), "{bytes:?}");
        }
    }
}
