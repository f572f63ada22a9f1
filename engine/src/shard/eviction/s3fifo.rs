//! `allkeys-s3fifo`: keys enter a small queue; those that are read again move on to the main one, the others leave soon.
//!
//! Small holds a tenth of the keys. What leaves it unread is remembered by the ghost queue, and enters the main queue if it
//! comes back meanwhile. What leaves the main queue must not have been read since it was last met at its front. Every step
//! looks at one key at the front of a queue: no sampling, no search. A key whose object moves (its value got another size)
//! goes to the end of its queue. After a switch to this policy, keys are put into the main queue bit by bit.

use std::collections::VecDeque;

use super::ghost::Ghost;
use super::queue::Queue;
use super::{Shard, Step};
use crate::access;
use crate::arena::Ref;
use crate::key::SlotId;
use crate::object;

/// The small queue is to hold one in so many keys.
const SMALL_SHARE: usize = 10;

/// Hits that take a key from the small queue to the main one.
const HITS_TO_STAY: u32 = 1;

/// Which queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueueName {
    /// Keys that are new.
    Small = 1,
    /// Keys that proved their worth.
    Main = 2,
}

impl QueueName {
    fn place(self, mark: u32) -> u32 {
        self as u32 | mark << 2
    }
}

/// The queues of one shard.
#[derive(Debug, Default)]
pub struct Queues {
    small: Queue,
    main: Queue,
    ghost: Ghost,
    /// Slot and hash up to which the keys that were there before the policy have been put into the main queue.
    build: Option<(usize, u64)>,
    /// Slots that were promoted and whose keys stand in no queue yet, and the hash up to which those of the first do.
    promoted: VecDeque<SlotId>,
    promoted_hash: u64,
    clean_small: bool,
}

impl Queues {
    /// Queues that are to be built of the keys that are there.
    pub fn to_build() -> Queues {
        Queues { build: Some((0, 0)), ..Queues::default() }
    }

    /// Bytes of queues and ghost.
    pub fn bytes(&self) -> u64 {
        self.small.bytes() + self.main.bytes() + self.ghost.bytes()
    }

    fn queue(&mut self, name: QueueName) -> &mut Queue {
        match name {
            QueueName::Small => &mut self.small,
            QueueName::Main => &mut self.main,
        }
    }

    fn len(&self) -> usize {
        self.small.len() + self.main.len()
    }
}

impl Shard {
    /// A key got an object that stands in no queue: it is new, or its object moved.
    #[inline]
    pub(in crate::shard) fn enqueue_object(&mut self, hash: u64, object: Ref, is_new: bool) {
        let Some(queues) = &mut self.eviction.queues else { return };
        let old = object::access(&self.memory.arena, object);
        let name = match is_new {
            true if queues.ghost.take(hash) => QueueName::Main,
            false if access::place(old) & 3 >= QueueName::Main as u32 => QueueName::Main,
            _ => QueueName::Small,
        };
        self.push(name, object, if is_new { 0 } else { access::hits(old) });
    }

    fn push(&mut self, name: QueueName, object: Ref, hits: u32) {
        let Some(queues) = &mut self.eviction.queues else { return };
        let mark = queues.queue(name).push(object);
        let old = object::access(&self.memory.arena, object);
        object::set_access(&mut self.memory.arena, object, access::placed(old, hits, name.place(mark)));
    }

    /// Looks at one key at the front of a queue.
    pub(super) fn step_queues(&mut self, now_ms: u64) -> Step {
        /// How far ahead objects are asked for.
        const AHEAD: usize = 6;
        let keys = self.keys.total();
        let Some(queues) = &mut self.eviction.queues else { return Step::Nothing };
        let small_is_full = queues.small.len() * SMALL_SHARE >= queues.len();
        let name = if small_is_full || queues.main.len() == 0 { QueueName::Small } else { QueueName::Main };
        let queue = queues.queue(name);
        let Some((object, mark)) = queue.pop() else {
            if keys == 0 {
                return Step::Nothing;
            }
            // There are keys in no queue: those of promoted slots, or those that were there before the policy.
            if !self.enqueue_promoted() {
                if let Some(queues) = &mut self.eviction.queues {
                    queues.build.get_or_insert((0, 0));
                }
                self.build_queues();
            }
            return Step::Looked;
        };
        if let Some(next) = queue.ahead(AHEAD) {
            self.memory.arena.prefetch(next);
        }
        if !object::may_be_live(&self.memory.arena, object) {
            return Step::Looked;
        }
        let noted = object::access(&self.memory.arena, object);
        if access::place(noted) != name.place(mark) {
            return Step::Looked;
        }
        let hits = access::hits(noted);
        match name {
            QueueName::Small if hits >= HITS_TO_STAY => self.push(QueueName::Main, object, 0),
            QueueName::Main if hits > 0 => self.push(QueueName::Main, object, hits - 1),
            _ => {
                let Some(hash) = self.evict_object(object, now_ms) else { return Step::Looked };
                if let (QueueName::Small, Some(queues)) = (name, &mut self.eviction.queues) {
                    queues.ghost.fit(queues.main.len());
                    queues.ghost.note(hash);
                }
                return Step::Evicted;
            }
        }
        Step::Looked
    }

