//! Slot locks of one core: commands over several cores hold their slots from their first look until their last change.
//!
//! A request names all its slots on this core at once and is granted all of them at once, first come first served among
//! requests that share a slot. Cores are asked in ascending order, so requests cannot wait for one another in a circle.

use std::collections::{HashMap, VecDeque};

use whimbrel_engine::key::SlotId;

/// Names a command over several cores: the core that coordinates it, and its number there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct LockOwner {
    pub core: usize,
    pub number: u64,
}

/// Who holds which slots, and who waits.
#[derive(Default)]
pub struct SlotLocks {
    held: HashMap<SlotId, LockOwner>,
    waiting: VecDeque<(LockOwner, Vec<SlotId>)>,
}

impl SlotLocks {
    /// Whether no slot is locked: the usual case.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether a command on this slot has to wait.
    pub fn is_locked(&self, slot: SlotId) -> bool {
        self.held.contains_key(&slot)
    }

    /// Asks for slots; answers whether they are granted now. Otherwise `release` names the owner later.
    pub fn request(&mut self, owner: LockOwner, slots: Vec<SlotId>) -> bool {
        let taken = slots.iter().any(|slot| {
            self.held.contains_key(slot) || self.waiting.iter().any(|(_, wanted)| wanted.contains(slot))
        });
        if taken {
            self.waiting.push_back((owner, slots));
            return false;
        }
        self.hold(owner, &slots);
        true
    }

    /// Gives back all that an owner holds; answers who is granted now.
    pub fn release(&mut self, owner: LockOwner) -> Vec<LockOwner> {
        self.held.retain(|_, holder| *holder != owner);
        let mut granted = Vec::new();
        let mut still_waiting: VecDeque<(LockOwner, Vec<SlotId>)> = VecDeque::new();
        for (waiter, slots) in std::mem::take(&mut self.waiting) {
            let taken = slots.iter().any(|slot| {
                self.held.contains_key(slot) || still_waiting.iter().any(|(_, wanted)| wanted.contains(slot))
            });
            if taken {
                still_waiting.push_back((waiter, slots));
            } else {
                self.hold(waiter, &slots);
                granted.push(waiter);
            }
        }
        self.waiting = still_waiting;
        granted
    }

    fn hold(&mut self, owner: LockOwner, slots: &[SlotId]) {
        self.held.extend(slots.iter().map(|slot| (*slot, owner)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(numbers: &[usize]) -> Vec<SlotId> {
        numbers.iter().map(|number| SlotId::new(*number).expect("a slot")).collect()
    }

    fn owner(number: u64) -> LockOwner {
        LockOwner { core: 0, number }
    }

    #[test]
    fn requests_that_share_a_slot_are_granted_in_order() {
        let mut locks = SlotLocks::default();
        assert!(locks.request(owner(1), slots(&[1, 2])));
        assert!(locks.request(owner(2), slots(&[3])));
        assert!(!locks.request(owner(3), slots(&[2, 4])));
        assert!(!locks.request(owner(4), slots(&[4])), "an earlier request waits for slot 4");
        assert!(locks.is_locked(slots(&[2])[0]) && !locks.is_locked(slots(&[4])[0]));
        assert_eq!(locks.release(owner(1)), [owner(3)]);
        assert_eq!(locks.release(owner(2)), []);
        assert_eq!(locks.release(owner(3)), [owner(4)]);
        assert_eq!(locks.release(owner(4)), []);
        assert!(locks.is_empty());
    }
}
