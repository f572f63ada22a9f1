//! Bounded fragmentation: what lies in sparse pages is moved into fuller ones, until whole pages are empty.
//!
//! A walk goes over all slots in hash order, a bounded number of entries a step, and moves table nodes and objects through
//! the one place that holds their reference: the node above, or the bucket. Slots with forks are left alone, for a fork
//! holds references too. Nested tables are walked when the walk meets their object. Large strings lie outside the pages.
//!
//! The walk's position is a hint: if the table changes between two steps, an entry may be looked at twice or be left for
//! the next walk, and nothing else.

use super::Shard;
use crate::arena::{ArenaUsage, Purpose, Ref};
use crate::memory::Memory;
use crate::object::{self, Encoding, Parts};

/// A walk begins when pages take more than this share of what is allocated in them...
const START_PERCENT: u64 = 118;

/// ... and this much more: every size class may have a page that is hardly used.
const SLACK_BYTES: u64 = 2 << 20;

/// Pages that are fuller than this are left as they are.
const FULL_PERCENT: usize = 88;

/// Milliseconds between two walks if the first one brought little.
const REST_MS: u64 = 10_000;

/// Entries looked at in one step.
const ENTRIES_AT_ONCE: usize = 64;

/// Where a walk stands.
#[derive(Clone, Copy, Default, Debug)]
pub struct Walk {
    is_walking: bool,
    slot: usize,
    hash: u64,
    /// Entry of the leaf at `hash`.
    place: usize,
    /// The same within the nested table of that entry.
    inside: Option<(u64, usize)>,
    page_bytes_before: u64,
    /// No walk begins before.
    rest_until_ms: u64,
}

impl Walk {
    /// Whether a walk is under way.
    pub fn is_walking(&self) -> bool {
        self.is_walking
    }
}

fn is_fragmented(usage: ArenaUsage) -> bool {
    usage.page_bytes > usage.allocated_bytes / 100 * START_PERCENT + SLACK_BYTES
}

impl Shard {
    /// Moves a few things if the arena is fragmented; says whether it did something.
    pub(super) fn step_defrag(&mut self, now_ms: u64) -> bool {
        let usage = self.memory.arena.usage();
        if !self.walk.is_walking {
            if now_ms < self.walk.rest_until_ms || !is_fragmented(usage) {
                return false;
            }
            self.walk = Walk { is_walking: true, page_bytes_before: usage.page_bytes, ..Walk::default() };
            self.memory.arena.prefer_full_pages();
        }
        let Some(slot) = self.used.next(self.walk.slot) else {
            self.end_walk(usage, now_ms);
            return true;
        };
        if slot.number() != self.walk.slot {
            self.walk = Walk { slot: slot.number(), hash: 0, place: 0, inside: None, ..self.walk };
        }
        let next = match self.slots[slot.number()].fork_epoch {
            0 => self.walk_leaf(slot.number()),
            _ => None,
        };
        match next {
            Some((hash, place)) => (self.walk.hash, self.walk.place) = (hash, place),
            None => (self.walk.slot, self.walk.hash, self.walk.place) = (slot.number() + 1, 0, 0),
        }
        true
    }

    /// A step of a walk that begins however full the pages are.
    #[cfg(test)]
    pub(super) fn walk_anyway(&mut self, now_ms: u64) {
        self.memory.moves_all = true;
        self.walk.is_walking = true;
        self.step_defrag(now_ms);
        self.memory.moves_all = false;
    }

    fn end_walk(&mut self, usage: ArenaUsage, now_ms: u64) {
        let gained = self.walk.page_bytes_before.saturating_sub(usage.page_bytes);
        let rest_ms = if gained > usage.page_bytes / 16 { 0 } else { REST_MS };
        self.walk = Walk { rest_until_ms: now_ms + rest_ms, ..Walk::default() };
    }

    /// Goes on in a leaf of a slot; answers where to go on in the slot.
    fn walk_leaf(&mut self, slot: usize) -> Option<(u64, usize)> {
        let Walk { hash, place: from, .. } = self.walk;
        if from == 0 && self.walk.inside.is_none() {
            self.memory.settle_path(&mut self.slots[slot].table, hash);
        }
        let view = self.memory.leaf_view(self.slots[slot].table.child, hash);
        let mut looked_at = 0;
        for place in from..view.places() {
            if looked_at >= ENTRIES_AT_ONCE {
                return Some((hash, place));
            }
            let Some(found) = self.memory.entry_at(&view, place) else { continue };
            looked_at += 1;
            let mut object = found.object;
            if self.walk.inside.is_none() {
                object = self.memory.settle_object(&view, place, object);
                if object != found.object {
                    // Its old place in the queue names memory that is free now.
                    let key_hash = self.memory.hash_of(object);
                    self.note_object(key_hash, object, Some(found.object));
                    looked_at += 3;
                }
            }
            let (at, inner) = self.walk.inside.take().unwrap_or((0, 0));
            if let Some(next) = self.memory.walk_nested(object, at, inner, &mut looked_at) {
                self.walk.inside = Some(next);
                return Some((hash, place));
            }
        }
        view.end().map(|hash| (hash, 0))
    }
}

