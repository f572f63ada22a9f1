//! Listpacks: the packed form of small collections since Redis 7.
//!
//! ```text
//! <size: 4 bytes> <count: 2 bytes> <entry> … 0xff          numbers little endian
//! entry = <encoding and data> <length of encoding and data, 1 to 5 bytes, readable backwards>
//! ```
//!
//! The count is 65,535 when there are that many entries or more.

use super::RecordError;
use super::element::{Element, sign_extend};
use super::reader::Reader;

const END: u8 = 0xff;
const COUNT_UNKNOWN: u16 = u16::MAX;

/// The elements of a listpack in their order, each checked when it is reached.
#[derive(Clone, Debug)]
pub(super) struct Listpack<'a> {
    entries: Reader<'a>,
    /// Entries that the header promises beyond those read. None if it promises nothing.
    promised: Option<u16>,
}

impl<'a> Listpack<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let mut reader = Reader::new(bytes);
        let size = u32::from_le_bytes(reader.array()?);
        let count = u16::from_le_bytes(reader.array()?);
        let (end, entries) = reader.rest().split_last().ok_or(RecordError::Truncated)?;
        if usize::try_from(size) != Ok(bytes.len()) || *end != END {
            return Err(RecordError::Malformed);
        }
        Ok(Self { entries: Reader::new(entries), promised: (count != COUNT_UNKNOWN).then_some(count) })
    }

    /// The next element, or None at the end of a listpack that kept its promise.
    pub(super) fn next(&mut self) -> Result<Option<Element<'a>>, RecordError> {
        if self.entries.is_empty() {
            return if self.promised.unwrap_or(0) == 0 { Ok(None) } else { Err(RecordError::Malformed) };
        }
        if let Some(promised) = &mut self.promised {
            *promised = promised.checked_sub(1).ok_or(RecordError::Malformed)?;
        }
        let size_before = self.entries.rest().len();
        let element = entry(&mut self.entries)?;
        skip_back_length(&mut self.entries, size_before)?;
        Ok(Some(element))
    }
}

fn entry<'a>(reader: &mut Reader<'a>) -> Result<Element<'a>, RecordError> {
    let [first] = reader.array()?;
    let low = u64::from(first);
    Ok(match first {
        0..0x80 => Element::Number(low.cast_signed()),
        0x80..0xc0 => Element::Bytes(reader.take(low & 0x3f)?),
        0xc0..0xe0 => {
            let [second] = reader.array()?;
            Element::Number(sign_extend((low & 0x1f) << 8 | u64::from(second), 13))
        }
        0xe0..0xf0 => {
            let [second] = reader.array()?;
            Element::Bytes(reader.take((low & 0x0f) << 8 | u64::from(second))?)
        }
        0xf0 => {
            let size = u32::from_le_bytes(reader.array()?);
            Element::Bytes(reader.take(size.into())?)
        }
        0xf1 => Element::Number(i16::from_le_bytes(reader.array()?).into()),
        0xf2 => {
            let [a, b, c] = reader.array()?;
            Element::Number(sign_extend(u32::from_le_bytes([a, b, c, 0]).into(), 24))
        }
        0xf3 => Element::Number(i32::from_le_bytes(reader.array()?).into()),
        0xf4 => Element::Number(i64::from_le_bytes(reader.array()?)),
        0xf5.. => return Err(RecordError::Malformed),
    })
}

/// Passes the back length of an entry that began when `size_before` bytes were left, and checks it.
fn skip_back_length(reader: &mut Reader<'_>, size_before: usize) -> Result<(), RecordError> {
    let size = size_before - reader.rest().len();
    let (expected, width) = back_length(size);
    let found = reader.take(width as u64)?;
    if found == &expected[..width] { Ok(()) } else { Err(RecordError::Malformed) }
}

