//! String values as commands meet them: of the right type, answered whole, compared.

use std::ops::Range;
use std::rc::Rc;

use crate::commands::{CommandError, Context};
use crate::large::{CHUNK_BYTES, Chunk, LargeString};
use crate::resp::{PINNED_BYTES_MIN, Pinned, Reply};
use crate::shard::{Entry, Text};

/// The value of a key that is a string or missing.
#[inline]
pub fn text_of(entry: Option<Entry<'_>>) -> Result<Option<Text<'_>>, CommandError> {
    match entry {
        None => Ok(None),
        Some(entry) => entry.text().map(Some).ok_or(CommandError::WrongType),
    }
}

/// Answers the value of a key that is a string, or null for a key that is missing; says whether it is there.
#[inline]
pub fn answer(reply: &mut Reply, entry: Option<Entry<'_>>) -> Result<bool, CommandError> {
    let text = text_of(entry)?;
    match text {
        Some(text) => bulk(reply, text),
        None => reply.null(),
    }
    Ok(text.is_some())
}

/// Answers a value; a large one is sent from where it lies.
#[inline]
pub fn bulk(reply: &mut Reply, text: Text<'_>) {
    match text {
        Text::Bytes(bytes) => reply.bulk(bytes),
        Text::Integer(value) => reply.bulk_integer(value),
        Text::Large(string) => bulk_large(reply, string, 0..string.len()),
    }
}

/// Answers a part of a value; a large part is sent from where it lies. The range lies within the value.
pub fn bulk_range(reply: &mut Reply, text: Text<'_>, range: Range<usize>) {
    match text {
        Text::Large(string) => bulk_large(reply, string, range),
        text => reply.bulk(text.range(range)),
    }
}

fn bulk_large(reply: &mut Reply, string: &LargeString, range: Range<usize>) {
    if range.len() < PINNED_BYTES_MIN {
        return reply.bulk(Text::Large(string).range(range));
    }
    let first = range.start / CHUNK_BYTES;
    let last = (range.end - 1) / CHUNK_BYTES;
    reply.bulk_pinned((first..=last).map(|index| {
        let start = index * CHUNK_BYTES;
        let part = range.start.saturating_sub(start)..CHUNK_BYTES.min(range.end - start);
        Box::new(Held { chunk: Rc::clone(&string.chunks()[index]), part }) as Pinned
    }));
}

/// A part of a chunk that a reply holds: whoever changes the value meanwhile changes a copy.
struct Held {
    chunk: Rc<Chunk>,
    part: Range<usize>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &(*self.chunk).as_ref()[self.part.clone()]
    }
}

/// Whether the value is exactly these bytes.
pub fn equals(text: Text<'_>, bytes: &[u8]) -> bool {
    let mut rest = Some(bytes);
    if text.len() == bytes.len() {
        text.for_each_piece(|piece| rest = rest.and_then(|rest| rest.strip_prefix(piece)));
    }
    rest.is_some_and(|rest| rest.is_empty())
}

/// The longest string that a command may make (`proto-max-bulk-len`).
pub fn length_max(context: &Context<'_>) -> usize {
    usize::try_from(context.core.config.proto_max_bulk_len).unwrap_or(usize::MAX)
}

/// Refuses to make a string of `length` and `more` bytes together if that is too long.
pub fn check_length(length: usize, more: usize, length_max: usize) -> Result<(), CommandError> {
    match length.checked_add(more) {
        Some(total) if total <= length_max => Ok(()),
        _ => Err(CommandError::Static("ERR string exceeds maximum allowed size (proto-max-bulk-len)")),
    }
}

/// A core on which `name` is a hash, for tests of what must be a string.
#[cfg(test)]
pub fn with_hash(name: &str) -> crate::commands::testing::Bench {
    let mut bench = crate::commands::testing::Bench::default();
    let key = bench.core.shard.key(name.as_bytes());
    bench.core.shard.write(&key, 0).hash_set(b"f", b"v", crate::shard::Expiry::Keep).expect("memory");
    bench
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::Bench;
    use crate::resp::Protocol;

    #[test]
    fn values_are_compared_however_they_are_stored() {
        let mut bench = Bench::default();
        let large = vec![b'x'; 600_000];
        for value in [&b""[..], b"short", b"-42", b"042", &large[..9_000], &large] {
            let key = bench.core.shard.key(b"k");
            bench.core.shard.write(&key, 0).set(value, crate::shard::Expiry::Clear).unwrap();
            let text = text_of(bench.core.shard.find(&key, 0)).unwrap().unwrap();
            assert!(equals(text, value));
            assert!(!equals(text, &[value, b"x"].concat()));
            assert!(!equals(text, &value[..value.len().saturating_sub(1)]) || value.is_empty());
            let mut other = value.to_vec();
            if let Some(last) = other.last_mut() {
                *last ^= 1;
                assert!(!equals(text, &other));
            }
        }
    }

    #[test]
    fn a_large_value_is_sent_as_it_was() {
        let mut bench = Bench::default();
        let large: Vec<u8> = (0..600_000).map(|at| (at / 999) as u8).collect();
        let key = bench.core.shard.key(b"k");
        for length in [8_000, PINNED_BYTES_MIN - 1, PINNED_BYTES_MIN, large.len()] {
            let value = &large[..length];
            bench.core.shard.write(&key, 0).set(value, crate::shard::Expiry::Clear).unwrap();
            let mut reply = Reply::new(Protocol::Resp2);
            answer(&mut reply, bench.core.shard.find(&key, 0)).unwrap();
            assert_eq!(reply.has_pinned(), length >= PINNED_BYTES_MIN);
            bench.core.shard.write(&key, 0).set_range(0, b"changed meanwhile").unwrap();
            let expected = [format!("${length}\r\n").as_bytes(), value, b"\r\n"].concat();
            assert!(reply.into_bytes() == expected, "{length} bytes");
        }
    }
}
