//! Staged slots: what arrives of a slot that this shard does not hold yet.
//!
//! A staged slot takes memory, and nothing else can be seen of it: its keys are not counted, not scanned, not chosen at
//! random, neither swept when they expire nor evicted, for they are the source's to change. All of that hangs on the
//! sets and counts of the shard, from which a staged slot stays away; it joins them when it is promoted.

use super::Shard;
use crate::key::SlotId;

impl Shard {
    /// Begins to take in a slot, which is empty.
    pub fn stage(&mut self, slot: SlotId) {
        assert_eq!(self.slot_keys(slot), 0, "only an empty slot is staged");
        self.staged.set(slot, true);
    }

    /// Makes a staged slot one like all others, in O(1). Its keys are put into the queues of eviction bit by bit.
    pub fn promote(&mut self, slot: SlotId) {
        if !self.is_staged(slot) {
            return;
        }
        self.staged.set(slot, false);
        let table = self.slots[slot.number()].table;
        self.keys.set(slot, table.count);
        self.used.set(slot, table.count > 0);
        self.expiring_keys.set(slot, table.expiring);
        self.expiring.set(slot, table.expiring > 0);
        self.sweep.note(table.child.expiry_s);
        if table.count > 0 {
            self.enqueue_slot(slot);
        }
    }

    /// Gives up a staged slot with all that has arrived of it, in O(1).
    pub fn discard(&mut self, slot: SlotId) {
        if self.is_staged(slot) {
            self.flush_slot(slot);
            self.staged.set(slot, false);
        }
    }

    /// Whether the slot is staged.
    #[inline]
    pub fn is_staged(&self, slot: SlotId) -> bool {
        self.staged.has(slot)
    }

