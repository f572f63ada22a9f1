//! Slot locks of one core: commands over several cores hold their slots from their first look until their last change.
//!
//! A request names all its slots on this core at once and is granted all of them at once, first come first served among
//! requests that share a slot. Cores are asked in ascending order, so requests cannot wait for one another in a circle.

use std::collections::{HashMap, HashSet, VecDeque};

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
    /// Slots of requests that are granted.
    held: HashSet<SlotId>,
    /// By slot, who asked for it, in order; never empty.
    queues: HashMap<SlotId, VecDeque<LockOwner>>,
    requests: HashMap<LockOwner, Request>,
}

/// A request that is not released.
struct Request {
    /// Each once.
    slots: Vec<SlotId>,
    /// In how many of their queues others stand before it; granted when in none.
    behind: usize,
}

impl SlotLocks {
    /// Whether no slot is locked: the usual case.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether a command on this slot has to wait.
    pub fn is_locked(&self, slot: SlotId) -> bool {
        self.held.contains(&slot)
    }

    /// Asks for slots; answers whether they are granted now. Otherwise `release` names the owner later.
    pub fn request(&mut self, owner: LockOwner, slots: Vec<SlotId>) -> bool {
        let mut request = Request { slots: Vec::with_capacity(slots.len()), behind: 0 };
        for slot in slots {
            let queue = self.queues.entry(slot).or_default();
            if queue.back() == Some(&owner) {
                continue;
            }
            request.behind += usize::from(!queue.is_empty());
            queue.push_back(owner);
            request.slots.push(slot);
        }
        let is_granted = request.behind == 0;
        if is_granted {
            self.held.extend(&request.slots);
        }
        self.requests.insert(owner, request);
        is_granted
    }

    /// Gives back all that an owner holds; answers who is granted now.
    pub fn release(&mut self, owner: LockOwner) -> Vec<LockOwner> {
        let Some(released) = self.requests.remove(&owner) else { return Vec::new() };
        assert_eq!(released.behind, 0, "only what was granted is released");
        let mut granted = Vec::new();
        for slot in released.slots {
            self.held.remove(&slot);
            let queue = self.queues.get_mut(&slot).expect("who holds a slot stands in its queue");
            queue.pop_front();
            let Some(next) = queue.front() else {
                self.queues.remove(&slot);
                continue;
            };
            let request = self.requests.get_mut(next).expect("who stands in a queue has a request");
            request.behind -= 1;
            if request.behind == 0 {
                self.held.extend(&request.slots);
                granted.push(*next);
            }
        }
        granted
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

    #[test]
    fn a_crowd_that_wants_the_same_slots_is_served_in_order() {
        let mut locks = SlotLocks::default();
        assert!(locks.request(owner(0), slots(&[7, 7, 8, 7])), "a slot named twice is one slot");
        (1..500).for_each(|number| assert!(!locks.request(owner(number), slots(&[8, 7]))));
        (0..499).for_each(|number| assert_eq!(locks.release(owner(number)), [owner(number + 1)]));
        assert_eq!(locks.release(owner(499)), []);
        assert!(locks.is_empty() && locks.queues.is_empty() && locks.requests.is_empty());
    }
}
