//! Ziplists: the packed form of small collections before Redis 7. Read, never written.
//!
//! ```text
//! <size: 4 bytes> <offset of the last entry: 4 bytes> <count: 2 bytes> <entry> … 0xff
//! entry = <length of the entry before: 1 byte, or 0xfe and 4 bytes> <encoding and data>
//! ```
//!
//! Numbers are little endian, except string lengths inside encodings. The count is 65,535 when it is that or more.

use super::RecordError;
use super::element::{Element, sign_extend};
use super::reader::Reader;

const END: u8 = 0xff;
const PREVIOUS_WIDE: u8 = 0xfe;
const COUNT_UNKNOWN: u16 = u16::MAX;
const HEADER_SIZE: usize = 10;

/// The elements of a ziplist in their order, each checked when it is reached.
#[derive(Clone, Debug)]
pub(super) struct Ziplist<'a> {
    entries: Reader<'a>,
    /// Bytes of all entries.
    entries_size: usize,
    /// Bytes of the entry before the next one. 0 before the first.
    previous_size: usize,
    /// Where the header says that the last entry starts, counted from the first one's start.
    last_start: usize,
    /// Entries that the header promises beyond those read. None if it promises nothing.
    promised: Option<u16>,
}

impl<'a> Ziplist<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let mut reader = Reader::new(bytes);
        let size = u32::from_le_bytes(reader.array()?);
        let last = u32::from_le_bytes(reader.array()?);
        let count = u16::from_le_bytes(reader.array()?);
        let (end, entries) = reader.rest().split_last().ok_or(RecordError::Truncated)?;
        if usize::try_from(size) != Ok(bytes.len()) || *end != END {
            return Err(RecordError::Malformed);
        }
        let last_start = usize::try_from(last).ok().and_then(|last| last.checked_sub(HEADER_SIZE));
        Ok(Self {
            entries: Reader::new(entries),
            entries_size: entries.len(),
            previous_size: 0,
            last_start: last_start.ok_or(RecordError::Malformed)?,
            promised: (count != COUNT_UNKNOWN).then_some(count),
        })
    }

    /// The next element, or None at the end of a ziplist that kept its promises.
    pub(super) fn next(&mut self) -> Result<Option<Element<'a>>, RecordError> {
        if self.entries.is_empty() {
            let kept =
                self.promised.unwrap_or(0) == 0 && self.last_start == self.entries_size - self.previous_size;
            return if kept { Ok(None) } else { Err(RecordError::Malformed) };
        }
        if let Some(promised) = &mut self.promised {
            *promised = promised.checked_sub(1).ok_or(RecordError::Malformed)?;
        }
        let size_before = self.entries.rest().len();
        if previous_size(&mut self.entries)? != self.previous_size {
            return Err(RecordError::Malformed);
        }
        let element = entry(&mut self.entries)?;
        self.previous_size = size_before - self.entries.rest().len();
        Ok(Some(element))
    }
}

fn previous_size(reader: &mut Reader<'_>) -> Result<usize, RecordError> {
    let [first] = reader.array()?;
    match first {
        0..PREVIOUS_WIDE => Ok(first.into()),
        PREVIOUS_WIDE => {
            let size = u32::from_le_bytes(reader.array()?);
            usize::try_from(size).map_err(|_| RecordError::Malformed)
        }
        END => Err(RecordError::Malformed),
    }
}

