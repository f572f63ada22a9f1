//! Freeing, step by step, what is too much to be freed at once: slots that were flushed or moved away, large hashes and
//! strings, and what forks kept.
//!
//! Every step does about the same work, whatever it meets. What is found on the way (the table of a hash in a slot) is
//! freed before the rest, so that what waits stays short.

use std::collections::VecDeque;

use super::retired::{Bag, Kept, Retired};
use super::{Memory, Returned};
use crate::arena::Ref;
use crate::large::LargeString;
use crate::object::{self, Encoding, Parts};
use crate::table::{Child, ENTRIES, LeafView};

/// The work of one step: objects that are freed. One that nothing has touched for long takes up to half a microsecond.
const STEP_WORK: usize = 32;

/// Giving a chunk of a large string back is a step of its own: the kernel takes 16 µs for it, and ten times that in a guest.
const CHUNK_WORK: usize = STEP_WORK;

/// A large string of more chunks than this is dropped step by step.
const CHUNKS_AT_ONCE: usize = 1;

/// Where the bytes of something that is freed were counted until now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum From {
    /// It was live a moment ago and is not counted any more.
    Live,
    /// It waits, and counts as reclaiming.
    Reclaiming,
    /// It was retired, and counts as retained until it is really gone.
    Retired,
}

/// Something that is freed step by step.
#[derive(Debug)]
enum Reclaim {
    Table(Table),
    Large { string: LargeString, from: From },
    Retired(Bag),
}

/// A table on its way out.
#[derive(Debug)]
struct Table {
    /// Subtrees that are left.
    stack: Vec<Child>,
    /// The leaf that is being emptied, and the next place in it.
    leaf: Option<(LeafView, usize)>,
    from: From,
    /// Bytes that stop to be released with the table's end.
    released: u64,
}

/// What waits to be freed.
#[derive(Default, Debug)]
pub struct Reclaiming {
    queue: VecDeque<Reclaim>,
    /// What a step has met and what goes before the rest.
    found: Vec<Reclaim>,
    /// Bytes that were live until they came here.
    bytes: u64,
    /// Bytes that forks retained and no fork needs any more.
    released_bytes: u64,
    /// Things that waited and were freed.
    done: u64,
}

impl Reclaiming {
    fn table(&mut self, root: Child, from: From, released: u64) {
        self.found.push(Reclaim::Table(Table { stack: vec![root], leaf: None, from, released }));
    }

    /// Where the bytes of something that waits are counted.
    fn counted(&mut self, from: From) -> &mut u64 {
        match from {
            From::Live | From::Reclaiming => &mut self.bytes,
            From::Retired => &mut self.released_bytes,
        }
    }

    /// What was found is next in line.
    fn settle(&mut self) {
        self.found.drain(..).for_each(|found| self.queue.push_front(found));
    }
}

impl Memory {
    /// Bytes that are unlinked and wait to be freed, and that no fork kept.
    pub fn reclaiming_bytes(&self) -> u64 {
        self.reclaiming.bytes
    }

    /// Bytes that forks kept, that none needs any more, and that wait to be freed.
    pub fn released_bytes(&self) -> u64 {
        self.reclaiming.released_bytes
    }

    /// Things that wait to be freed: slots, large values, and what forks have let go of, each as one.
    pub fn reclaiming_count(&self) -> u64 {
        self.reclaiming.queue.len() as u64
    }

    /// Things that waited and were freed.
    pub fn reclaimed_count(&self) -> u64 {
        self.reclaiming.done
    }

    /// Whether anything waits to be freed.
    pub fn is_reclaiming(&self) -> bool {
        !self.reclaiming.queue.is_empty()
    }

    /// No fork needs any of these any more.
    pub fn release(&mut self, bag: Bag) {
        if !bag.is_empty() {
            self.reclaiming.released_bytes += bag.bytes();
            self.reclaiming.queue.push_back(Reclaim::Retired(bag));
        }
    }

    /// No fork needs this any more.
    pub fn release_one(&mut self, kept: Kept) {
        self.reclaiming.released_bytes += kept.bytes;
        if !matches!(self.reclaiming.queue.back(), Some(Reclaim::Retired(_))) {
            self.reclaiming.queue.push_back(Reclaim::Retired(Bag::default()));
        }
        if let Some(Reclaim::Retired(bag)) = self.reclaiming.queue.back_mut() {
            bag.push(kept);
        }
    }

    /// Frees one bounded piece of what waits; `false` if there was nothing.
    pub fn reclaim_step(&mut self) -> bool {
        let mut work = STEP_WORK;
        while work > 0 {
            let Some(first) = self.reclaiming.queue.pop_front() else { return work < STEP_WORK };
            let rest = match first {
                Reclaim::Table(table) => self.step_table(table, &mut work).map(Reclaim::Table),
                Reclaim::Large { string, from } => {
                    work = work.saturating_sub(CHUNK_WORK);
                    self.step_large(string, from)
                }
                Reclaim::Retired(bag) => self.step_retired(bag, &mut work).map(Reclaim::Retired),
            };
            self.reclaiming.done += u64::from(rest.is_none());
            rest.into_iter().for_each(|rest| self.reclaiming.queue.push_front(rest));
            self.reclaiming.settle();
        }
        true
    }