    /// Keys in a slot that clients may see: none of a staged one.
    pub fn visible_slot_keys(&self, slot: SlotId) -> u64 {
        if self.is_staged(slot) { 0 } else { self.slot_keys(slot) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Background, Expiry, ForkId, Room, ScanCursor, ShardLimits};
    use super::*;
    use crate::config::MaxmemoryPolicy;
    use crate::core::Random;
    use crate::key::HashSeed;

    const NOW: u64 = 1_700_000_000_000;

    fn shard(policy: MaxmemoryPolicy) -> Shard {
        let limits = ShardLimits { policy, ..ShardLimits::default() };
        Shard::new(HashSeed(6), limits).expect("address space")
    }

    fn set(shard: &mut Shard, name: &str, expiry: Expiry) {
        let key = shard.key(name.as_bytes());
        shard.write(&key, NOW).set(&[b'v'; 100], expiry).expect("room");
    }

    fn slot() -> SlotId {
        SlotId::of(b"{t}")
    }

    /// Copies the slot from one shard to another.
    fn copy(source: &mut Shard, target: &mut Shard) {
        let fork: ForkId = source.fork(slot());
        let mut more = true;
        while more {
            let mut run = Vec::new();
            more = source.copy_fork(fork, 1000, &mut run).expect("an open fork").more;
            target.apply_run(slot(), &run).expect("effects that fit");
        }
        source.close_fork(fork);
    }

    /// A source with 500 keys in the slot, 300 of them expiring, and a target that staged it, with 200 keys of its own.
    fn staged(policy: MaxmemoryPolicy) -> (Shard, Shard) {
        let (mut source, mut target) = (shard(policy), shard(policy));
        for number in 0..500u64 {
            let expiry = if number < 300 { Expiry::At(NOW + 1000) } else { Expiry::Clear };
            set(&mut source, &format!("{{t}}:{number}"), expiry);
        }
        (0..200).for_each(|number| set(&mut target, &format!("own:{number}"), Expiry::At(NOW + 1_000_000)));
        target.stage(slot());
        copy(&mut source, &mut target);
        (source, target)
    }

    fn scanned(shard: &Shard) -> usize {
        let mut count = 0;
        shard.scan(ScanCursor::START, crate::key::SLOT_COUNT, usize::MAX, NOW, |_| count += 1);
        count
    }

    #[test]
    fn nothing_is_seen_of_a_staged_slot_until_it_is_promoted() {
        let (source, mut target) = staged(MaxmemoryPolicy::Noeviction);
        assert!(target.is_staged(slot()));
        assert_eq!((target.keys(), target.expiring_keys(), scanned(&target)), (200, 200, 200));
        assert_eq!((target.slot_keys(slot()), target.visible_slot_keys(slot())), (500, 0));
        assert!(target.slot_bytes(slot()) > 500 * 100);
        assert!(target.used_bytes() > source.used_bytes(), "its memory counts");
        let mut random = Random::new(1);
        let is_own = |shard: &Shard, bits: &mut Random| {
            let entry = shard.random(NOW, || bits.bits()).expect("a key");
            entry.key().starts_with(b"own")
        };
        assert!((0..2000).all(|_| is_own(&target, &mut random)));
        target.flush();
        assert_eq!((target.keys(), target.slot_keys(slot())), (0, 500), "it is not this shard's to flush");
        target.promote(slot());
        assert!(!target.is_staged(slot()));
        assert_eq!((target.keys(), target.expiring_keys(), scanned(&target)), (500, 300, 500));
        assert_eq!(target.visible_slot_keys(slot()), 500);
        assert!(!is_own(&target, &mut random));
    }

    #[test]
    fn writes_to_a_staged_slot_are_not_seen_either() {
        let (mut source, mut target) = staged(MaxmemoryPolicy::Noeviction);
        let watch = source.watch(slot(), usize::MAX);
        set(&mut source, "{t}:new", Expiry::At(NOW + 5));
        source.write(&source.key(b"{t}:1"), NOW).remove().expect("room");
        source.write(&source.key(b"{t}:2"), NOW).set_expiry(None).expect("room");
        let mut run = Vec::new();
        source.take_deltas(watch, usize::MAX, &mut run);
        assert_eq!(target.apply_run(slot(), &run), Ok(3));
        assert_eq!((target.keys(), target.expiring_keys(), scanned(&target)), (200, 200, 200));
        source.flush_slot(slot());
        run.clear();
        source.take_deltas(watch, usize::MAX, &mut run);
        assert_eq!(target.apply_run(slot(), &run), Ok(1));
        assert_eq!((target.keys(), target.slot_keys(slot()), scanned(&target)), (200, 0, 200));
        assert!(target.is_staged(slot()));
    }

    #[test]
    fn the_source_decides_what_expires_until_the_slot_is_promoted() {
        let (_, mut target) = staged(MaxmemoryPolicy::Noeviction);
        let later = NOW + 10_000;
        while target.sweep_expired(later, 10) {}
        assert_eq!((target.slot_keys(slot()), target.stats().expired_keys), (500, 0));
        assert_eq!(target.background(later, &mut |_| true), Background::At(NOW + 1_000_000));
        target.promote(slot());
        assert_eq!(target.background(later, &mut |_| true), Background::At(NOW + 1_000_000));
        assert_eq!((target.slot_keys(slot()), target.stats().expired_keys), (200, 300));
    }

    #[test]
    fn no_policy_evicts_what_is_staged_and_all_do_afterwards() {
        use crate::config::Choice;
        for policy in
            MaxmemoryPolicy::ALL.iter().copied().filter(|policy| *policy != MaxmemoryPolicy::Noeviction)
        {
            let (mut source, mut target) = staged(policy);
            // Candidates and queues know objects of keys that have gone; what is staged takes their memory.
            assert_ne!(target.make_room(target.charged_bytes() - 1, 100, NOW), Room::Full, "{policy:?}");
            (0..100).for_each(|number| {
                let name = format!("own:{number}");
                let key = target.key(name.as_bytes());
                target.write(&key, NOW).remove().expect("room");
            });
            (0..100).for_each(|number| set(&mut source, &format!("{{t}}:{number}"), Expiry::At(NOW + 2000)));
            target.flush_slot(slot());
            copy(&mut source, &mut target);
            assert_eq!(target.make_room(0, 100_000, NOW), Room::Full, "{policy:?}");
            assert_eq!((target.keys(), target.slot_keys(slot())), (0, 500), "{policy:?}");
            assert!(target.background(NOW, &mut |_| true) != Background::Now);
            target.promote(slot());
            while target.background(NOW, &mut |_| true) == Background::Now {}
            assert_ne!(target.make_room(0, 100_000, NOW), Room::Over, "{policy:?}");
            let left = if policy.volatile_only() { 200 } else { 0 };
            assert_eq!((target.keys(), target.slot_keys(slot())), (left, left), "{policy:?}");
        }
    }

    #[test]
    fn a_key_that_proved_its_worth_keeps_its_queue_and_hits() {
        let (mut source, mut target) =
            (shard(MaxmemoryPolicy::AllkeysS3fifo), shard(MaxmemoryPolicy::AllkeysS3fifo));
        (0..1000).for_each(|number| set(&mut source, &format!("{{t}}:{number}"), Expiry::Clear));
        let ask = |shard: &mut Shard, range: std::ops::Range<usize>| {
            for number in range {
                let name = format!("{{t}}:{number}");
                let key = shard.key(name.as_bytes());
                assert!(shard.find(&key, NOW).is_some());
            }
        };
        ask(&mut source, 0..300);
        // Passing through the queues takes them to the main one, and the others out.
        source.make_room(source.charged_bytes() * 3 / 4, 10_000, NOW);
        ask(&mut source, 0..100);
        assert_eq!(target.background(NOW, &mut |_| true), Background::Idle, "the queues of no key are built");
        target.stage(slot());
        copy(&mut source, &mut target);
        target.promote(slot());
        while target.background(NOW, &mut |_| true) == Background::Now {}
        let goal = target.charged_bytes() / 3;
        while target.make_room(goal, 100, NOW) != Room::Enough {}
        let there = |range: std::ops::Range<usize>| {
            range.filter(|n| target.peek(&target.key(format!("{{t}}:{n}").as_bytes()), NOW).is_some()).count()
        };
        let (asked_twice, never) = (there(0..100), there(300..1000));
        assert!(asked_twice == 100 && never < 100, "{asked_twice} of 100, {never} of 700");
    }

    #[test]
    fn a_staged_slot_that_is_given_up_gives_everything_back() {
        let (mut source, mut target) = staged(MaxmemoryPolicy::AllkeysS3fifo);
        let own: u64 = (0..200)
            .map(|number| SlotId::of(format!("own:{number}").as_bytes()))
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .map(|slot| target.slot_bytes(slot))
            .sum();
        target.flush_slot(slot());
        while target.reclaim(100) {}
        assert_eq!(
            (target.used_bytes(), target.slot_bytes(slot()), target.is_staged(slot())),
            (own, 0, true)
        );
        copy(&mut source, &mut target);
        assert_eq!(target.slot_keys(slot()), 500);
        target.discard(slot());
        while target.reclaim(100) {}
        assert_eq!((target.used_bytes(), target.is_staged(slot()), target.keys()), (own, false, 200));
        set(&mut target, "{t}:own", Expiry::Clear);
        target.discard(slot());
        assert_eq!(target.keys(), 201, "only what is staged is given up");
    }
}