impl Memory {
    /// Goes on in the nested table of an object, if it has one; answers where to go on there.
    fn walk_nested(
        &mut self,
        object: Ref,
        hash: u64,
        from: usize,
        looked_at: &mut usize,
    ) -> Option<(u64, usize)> {
        let parts = Parts::of(&self.arena, object);
        if parts.encoding != Encoding::TableHash {
            return None;
        }
        let (mut hash, mut from) = (hash, from);
        loop {
            if from == 0 {
                let mut nested = object::table_hash(&self.arena, object, &parts);
                self.settle_path(&mut nested.table, hash);
                let value = [bytemuck::bytes_of(&nested), b""];
                object::overwrite_value(&mut self.arena, object, Encoding::TableHash, value);
            }
            let root = object::table_hash(&self.arena, object, &parts).table.child;
            let view = self.leaf_view(root, hash);
            for place in from..view.places() {
                if *looked_at >= ENTRIES_AT_ONCE {
                    return Some((hash, place));
                }
                if let Some(found) = self.entry_at(&view, place) {
                    let moved = self.settle_object(&view, place, found.object) != found.object;
                    *looked_at += if moved { 4 } else { 1 };
                }
            }
            (hash, from) = (view.end()?, 0);
            *looked_at += 1;
        }
    }

    /// Where an allocation is to be from now on: where it is, or in a fuller page. The caller puts it into the place of
    /// the old reference, which is free.
    pub fn settle(&mut self, purpose: Purpose, old: Ref) -> Ref {
        let stays = !self.arena.is_sparse(old, FULL_PERCENT);
        #[cfg(test)]
        let stays = stays && !self.moves_all;
        if stays {
            return old;
        }
        let bytes = self.arena.size(old);
        // Without memory it stays where it is.
        let Ok(new) = self.arena.allocate(purpose, bytes) else { return old };
        self.arena.copy(old, new, bytes);
        self.arena.free(old);
        self.moved += 1;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Background, Expiry, Key, ShardLimits};
    use super::*;
    use crate::config::MaxmemoryPolicy;
    use crate::core::Random;
    use crate::key::HashSeed;

    const NOW: u64 = 1_700_000_000_000;

    fn value(number: u64) -> Vec<u8> {
        vec![number as u8; 20 + (number % 7 * 40) as usize]
    }

    #[test]
    fn pages_are_emptied_after_most_keys_are_gone() {
        let limits = ShardLimits { policy: MaxmemoryPolicy::AllkeysS3fifo, ..ShardLimits::default() };
        let mut shard = Shard::new(HashSeed(5), limits).expect("address space");
        let name = |number: u64| format!("key:{number}").into_bytes();
        for number in 0..120_000 {
            let bytes = name(number);
            let key = Key::new(&bytes, HashSeed(5));
            shard.write(&key, NOW).set(&value(number), Expiry::Clear).expect("room");
            let field = format!("field:{number}");
            let key = Key::new(b"hash", HashSeed(5));
            if number % 4 == 0 {
                shard
                    .write(&key, NOW)
                    .hash_set(field.as_bytes(), &value(number), Expiry::Clear)
                    .expect("room");
            }
        }
        let mut random = Random::new(2);
        let mut kept = Vec::new();
        for number in 0..120_000 {
            if random.below(10) == 0 {
                kept.push(number);
                continue;
            }
            let bytes = name(number);
            shard.write(&Key::new(&bytes, HashSeed(5)), NOW).remove().expect("room");
            let field = format!("field:{number}");
            shard.write(&Key::new(b"hash", HashSeed(5)), NOW).hash_remove(field.as_bytes()).expect("room");
        }
        let before = shard.memory.arena.usage();
        assert!(before.page_bytes > before.allocated_bytes * 3, "{before:?}");
        shard.set_defragment(false);
        while shard.background(NOW, &mut |_| true) == Background::Now {}
        assert_eq!(
            shard.memory.arena.usage().page_bytes,
            before.page_bytes,
            "nothing moves while it is not wanted"
        );
        shard.set_defragment(true);
        while shard.background(NOW, &mut |_| true) == Background::Now {}
        let after = shard.memory.arena.usage();
        assert!(after.page_bytes <= after.allocated_bytes * 5 / 4 + SLACK_BYTES, "{after:?}");
        assert!(after.idle_bytes <= after.page_bytes / 8 + (64 << 10), "{after:?}");
        assert_eq!(after.allocated_bytes, before.allocated_bytes, "accounting is exact");
        assert_eq!(shard.keys(), kept.len() as u64 + 1);
        for number in kept {
            let bytes = name(number);
            let entry = shard.peek(&Key::new(&bytes, HashSeed(5)), NOW).expect("it was kept");
            assert_eq!(*entry.text().expect("a string").bytes(), value(number));
            let hash =
                shard.peek(&Key::new(b"hash", HashSeed(5)), NOW).expect("kept").hash().expect("a hash");
            let field = hash.field(format!("field:{number}").as_bytes());
            assert_eq!(
                field.map(|field| field.value.bytes().to_vec()),
                (number % 4 == 0).then(|| value(number))
            );
        }
        while shard.make_room(0, 1000, NOW) != super::super::Room::Full {}
        assert_eq!(shard.keys(), 0, "whatever moved is still in a queue");
    }
}