    /// Frees a table that was live.
    pub(super) fn reclaim_table(&mut self, root: Child, bytes: u64) {
        self.reclaiming.bytes += bytes;
        self.reclaiming.table(root, From::Reclaiming, 0);
        self.reclaiming.settle();
    }

    /// Frees an object that was unlinked by itself, with all that hangs on it.
    pub(super) fn free_whole(&mut self, object: Ref, from: From) {
        self.free_below(object, from, 0);
        self.free_shell(object, from, &mut 0);
        self.reclaiming.settle();
    }

    /// Frees an object whose nested table lives on.
    pub(super) fn free_live_shell(&mut self, object: Ref) {
        self.free_shell(object, From::Live, &mut 0);
        self.reclaiming.settle();
    }

    fn step_large(&mut self, mut string: LargeString, from: From) -> Option<Reclaim> {
        let before = string.taken();
        let bytes = string.take_last_chunk()?;
        if bytes.capacity() > 0 {
            self.returned.push(Returned::Bytes(bytes));
        }
        *self.reclaiming.counted(from) -= before - string.taken();
        Some(Reclaim::Large { string, from })
    }

    fn step_retired(&mut self, mut bag: Bag, work: &mut usize) -> Option<Bag> {
        while *work > 0 {
            let Kept { what, bytes, .. } = bag.pop()?;
            self.reclaiming.released_bytes -= bytes;
            *work = work.saturating_sub(1);
            match what {
                Retired::Node(node) => self.arena.free(node),
                Retired::Shell(object) => self.free_shell(object, From::Retired, work),
                Retired::Whole(object) => {
                    self.free_below(object, From::Retired, bytes);
                    self.free_shell(object, From::Retired, work);
                }
                Retired::Table(root) => {
                    self.reclaiming.released_bytes += bytes;
                    self.reclaiming.table(root, From::Retired, bytes);
                }
            }
            if !self.reclaiming.found.is_empty() {
                break;
            }
        }
        (!bag.is_empty()).then_some(bag)
    }

    /// Goes on with a table until the work is done or a nested table comes first.
    fn step_table(&mut self, mut table: Table, work: &mut usize) -> Option<Table> {
        while *work > 0 && self.reclaiming.found.is_empty() {
            *work = work.saturating_sub(1);
            if let Some((view, place)) = table.leaf.take() {
                table.leaf = self.step_leaf(view, place, table.from, work).map(|place| (view, place));
                continue;
            }
            let Some(child) = table.stack.pop() else {
                self.reclaiming.released_bytes -= table.released;
                return None;
            };
            if child.is_inner() {
                table.stack.extend(self.children(child));
                self.free_node(child.node, table.from);
            } else if !child.is_none() {
                table.leaf = Some((LeafView::alone(child), 0));
            }
        }
        Some(table)
    }

    /// Frees objects of a leaf from a place on, and in the end the leaf; answers where to go on.
    fn step_leaf(
        &mut self,
        view: LeafView,
        from_place: usize,
        from: From,
        work: &mut usize,
    ) -> Option<usize> {
        for place in from_place..view.places() {
            if *work == 0 || !self.reclaiming.found.is_empty() {
                return Some(place);
            }
            if place.is_multiple_of(ENTRIES) || place == from_place {
                self.prefetch_ahead(&view, place);
            }
            let Some(found) = self.entry_at(&view, place) else { continue };
            *work = work.saturating_sub(1);
            self.free_below(found.object, from, 0);
            if from == From::Reclaiming {
                self.reclaiming.bytes -= self.arena.size(found.object) as u64;
            }
            self.free_shell(found.object, from, work);
        }
        self.free_node(view.node(), from);
        None
    }

    fn free_node(&mut self, node: Ref, from: From) {
        if from == From::Reclaiming {
            self.reclaiming.bytes -= self.arena.size(node) as u64;
        }
        self.arena.free(node);
    }

    /// Frees the table that hangs on an object, if one does, in the steps that follow.
    fn free_below(&mut self, object: Ref, from: From, released: u64) {
        let parts = Parts::of(&self.arena, object);
        if parts.encoding != Encoding::TableHash {
            return;
        }
        let hash = object::table_hash(&self.arena, object, &parts);
        let below = if from == From::Retired { From::Retired } else { From::Reclaiming };
        if from == From::Live {
            self.reclaiming.bytes += hash.bytes;
        }
        self.reclaiming.released_bytes += released;
        self.reclaiming.table(hash.table.child, below, released);
    }