fn entry<'a>(reader: &mut Reader<'a>) -> Result<Element<'a>, RecordError> {
    let [first] = reader.array()?;
    let low = u64::from(first);
    Ok(match first {
        0..0x40 => Element::Bytes(reader.take(low)?),
        0x40..0x80 => {
            let [second] = reader.array()?;
            Element::Bytes(reader.take((low & 0x3f) << 8 | u64::from(second))?)
        }
        0x80 => {
            let size = u32::from_be_bytes(reader.array()?);
            Element::Bytes(reader.take(size.into())?)
        }
        0xc0 => Element::Number(i16::from_le_bytes(reader.array()?).into()),
        0xd0 => Element::Number(i32::from_le_bytes(reader.array()?).into()),
        0xe0 => Element::Number(i64::from_le_bytes(reader.array()?)),
        0xf0 => {
            let [a, b, c] = reader.array()?;
            Element::Number(sign_extend(u32::from_le_bytes([a, b, c, 0]).into(), 24))
        }
        0xfe => Element::Number(i8::from_le_bytes(reader.array()?).into()),
        0xf1..=0xfd => Element::Number(i64::from(first & 0x0f) - 1),
        _ => return Err(RecordError::Malformed),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A ziplist of these entries, which are given in their encoded form without the length of the one before.
    pub(in super::super) fn ziplist(entries: &[&[u8]]) -> Vec<u8> {
        let mut body = Vec::new();
        let mut last_start = HEADER_SIZE;
        let mut previous_size = 0;
        for entry in entries {
            last_start = HEADER_SIZE + body.len();
            let start = body.len();
            match u8::try_from(previous_size) {
                Ok(size @ 0..PREVIOUS_WIDE) => body.push(size),
                _ => {
                    body.push(PREVIOUS_WIDE);
                    body.extend((previous_size as u32).to_le_bytes());
                }
            }
            body.extend_from_slice(entry);
            previous_size = body.len() - start;
        }
        let mut out = (body.len() as u32 + 11).to_le_bytes().to_vec();
        out.extend((last_start as u32).to_le_bytes());
        out.extend(u16::try_from(entries.len()).unwrap_or(COUNT_UNKNOWN).to_le_bytes());
        out.extend(body);
        out.push(END);
        out
    }

    fn elements(bytes: &[u8]) -> Result<Vec<Element<'_>>, RecordError> {
        let mut ziplist = Ziplist::new(bytes)?;
        let mut elements = Vec::new();
        while let Some(element) = ziplist.next()? {
            elements.push(element);
        }
        Ok(elements)
    }

    #[test]
    fn every_encoding() {
        let long = vec![b'l'; 300];
        let medium = [b"\x41\x2c", &long[..]].concat();
        let wide = [b"\x80\0\0\x01\x2c", &long[..]].concat();
        let cases: [(&[u8], Element<'_>); 12] = [
            (b"\x00", Element::Bytes(b"")),
            (b"\x03abc", Element::Bytes(b"abc")),
            (&medium, Element::Bytes(&long)),
            (&wide, Element::Bytes(&long)),
            (b"\xc0\x00\x80", Element::Number(-32_768)),
            (b"\xd0\xff\xff\xff\x7f", Element::Number(i32::MAX.into())),
            (b"\xe0\x00\x00\x00\x00\x00\x00\x00\x80", Element::Number(i64::MIN)),
            (b"\xf0\xff\xff\xff", Element::Number(-1)),
            (b"\xfe\x80", Element::Number(-128)),
            (b"\xf1", Element::Number(0)),
            (b"\xfd", Element::Number(12)),
            (b"\x01z", Element::Bytes(b"z")),
        ];
        let (encoded, expected): (Vec<&[u8]>, Vec<Element<'_>>) = cases.into_iter().unzip();
        assert_eq!(elements(&ziplist(&encoded)), Ok(expected));
        assert_eq!(elements(&ziplist(&[])), Ok(vec![]));
    }

    #[test]
    fn hostile_ziplists() {
        let good = ziplist(&[b"\xf2", b"\x03abc"]);
        assert_eq!(elements(&good), Ok(vec![Element::Number(1), Element::Bytes(b"abc")]));
        for end in 0..good.len() {
            assert!(elements(&good[..end]).is_err(), "cut at {end}");
        }
        // Size, last entry, count, the first entry's and the second entry's previous size, bad encodings, end.
        for (at, byte) in [
            (0, 99),
            (4, 10),
            (4, 9),
            (8, 1),
            (8, 3),
            (10, 1),
            (12, 3),
            (12, 0xff),
            (13, 0x90),
            (13, 0xff),
            (17, 0),
        ] {
            let mut bytes = good.clone();
            bytes[at] = byte;
            assert_eq!(elements(&bytes), Err(RecordError::Malformed), "{byte} at {at}");
        }
    }
}