    /// Notes that the keys of a slot stand in no queue yet.
    pub(in crate::shard) fn enqueue_slot(&mut self, slot: SlotId) {
        if let Some(queues) = &mut self.eviction.queues {
            queues.promoted.push_back(slot);
        }
    }

    /// Puts a few keys of a promoted slot into the queues that they stood in before; says whether there were some.
    pub(in crate::shard) fn enqueue_promoted(&mut self) -> bool {
        /// Buckets looked at in one step.
        const BUCKETS: usize = 4;
        let Some(queues) = &self.eviction.queues else { return false };
        let Some(slot) = queues.promoted.front().copied() else { return false };
        let (table, mut hash) = (self.slots[slot.number()].table, Some(queues.promoted_hash));
        let mut objects = Vec::new();
        for _ in 0..if self.is_staged(slot) { 0 } else { BUCKETS } {
            let Some(from) = hash else { break };
            hash = self.memory.scan_bucket(&table, from, |object| objects.push(object));
        }
        for object in objects {
            let noted = object::access(&self.memory.arena, object);
            // A key that was written since it was promoted stands in its queue.
            match access::place(noted) {
                access::AWAITS_MAIN => self.push(QueueName::Main, object, access::hits(noted)),
                0 => self.push(QueueName::Small, object, access::hits(noted)),
                _ => {}
            }
        }
        let is_done = hash.is_none() || self.is_staged(slot);
        if let Some(queues) = &mut self.eviction.queues {
            queues.promoted_hash = hash.filter(|_| !is_done).unwrap_or(0);
            if is_done {
                queues.promoted.pop_front();
            }
        }
        true
    }

    /// Puts a few keys that were there before the policy into the main queue; says whether there are more.
    pub(in crate::shard) fn build_queues(&mut self) -> bool {
        /// Buckets looked at in one step.
        const BUCKETS: usize = 4;
        let Some((mut number, mut hash)) = self.eviction.queues.as_ref().and_then(|queues| queues.build)
        else {
            return false;
        };
        let mut objects = Vec::new();
        for _ in 0..BUCKETS {
            let Some(slot) = self.used.next(number) else {
                number = usize::MAX;
                break;
            };
            if slot.number() != number {
                hash = 0;
            }
            let table = self.slots[slot.number()].table;
            let next = self.memory.scan_bucket(&table, hash, |object| objects.push(object));
            (number, hash) = match next {
                Some(next) => (slot.number(), next),
                None => (slot.number() + 1, 0),
            };
        }
        for object in objects {
            self.push(QueueName::Main, object, 0);
        }
        if let Some(queues) = &mut self.eviction.queues {
            queues.build = (number != usize::MAX).then_some((number, hash));
        }
        number != usize::MAX
    }

    /// Takes some stale references out of the queues if there are many; says whether there are still.
    pub(in crate::shard) fn clean_queues(&mut self) -> bool {
        /// References looked at in one step.
        const LOOKED_AT: usize = 48;
        /// Stale references that are left alone.
        const STALE_MIN: usize = 4096;
        let keys = self.keys.total() as usize;
        let Some(queues) = &mut self.eviction.queues else { return false };
        if queues.len() <= keys + keys / 2 + STALE_MIN {
            return false;
        }
        queues.clean_small = !queues.clean_small && queues.small.len() > 0 || queues.main.len() == 0;
        let name = if queues.clean_small { QueueName::Small } else { QueueName::Main };
        let arena = std::cell::RefCell::new(&mut self.memory.arena);
        queues.queue(name).clean(
            LOOKED_AT,
            |object, mark| {
                let arena = arena.borrow();
                !object::may_be_live(&arena, object)
                    || access::place(object::access(&arena, object)) != name.place(mark)
            },
            |object, mark| {
                let mut arena = arena.borrow_mut();
                let old = object::access(&arena, object);
                // Between two looks the object may have gone; what stands there now must not be marked.
                if object::may_be_live(&arena, object) && access::place(old) & 3 == name as u32 {
                    object::set_access(
                        &mut arena,
                        object,
                        access::placed(old, access::hits(old), name.place(mark)),
                    );
                }
            },
        );
        true
    }
}