    /// Frees an object and its large string, a long one in the steps that follow.
    fn free_shell(&mut self, object: Ref, from: From, work: &mut usize) {
        let parts = Parts::of(&self.arena, object);
        if parts.encoding == Encoding::Large {
            let string = self.larges.remove(object::large_id(&self.arena, object, &parts));
            if from == From::Reclaiming {
                self.reclaiming.bytes -= string.taken();
            }
            if string.chunks().len() > CHUNKS_AT_ONCE {
                *self.reclaiming.counted(from) += string.taken();
                self.reclaiming.found.push(Reclaim::Large { string, from });
            } else {
                *work = work.saturating_sub(CHUNK_WORK);
            }
        }
        self.arena.free(object);
    }
}

#[cfg(test)]
mod tests {
    use crate::key::{HashSeed, SlotId};
    use crate::large::CHUNK_BYTES;
    use crate::shard::{Expiry, Shard, ShardLimits};

    /// A slot with many short keys, large hashes and long strings.
    fn heavy_slot() -> (Shard, SlotId) {
        let mut shard = Shard::new(HashSeed(8), ShardLimits::default()).expect("address space");
        let write = |shard: &mut Shard, name: &str, value: &[u8]| {
            let key = shard.key(name.as_bytes());
            shard.write(&key, 0).set(value, Expiry::Clear).expect("room");
        };
        let text = vec![b'v'; 10 * CHUNK_BYTES];
        (0..20_000).for_each(|number| write(&mut shard, &format!("{{t}}:{number}"), b"tiny"));
        for number in 0..20 {
            write(&mut shard, &format!("{{t}}:text:{number}"), &text[..(1 + number % 10) * CHUNK_BYTES]);
            let name = format!("{{t}}:hash:{number}");
            let names: Vec<String> = (0..1000).map(|field| format!("field:{field}")).collect();
            let mut fields: Vec<(&[u8], &[u8])> =
                names.iter().map(|name| (name.as_bytes(), &b"value"[..])).collect();
            fields.push((b"long", &text));
            let key = shard.key(name.as_bytes());
            shard.write(&key, 0).hash_set_many(fields.into_iter(), Expiry::Clear).expect("room");
        }
        (shard, SlotId::of(b"{t}"))
    }

    /// Frees everything step by step, none of which frees much.
    fn reclaim(shard: &mut Shard) {
        const STEP_BYTES_MAX: u64 = 3 * CHUNK_BYTES as u64;
        let mut steps = 0;
        loop {
            let (before, more) = (shard.used_bytes(), shard.reclaim(1));
            assert!(before - shard.used_bytes() <= STEP_BYTES_MAX, "a step frees a bounded piece");
            steps += 1;
            if !more {
                break;
            }
        }
        assert!(steps > 300, "{steps} steps");
        let memory = shard.memory();
        assert_eq!((shard.used_bytes(), memory.reclaiming_bytes(), memory.released_bytes()), (0, 0, 0));
    }

    #[test]
    fn a_slot_that_was_dropped_goes_step_by_step() {
        let (mut shard, slot) = heavy_slot();
        let bytes = shard.used_bytes();
        shard.flush_slot(slot);
        assert_eq!((shard.used_bytes(), shard.memory().reclaiming_bytes()), (bytes, bytes));
        reclaim(&mut shard);
    }

    #[test]
    fn what_a_fork_kept_goes_step_by_step() {
        let (mut shard, slot) = heavy_slot();
        let fork = shard.fork(slot);
        let names: Vec<Vec<u8>> = {
            let mut names = Vec::new();
            shard.scan(crate::shard::ScanCursor::START, 16384, usize::MAX, 0, |entry| {
                names.push(entry.key().to_vec())
            });
            names
        };
        for name in &names[..names.len() / 2] {
            let key = shard.key(name);
            shard.write(&key, 0).remove().expect("room");
        }
        shard.flush_slot(slot);
        assert!(shard.retained_bytes() > 0 && shard.memory().released_bytes() == 0);
        shard.close_fork(fork);
        assert!(shard.memory().released_bytes() >= shard.retained_bytes());
        reclaim(&mut shard);
    }

    #[test]
    fn one_fork_of_two_lets_go_of_what_only_it_needed() {
        let (mut shard, slot) = heavy_slot();
        let first = shard.fork(slot);
        (0..5000).for_each(|number| {
            let name = format!("{{t}}:{number}");
            let key = shard.key(name.as_bytes());
            shard.write(&key, 0).set(b"again", Expiry::Clear).expect("room");
        });
        let second = shard.fork(slot);
        let retained = shard.retained_bytes();
        shard.close_fork(first);
        while shard.reclaim(1) {}
        assert!(retained > 0 && shard.retained_bytes() == 0, "the second fork never saw what was replaced");
        shard.close_fork(second);
    }
}
