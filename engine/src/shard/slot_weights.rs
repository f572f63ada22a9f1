//! Counts per slot, with their sums, so that a slot is chosen with a chance in proportion to its count.
//!
//! The sums stand at two levels above the 16,384 counts: 512 groups of 32 slots and 16 groups of 32 such groups. A change
//! is three additions, a choice looks at 80 numbers at most.

use crate::key::{SLOT_COUNT, SlotId};

const GROUP: usize = 32;
const GROUPS: usize = SLOT_COUNT / GROUP;
const TOPS: usize = GROUPS / GROUP;

/// Counts per slot.
#[derive(Clone, Debug)]
pub struct SlotWeights {
    slots: Box<[u32; SLOT_COUNT]>,
    groups: Box<[u64; GROUPS]>,
    tops: [u64; TOPS],
    total: u64,
}

impl Default for SlotWeights {
    fn default() -> Self {
        // Written now: slots that change hands by the thousand would have the kernel find these pages while clients wait.
        let zeros: Box<[u32]> = (0..SLOT_COUNT).map(|_| std::hint::black_box(0)).collect();
        let slots = zeros.try_into().expect("a count for each slot");
        SlotWeights { slots, groups: Box::new([0; GROUPS]), tops: [0; TOPS], total: 0 }
    }
}

impl SlotWeights {
    /// The sum of all counts.
    #[inline]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that the counts take, whatever they are.
    pub const BYTES: usize = SLOT_COUNT * 4 + GROUPS * 8 + TOPS * 8;

    /// Sets the count of a slot.
    #[inline]
    pub fn set(&mut self, slot: SlotId, count: u32) {
        let at = slot.number();
        // Wrapping: the sums lose the old count and gain the new one.
        let change = u64::from(count).wrapping_sub(u64::from(self.slots[at]));
        self.slots[at] = count;
        for sum in [&mut self.groups[at / GROUP], &mut self.tops[at / GROUP / GROUP], &mut self.total] {
            *sum = sum.wrapping_add(change);
        }
    }

    /// The slot in which a position among all that is counted lies; nothing if nothing is counted.
    pub fn pick(&self, random: u64) -> Option<SlotId> {
        let mut position = random.checked_rem(self.total)?;
        let top = seek(&self.tops, &mut position);
        let group = top * GROUP + seek(&self.groups[top * GROUP..][..GROUP], &mut position);
        let slots: [u64; GROUP] = std::array::from_fn(|at| u64::from(self.slots[group * GROUP + at]));
        SlotId::new(group * GROUP + seek(&slots, &mut position))
    }
}

/// The count in which a position lies, and what is left of the position there.
fn seek(counts: &[u64], position: &mut u64) -> usize {
    for (at, count) in counts.iter().enumerate() {
        if *position < *count {
            return at;
        }
        *position -= count;
    }
    unreachable!("a position lies below the sum of the counts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_picked_in_proportion() {
        let mut weights = SlotWeights::default();
        assert_eq!(weights.pick(7), None);
        let slot = |number| SlotId::new(number).expect("a slot");
        weights.set(slot(3), 9);
        weights.set(slot(3), 5);
        weights.set(slot(9_000), 1);
        weights.set(slot(SLOT_COUNT - 1), 4);
        assert_eq!(weights.total(), 10);
        let picked: Vec<usize> = (0..10).map(|at| weights.pick(at + 10).expect("counts").number()).collect();
        assert_eq!(picked, [3, 3, 3, 3, 3, 9_000, 16_383, 16_383, 16_383, 16_383]);
        weights.set(slot(3), 0);
        assert_eq!(weights.pick(0), Some(slot(9_000)));
    }
}
