//! Large strings: values too long for the arena's pages, in chunks that forks and the kernel may share.
//!
//! A chunk is changed in place while one owner holds it and copied when another holds it too (a fork's frozen value, or a
//! send that the kernel has not finished). So keeping the old state of a large value costs the chunks that were
//! overwritten, and no operation ever moves more than one chunk beyond what it writes.

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

/// Bytes in every chunk but the last.
pub const CHUNK_BYTES: usize = 256 * 1024;

/// What a chunk takes beside its bytes: its share of the list and the counters.
const CHUNK_OVERHEAD_BYTES: usize = 64;

/// A piece of a large string, shared by whoever still needs it.
#[derive(Debug)]
pub struct Chunk {
    bytes: Vec<u8>,
    tally: Rc<Cell<u64>>,
}

impl Chunk {
    fn new(mut bytes: Vec<u8>, capacity: usize, tally: &Rc<Cell<u64>>) -> Rc<Chunk> {
        bytes.reserve_exact(capacity.saturating_sub(bytes.len()));
        let chunk = Chunk { bytes, tally: Rc::clone(tally) };
        tally.set(tally.get() + chunk.taken());
        Rc::new(chunk)
    }

    fn taken(&self) -> u64 {
        (self.bytes.capacity() + CHUNK_OVERHEAD_BYTES) as u64
    }

    /// Changes the bytes and keeps the tally true.
    fn change(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        let before = self.taken();
        change(&mut self.bytes);
        self.tally.set(self.tally.get() - before + self.taken());
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.tally.set(self.tally.get() - self.taken());
    }
}

/// A long sequence of bytes.
#[derive(Debug)]
pub struct LargeString {
    /// All but the last are full.
    chunks: Vec<Rc<Chunk>>,
    length: usize,
    /// What the chunks take together.
    taken: u64,
}

impl LargeString {
    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// What it takes of memory, chunks that it shares included.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// The chunks, to be read or held.
    pub fn chunks(&self) -> &[Rc<Chunk>] {
        &self.chunks
    }

    /// The bytes in a range, piece by piece. The range lies within the string.
    pub fn range(&self, range: Range<usize>) -> impl Iterator<Item = &[u8]> {
        let first = range.start / CHUNK_BYTES;
        let mut start = range.start % CHUNK_BYTES;
        let mut left = range.len();
        self.chunks[first.min(self.chunks.len())..].iter().map_while(move |chunk| {
            let piece = &chunk.bytes[start.min(chunk.bytes.len())..];
            let piece = &piece[..piece.len().min(left)];
            start = 0;
            left -= piece.len();
            (!piece.is_empty()).then_some(piece)
        })
    }

    /// The bytes in a range that lies within one chunk.
    pub fn piece(&self, range: Range<usize>) -> &[u8] {
        let length = range.len();
        let piece = self.range(range).next().unwrap_or_default();
        assert_eq!(piece.len(), length, "the range lies within one chunk");
        piece
    }

    /// Takes the last chunk away, so that a very long string can be dropped step by step: its bytes, none if somebody else holds
    /// them. The kernel takes long to take such bytes back.
    pub fn take_last_chunk(&mut self) -> Option<Vec<u8>> {
        let chunk = self.chunks.pop()?;
        self.length -= chunk.bytes.len();
        self.taken -= chunk.taken();
        let mut bytes = Vec::new();
        if let Ok(mut chunk) = Rc::try_unwrap(chunk) {
            chunk.change(|held| bytes = std::mem::take(held));
        }
        Some(bytes)
    }
}

/// A number by which an object names its large string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LargeId(pub u32);

/// The large strings of one shard.
#[derive(Debug, Default)]
pub struct Larges {
    strings: Vec<Option<LargeString>>,
    free: Vec<u32>,
    tally: Rc<Cell<u64>>,
}

impl Larges {
    /// Bytes of all chunks that anybody still holds.
    pub fn allocated_bytes(&self) -> u64 {
        self.tally.get()
    }

