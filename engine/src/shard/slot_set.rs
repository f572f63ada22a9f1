//! A set of slots, as bits.

use crate::key::{SLOT_COUNT, SlotId};

/// A set of slots.
#[derive(Clone, Debug)]
pub struct SlotSet {
    words: Box<[u64; SLOT_COUNT / 64]>,
}

impl Default for SlotSet {
    fn default() -> Self {
        SlotSet { words: Box::new([0; SLOT_COUNT / 64]) }
    }
}

impl SlotSet {
    /// Bytes that a set takes.
    pub const BYTES: usize = SLOT_COUNT / 8;

    /// Puts a slot in or takes it out.
    #[inline]
    pub fn set(&mut self, slot: SlotId, inside: bool) {
        let (word, bit) = (slot.number() / 64, 1u64 << (slot.number() % 64));
        if inside {
            self.words[word] |= bit;
        } else {
            self.words[word] &= !bit;
        }
    }

    /// Whether a slot is in the set.
    #[inline]
    pub fn has(&self, slot: SlotId) -> bool {
        self.words[slot.number() / 64] >> (slot.number() % 64) & 1 == 1
    }

    /// The first slot in the set at or behind a number.
    pub fn next(&self, from: usize) -> Option<SlotId> {
        let mut word = from / 64;
        if word >= self.words.len() {
            return None;
        }
        let mut bits = self.words[word] & (u64::MAX << (from % 64));
        while bits == 0 {
            word += 1;
            bits = *self.words.get(word)?;
        }
        SlotId::new(word * 64 + bits.trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_finds_what_was_set() {
        let mut set = SlotSet::default();
        let slot = |number| SlotId::new(number).expect("a slot");
        for number in [0, 63, 64, 9000, SLOT_COUNT - 1] {
            set.set(slot(number), true);
        }
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(next) = set.next(from) {
            found.push(next.number());
            from = next.number() + 1;
        }
        assert_eq!(found, [0, 63, 64, 9000, SLOT_COUNT - 1]);
        assert!(set.has(slot(64)) && !set.has(slot(65)) && set.has(slot(SLOT_COUNT - 1)));
        set.set(slot(9000), false);
        assert_eq!(set.next(65), Some(slot(SLOT_COUNT - 1)));
        assert_eq!(set.next(SLOT_COUNT), None);
    }
}
