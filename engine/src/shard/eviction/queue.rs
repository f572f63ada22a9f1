//! A queue of objects in chunks: four bytes a key, no link from the object back to its place.
//!
//! An object that goes or moves leaves its reference behind. The object holds a mark of the chunk in which it stands, so a
//! stale reference is recognised when it is met, and `clean` takes stale ones out when they have become many.

use std::collections::VecDeque;

use crate::arena::Ref;

/// References in a chunk: with its head, 4 KiB.
const CHUNK: usize = 1020;

/// Marks are counted modulo this.
const MARKS: u32 = 16;

#[derive(Debug)]
struct Chunk {
    refs: [Ref; CHUNK],
    /// `0 <= start <= end <= CHUNK`.
    start: usize,
    end: usize,
    mark: u32,
}

/// A queue of objects.
#[derive(Default, Debug)]
pub struct Queue {
    chunks: VecDeque<Box<Chunk>>,
    mark_last: u32,
    /// References in the queue, stale ones included, without those that cleaning has taken out.
    len: usize,
    /// The chunk, and the place in it, at which cleaning goes on.
    clean: (usize, usize),
}

impl Queue {
    /// References in the queue, stale ones included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes of the chunks.
    pub fn bytes(&self) -> u64 {
        (self.chunks.len() * size_of::<Chunk>()) as u64
    }

    /// Puts an object at the end; answers the mark that the object is to hold.
    pub fn push(&mut self, object: Ref) -> u32 {
        if self.chunks.back().is_none_or(|chunk| chunk.end == CHUNK) {
            self.mark_last = (self.mark_last + 1) % MARKS;
            let chunk = Chunk { refs: [Ref::NONE; CHUNK], start: 0, end: 0, mark: self.mark_last };
            self.chunks.push_back(Box::new(chunk));
        }
        let chunk = self.chunks.back_mut().expect("a chunk with room");
        chunk.refs[chunk.end] = object;
        chunk.end += 1;
        self.len += 1;
        chunk.mark
    }

    /// Takes the first reference, with the mark that its object must hold if it is not stale.
    pub fn pop(&mut self) -> Option<(Ref, u32)> {
        loop {
            let first = self.chunks.front_mut()?;
            if first.start == first.end {
                self.chunks.pop_front();
                self.clean = match self.clean.0.checked_sub(1) {
                    Some(chunk) => (chunk, self.clean.1),
                    None => (0, 0),
                };
                continue;
            }
            let object = first.refs[first.start];
            first.start += 1;
            if !object.is_none() {
                self.len -= 1;
                return Some((object, first.mark));
            }
        }
    }

    /// The reference `ahead` places behind the first one, if it stands in the same chunk.
    pub fn ahead(&self, ahead: usize) -> Option<Ref> {
        let first = self.chunks.front()?;
        first.refs[..first.end].get(first.start + ahead).copied()
    }

    /// Looks at the next `count` references and takes the stale ones out. Chunks that have become small are joined;
    /// `remark` tells an object its new mark.
    pub fn clean(
        &mut self,
        count: usize,
        mut is_stale: impl FnMut(Ref, u32) -> bool,
        mut remark: impl FnMut(Ref, u32),
    ) {
        let (at, from) = self.clean;
        let Some(chunk) = self.chunks.get_mut(at) else {
            self.clean = (0, 0);
            return;
        };
        let from = from.max(chunk.start);
        let to = (from + count).min(chunk.end);
        for object in &mut chunk.refs[from.min(to)..to] {
            if !object.is_none() && is_stale(*object, chunk.mark) {
                *object = Ref::NONE;
                self.len -= 1;
            }
        }
        self.clean = (at, to);
        if to < chunk.end {
            return;
        }
        chunk.pack();
        self.clean = (at + 1, 0);
        let live = chunk.end;
        let Some(before) = at.checked_sub(1) else { return };
        if self.chunks[before].end + live <= CHUNK {
            let chunk = self.chunks.remove(at).expect("it was just cleaned");
            self.clean = (at, 0);
            let target = &mut self.chunks[before];
            for object in &chunk.refs[..live] {
                target.refs[target.end] = *object;
                target.end += 1;
                remark(*object, target.mark);
            }
        }
    }
}

impl Chunk {
    /// Moves what is there to the front.
    fn pack(&mut self) {
        let mut end = 0;
        for at in self.start..self.end {
            if !self.refs[at].is_none() {
                self.refs[end] = self.refs[at];
                end += 1;
            }
        }
        (self.start, self.end) = (0, end);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn references_come_out_in_order_with_their_marks() {
        let mut queue = Queue::default();
        let marks: Vec<u32> = (1..=5000).map(|number| queue.push(Ref(number))).collect();
        assert_eq!((queue.len(), queue.ahead(3)), (5000, Some(Ref(4))));
        for number in 1..=5000 {
            assert_eq!(queue.pop(), Some((Ref(number), marks[number as usize - 1])));
        }
        assert_eq!((queue.pop(), queue.len(), queue.bytes()), (None, 0, 0));
    }

    #[test]
    fn cleaning_keeps_order_and_joins_chunks() {
        let mut queue = Queue::default();
        let mut marks: HashMap<u32, u32> = (1..=20_000).map(|n| (n, queue.push(Ref(n)))).collect();
        let is_live = |object: Ref| object.0.is_multiple_of(10) || object.0 > 19_000;
        let mut first = (1..=20_000).filter(|n| is_live(Ref(*n)));
        for turn in 0..2000 {
            let mut moved = Vec::new();
            queue.clean(32, |object, _| !is_live(object), |object, mark| moved.push((object.0, mark)));
            marks.extend(moved);
            if turn % 20 == 0 {
                let popped = std::iter::from_fn(|| queue.pop()).find(|(object, _)| is_live(*object));
                let expected = first.next().expect("there are more");
                assert_eq!(popped, Some((Ref(expected), marks[&expected])));
            }
        }
        assert!(queue.bytes() <= 5 * 4096 + 200, "{} bytes", queue.bytes());
        for expected in first {
            assert_eq!(queue.pop(), Some((Ref(expected), marks[&expected])));
        }
        assert_eq!((queue.pop(), queue.len()), (None, 0));
    }
}