    /// The string behind a number that an object holds.
    pub fn at(&self, id: LargeId) -> &LargeString {
        self.strings[id.0 as usize].as_ref().expect("an object names only strings that it owns")
    }

    /// Stores the concatenation of `parts`.
    pub fn insert(&mut self, parts: &[&[u8]]) -> LargeId {
        let id = self.add(LargeString { chunks: Vec::new(), length: 0, taken: 0 });
        let total = parts.iter().map(|part| part.len()).sum();
        let mut expected = total;
        for part in parts {
            self.append_expecting(id, part, expected);
            expected -= part.len();
        }
        id
    }

    /// A second owner of the same chunks.
    pub fn share(&mut self, id: LargeId) -> LargeId {
        let LargeString { chunks, length, taken } = self.at(id);
        let twin = LargeString { chunks: chunks.clone(), length: *length, taken: *taken };
        self.add(twin)
    }

    /// Takes the string out; its chunks go when the last holder lets go.
    pub fn remove(&mut self, id: LargeId) -> LargeString {
        let string = self.strings[id.0 as usize].take().expect("an object frees its string once");
        self.free.push(id.0);
        string
    }

    /// Overwrites bytes at an offset that lies within the string; longer input extends it. Memory is set aside for a
    /// string of `total` bytes, as far as its last chunk goes.
    pub fn write(&mut self, id: LargeId, offset: usize, bytes: &[u8], total: usize) {
        let tally = Rc::clone(&self.tally);
        let string = self.at_mut(id);
        assert!(offset <= string.length, "a write begins within the string");
        let inside = bytes.len().min(string.length - offset);
        let (mut at, mut rest) = (offset, &bytes[..inside]);
        while !rest.is_empty() {
            let start = at % CHUNK_BYTES;
            let chunk = own(&mut string.chunks[at / CHUNK_BYTES], &mut string.taken, &tally);
            let count = rest.len().min(chunk.bytes.len() - start);
            chunk.bytes[start..start + count].copy_from_slice(&rest[..count]);
            (at, rest) = (at + count, &rest[count..]);
        }
        let behind = total.saturating_sub(string.length);
        self.append_expecting(id, &bytes[inside..], behind.max(bytes.len() - inside));
    }

    /// `expected` bytes will follow in all, these included: chunks are made as long as they will be.
    fn append_expecting(&mut self, id: LargeId, mut bytes: &[u8], mut expected: usize) {
        let tally = Rc::clone(&self.tally);
        let string = self.at_mut(id);
        string.length += bytes.len();
        while !bytes.is_empty() {
            let last_length = string.chunks.last().map_or(CHUNK_BYTES, |chunk| chunk.bytes.len());
            if last_length == CHUNK_BYTES {
                let chunk = Chunk::new(Vec::new(), expected.min(CHUNK_BYTES), &tally);
                string.taken += chunk.taken();
                string.chunks.push(chunk);
                continue;
            }
            let count = bytes.len().min(CHUNK_BYTES - last_length);
            let last = string.chunks.last_mut().expect("a chunk with room");
            let chunk = own(last, &mut string.taken, &tally);
            let before = chunk.taken();
            chunk.change(|held| {
                if held.capacity() - held.len() < count {
                    // Grow by an eighth at least, so that many small appends move each byte a bounded number of times.
                    let target = (held.len() + expected.max(held.len() / 8)).min(CHUNK_BYTES);
                    held.reserve_exact(target - held.len());
                }
                held.extend_from_slice(&bytes[..count]);
            });
            string.taken = string.taken - before + chunk.taken();
            bytes = &bytes[count..];
            expected -= count;
        }
    }

    fn at_mut(&mut self, id: LargeId) -> &mut LargeString {
        self.strings[id.0 as usize].as_mut().expect("an object names only strings that it owns")
    }

