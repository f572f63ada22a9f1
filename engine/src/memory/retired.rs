//! What was unlinked while a fork may still see it.

use crate::arena::Ref;
use crate::table::Child;

/// Something that was unlinked while a fork may still see it.
#[derive(Debug)]
pub enum Retired {
    /// A node, alone.
    Node(Ref),
    /// An object whose nested table, if it has one, lives on.
    Shell(Ref),
    /// An object with all that hangs on it.
    Whole(Ref),
    /// A table with all that hangs on it.
    Table(Child),
}

/// Something retired, with what decides how long it is kept.
#[derive(Debug)]
pub struct Kept {
    /// What it is.
    pub what: Retired,
    /// Live bytes that it was; what other owners of a large string's chunks still hold is in there too.
    pub bytes: u64,
    /// The epoch in which it was unlinked: forks of that epoch or a later one never saw it.
    pub death: u32,
    /// Forks that have passed this hash do not need it.
    pub hash: u64,
}

/// Entries of a segment of a bag.
const SEGMENT: usize = 512;

/// Retired things in no order. It grows and shrinks in segments, so that nothing is ever moved as a whole.
#[derive(Default, Debug)]
pub struct Bag {
    /// All but the last are full, and none is empty.
    segments: Vec<Vec<Kept>>,
    bytes: u64,
}

impl Bag {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.segments.last().map_or(0, |last| (self.segments.len() - 1) * SEGMENT + last.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The bytes of all.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The one at a place below `len`.
    pub fn at(&self, place: usize) -> &Kept {
        &self.segments[place / SEGMENT][place % SEGMENT]
    }

    /// Adds one.
    pub fn push(&mut self, kept: Kept) {
        self.bytes += kept.bytes;
        match self.segments.last_mut() {
            Some(last) if last.len() < SEGMENT => last.push(kept),
            _ => self.segments.push(vec![kept]),
        }
    }

    /// Takes one.
    pub fn pop(&mut self) -> Option<Kept> {
        let last = self.segments.last_mut()?;
        let kept = last.pop().expect("no segment is empty");
        if last.is_empty() {
            self.segments.pop();
        }
        self.bytes -= kept.bytes;
        Some(kept)
    }

    /// Takes the one at a place below `len`; another one comes to stand there.
    pub fn take(&mut self, place: usize) -> Kept {
        let last = self.pop().expect("there is one at the place");
        if place == self.len() {
            return last;
        }
        self.bytes += last.bytes;
        let taken = std::mem::replace(&mut self.segments[place / SEGMENT][place % SEGMENT], last);
        self.bytes -= taken.bytes;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bag_gives_back_what_was_put_in() {
        let mut bag = Bag::default();
        let count = SEGMENT * 3 + 7;
        for number in 0..count {
            let what = Retired::Node(Ref(number as u32));
            bag.push(Kept { what, bytes: number as u64, death: 1, hash: number as u64 });
        }
        assert_eq!((bag.len(), bag.bytes()), (count, (count * (count - 1) / 2) as u64));
        let mut seen: Vec<u64> = Vec::new();
        for place in [0, SEGMENT, count - 3, 5, 5, 5] {
            let hash = bag.at(place).hash;
            assert_eq!(bag.take(place).hash, hash);
            seen.push(hash);
        }
        assert_eq!(bag.len(), count - 6);
        seen.extend(std::iter::from_fn(|| bag.pop()).map(|kept| kept.hash));
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..count as u64));
        assert!((bag.bytes(), bag.len(), bag.is_empty()) == (0, 0, true));
    }
}