/// Seven bits a byte, most significant first; all but the first byte have their high bit set.
fn back_length(size: usize) -> ([u8; 5], usize) {
    // The limits are one less than seven bits a byte would allow: that is how the form is written and read.
    let width = match size {
        0..=127 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    };
    let mut bytes = [0; 5];
    for (index, byte) in bytes[..width].iter_mut().enumerate() {
        let group = (size >> (7 * (width - 1 - index))) as u8 & 0x7f;
        *byte = if index == 0 { group } else { group | 0x80 };
    }
    (bytes, width)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A listpack of these entries, which are given in their encoded form without back length.
    pub(in super::super) fn listpack(entries: &[&[u8]]) -> Vec<u8> {
        let mut body = Vec::new();
        for entry in entries {
            body.extend_from_slice(entry);
            let (bytes, width) = back_length(entry.len());
            body.extend_from_slice(&bytes[..width]);
        }
        let mut out = (body.len() as u32 + 7).to_le_bytes().to_vec();
        out.extend(u16::try_from(entries.len()).unwrap_or(COUNT_UNKNOWN).to_le_bytes());
        out.extend(body);
        out.push(END);
        out
    }

    fn elements(bytes: &[u8]) -> Result<Vec<Element<'_>>, RecordError> {
        let mut listpack = Listpack::new(bytes)?;
        let mut elements = Vec::new();
        while let Some(element) = listpack.next()? {
            elements.push(element);
        }
        Ok(elements)
    }

    #[test]
    fn every_encoding() {
        let cases: [(&[u8], Element<'_>); 11] = [
            (b"\x00", Element::Number(0)),
            (b"\x7f", Element::Number(127)),
            (b"\x80", Element::Bytes(b"")),
            (b"\x83abc", Element::Bytes(b"abc")),
            (b"\xdf\xff", Element::Number(-1)),
            (b"\xcf\xff", Element::Number(4095)),
            (b"\xf1\x00\x80", Element::Number(-32_768)),
            (b"\xf2\xff\xff\x7f", Element::Number(8_388_607)),
            (b"\xf3\x00\x00\x00\x80", Element::Number(-2_147_483_648)),
            (b"\xf4\xff\xff\xff\xff\xff\xff\xff\x7f", Element::Number(i64::MAX)),
            (b"\xf0\x02\0\0\0hi", Element::Bytes(b"hi")),
        ];
        let (encoded, expected): (Vec<&[u8]>, Vec<Element<'_>>) = cases.into_iter().unzip();
        assert_eq!(elements(&listpack(&encoded)), Ok(expected));
    }

    #[test]
    fn long_strings_have_long_back_lengths() {
        for size in [64_usize, 126, 127, 4095, 4096, 16_377, 16_378, 16_379, 70_000, 2_097_146] {
            let bytes = vec![b'v'; size];
            let mut entry = match size {
                0..4096 => vec![0xe0 | (size >> 8) as u8, size as u8],
                _ => [&[0xf0][..], &(size as u32).to_le_bytes()].concat(),
            };
            entry.extend(&bytes);
            assert_eq!(elements(&listpack(&[&entry])), Ok(vec![Element::Bytes(&bytes)]), "{size}");
        }
    }

    #[test]
    fn empty_and_uncounted() {
        assert_eq!(elements(&listpack(&[])), Ok(vec![]));
        let mut uncounted = listpack(&[b"\x01", b"\x02"]);
        uncounted[4..6].fill(0xff);
        assert_eq!(elements(&uncounted), Ok(vec![Element::Number(1), Element::Number(2)]));
    }

    #[test]
    fn hostile_listpacks() {
        let good = listpack(&[b"\x01", b"\x83abc"]);
        for end in 0..good.len() {
            assert!(elements(&good[..end]).is_err(), "cut at {end}");
        }
        let changed = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            elements(&bytes).err()
        };
        assert_eq!(changed(0, 99), Some(RecordError::Malformed));
        assert_eq!(changed(4, 1), Some(RecordError::Malformed));
        assert_eq!(changed(4, 3), Some(RecordError::Malformed));
        assert_eq!(changed(7, 2), Some(RecordError::Malformed));
        assert_eq!(changed(8, 0xbf), Some(RecordError::Truncated));
        assert_eq!(changed(8, 0xff), Some(RecordError::Malformed));
        assert_eq!(changed(8, 0xf5), Some(RecordError::Malformed));
        assert_eq!(changed(good.len() - 1, 0), Some(RecordError::Malformed));
    }
}