    fn add(&mut self, string: LargeString) -> LargeId {
        if let Some(index) = self.free.pop() {
            self.strings[index as usize] = Some(string);
            return LargeId(index);
        }
        self.strings.push(Some(string));
        LargeId((self.strings.len() - 1) as u32)
    }
}

/// The chunk to be changed: itself if nobody else holds it, else a copy.
fn own<'c>(chunk: &'c mut Rc<Chunk>, taken: &mut u64, tally: &Rc<Cell<u64>>) -> &'c mut Chunk {
    if Rc::get_mut(chunk).is_none() {
        let copy = Chunk::new(chunk.bytes.clone(), chunk.bytes.capacity(), tally);
        *taken = *taken - chunk.taken() + copy.taken();
        *chunk = copy;
    }
    Rc::get_mut(chunk).expect("the chunk was just copied or has one holder")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn contents(larges: &Larges, id: LargeId) -> Vec<u8> {
        let string = larges.at(id);
        string.range(0..string.len()).flatten().copied().collect()
    }

    #[derive(Clone, Debug)]
    enum Step {
        Append(usize),
        Write(usize, usize),
        Share,
        DropTwin,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let length = prop_oneof![0..100usize, Just(CHUNK_BYTES - 1), Just(CHUNK_BYTES), 0..600_000usize];
        let step = prop_oneof![
            length.clone().prop_map(Step::Append),
            (0..1_000_000usize, length).prop_map(|(at, length)| Step::Write(at, length)),
            Just(Step::Share),
            Just(Step::DropTwin),
        ];
        proptest::collection::vec(step, 1..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn twins_keep_their_own_bytes(program in steps()) {
            let mut larges = Larges::default();
            let mut model = vec![7u8; 10];
            let id = larges.insert(&[&model[..4], &model[4..]]);
            let mut twins: Vec<(LargeId, Vec<u8>)> = Vec::new();
            for (fill, step) in program.into_iter().enumerate() {
                match step {
                    Step::Append(length) => {
                        let bytes = vec![fill as u8; length];
                        larges.write(id, model.len(), &bytes, model.len() + length / 2);
                        model.extend(bytes);
                    }
                    Step::Write(at, length) => {
                        let at = at % (model.len() + 1);
                        let bytes = vec![fill as u8; length];
                        larges.write(id, at, &bytes, 0);
                        model.resize(model.len().max(at + length), 0);
                        model[at..at + length].copy_from_slice(&bytes);
                    }
                    Step::Share => twins.push((larges.share(id), model.clone())),
                    Step::DropTwin => if let Some((twin, _)) = twins.pop() { larges.remove(twin); },
                }
                prop_assert_eq!(contents(&larges, id), model.clone());
                let taken: u64 = larges.at(id).chunks().iter().map(|chunk| chunk.taken()).sum();
                prop_assert_eq!(larges.at(id).taken(), taken);
                for (twin, frozen) in &twins {
                    prop_assert_eq!(&contents(&larges, *twin), frozen);
                }
            }
            for (twin, _) in twins { larges.remove(twin); }
            prop_assert_eq!(larges.allocated_bytes(), larges.at(id).taken());
            larges.remove(id);
            prop_assert_eq!(larges.allocated_bytes(), 0);
        }
    }

    #[test]
    fn a_range_may_cross_chunks() {
        let mut larges = Larges::default();
        let bytes: Vec<u8> = (0..CHUNK_BYTES * 2 + 10).map(|at| (at / 1000) as u8).collect();
        let id = larges.insert(&[&bytes]);
        for range in [0..0, 0..5, CHUNK_BYTES - 3..CHUNK_BYTES + 3, 5..bytes.len(), bytes.len()..bytes.len()]
        {
            let read: Vec<u8> = larges.at(id).range(range.clone()).flatten().copied().collect();
            if range.end <= CHUNK_BYTES {
                assert_eq!(larges.at(id).piece(range.clone()), read);
            }
            assert_eq!(read, bytes[range]);
        }
    }
}
