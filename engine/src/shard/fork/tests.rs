//! Copies of forks: what travels, where a copy may stop, and what becomes of bytes that are no run.

use proptest::prelude::*;

use super::*;
use crate::access::AccessKind;
use crate::config::MaxmemoryPolicy;
use crate::key::HashSeed;
use crate::large::CHUNK_BYTES;
use crate::shard::{ApplyError, Copied, Effect, Expiry, PIECE_BYTES, Run, ShardLimits};

const NOW: u64 = 1_700_000_000_000;

fn shard(policy: MaxmemoryPolicy) -> Shard {
    let limits = ShardLimits { policy, ..ShardLimits::default() };
    Shard::new(HashSeed(4), limits).expect("address space")
}

fn set(shard: &mut Shard, name: &str, value: &[u8], now_ms: u64) {
    let key = shard.key(name.as_bytes());
    shard.write(&key, now_ms).set(value, Expiry::Clear).expect("room");
}

fn hash_set(shard: &mut Shard, name: &str, fields: std::ops::Range<usize>, value: &[u8]) {
    let key = shard.key(name.as_bytes());
    let names: Vec<String> = fields.map(|number| format!("field:{number}")).collect();
    let fields = names.iter().map(|name| (name.as_bytes(), value));
    shard.write(&key, NOW).hash_set_many(fields, Expiry::Clear).expect("room");
}

fn apply(target: &mut Shard, slot: SlotId, runs: &[Vec<u8>]) {
    for run in runs {
        target.apply_run(slot, run).expect("effects that fit");
    }
}

/// The runs of a whole copy, in steps of `bytes_max`.
fn copy(shard: &mut Shard, slot: SlotId, bytes_max: usize) -> (Vec<Vec<u8>>, Copied) {
    let fork = shard.fork(slot);
    let (mut runs, mut all) = (Vec::new(), Copied::default());
    loop {
        let mut run = Vec::new();
        let copied = shard.copy_fork(fork, bytes_max, &mut run).expect("an open fork");
        assert_eq!(Run::new(&run).count() as u64, copied.items);
        all.items += copied.items;
        all.keys += copied.keys;
        runs.push(run);
        if !copied.more {
            shard.close_fork(fork);
            return (runs, all);
        }
    }
}

#[test]
fn a_copy_stops_inside_of_long_values_and_hashes() {
    let mut source = shard(MaxmemoryPolicy::Noeviction);
    let slot = SlotId::of(b"{t}");
    let text: Vec<u8> = (0..CHUNK_BYTES * 3 + 5).map(|at| (at / 1000) as u8).collect();
    set(&mut source, "{t}:text", &text, NOW);
    hash_set(&mut source, "{t}:table", 0..10_000, b"value");
    hash_set(&mut source, "{t}:long", 0..3, &text);
    let fork = source.fork(slot);
    let (mut target, mut keys, mut steps) = (shard(MaxmemoryPolicy::Noeviction), 0, 0);
    loop {
        let mut run = Vec::new();
        let copied = source.copy_fork(fork, 1000, &mut run).expect("an open fork");
        assert!(run.len() < 1000 + PIECE_BYTES + 200, "{} bytes", run.len());
        target.apply_run(slot, &run).expect("effects that fit");
        // What the copy stands in changes and goes meanwhile.
        set(&mut source, "{t}:text", b"short", NOW);
        hash_set(&mut source, "{t}:long", 0..1, b"short");
        source.write(&source.key(b"{t}:table"), NOW).remove().expect("room");
        while source.reclaim(10) {}
        (keys, steps) = (keys + copied.keys, steps + 1);
        if !copied.more {
            break;
        }
    }
    source.close_fork(fork);
    assert!(keys == 3 && steps > 200, "{keys} keys in {steps} steps");
    let entry = |name: &[u8]| target.peek(&target.key(name), NOW).expect("it was copied");
    assert!(*entry(b"{t}:text").text().expect("a string").bytes() == text);
    assert_eq!(entry(b"{t}:table").hash().expect("a hash").len(), 10_000);
    let mut long = 0;
    entry(b"{t}:long")
        .hash()
        .expect("a hash")
        .for_each(|field| long += usize::from(*field.value.bytes() == text));
    assert_eq!(long, 3);
    let taken = |shard: &Shard| shard.memory.larges.allocated_bytes();
    let exact = 4 * (text.len() + 4 * 64) as u64;
    assert_eq!(taken(&target), exact, "chunks are made as long as they will be");
}

#[test]
fn a_packed_hash_is_one_effect_and_a_table_is_few() {
    let mut source = shard(MaxmemoryPolicy::Noeviction);
    hash_set(&mut source, "{t}:packed", 0..100, b"value");
    let (runs, all) = copy(&mut source, SlotId::of(b"{t}"), usize::MAX);
    assert_eq!((all.items, all.keys), (1, 1));
    let mut target = shard(MaxmemoryPolicy::Noeviction);
    target.apply_run(SlotId::of(b"{t}"), &runs[0]).expect("effects that fit");
    let encoding = |shard: &Shard| shard.peek(&shard.key(b"{t}:packed"), NOW).expect("a hash").encoding();
    assert_eq!((encoding(&source), encoding(&target)), ("listpack", "listpack"));

    hash_set(&mut source, "{t}:packed", 0..10_000, b"value");
    let (_, all) = copy(&mut source, SlotId::of(b"{t}"), usize::MAX);
    assert!(all.items < 200 && all.keys == 1, "{all:?}");
}

#[test]
fn a_step_copies_few_things_however_small_they_are() {
    const RUN_BYTES: usize = 16 * 1024;
    const ITEMS_MAX: usize = RUN_BYTES / 64;
    let mut source = shard(MaxmemoryPolicy::Noeviction);
    hash_set(&mut source, "{t}:table", 0..10_000, b"v");
    (0..10_000).for_each(|number| set(&mut source, &format!("{{t}}{number}"), b"v", NOW));
    let (runs, all) = copy(&mut source, SlotId::of(b"{t}"), RUN_BYTES);
    let items_of = |effect: Effect<'_>| match effect {
        Effect::Hash { fields, .. } | Effect::HashSet { fields, .. } => fields.iter().count(),
        _ => 1,
    };
    let items = |run: &Vec<u8>| Run::new(run).map(|effect| items_of(effect.expect("an effect"))).sum();
    let items: Vec<usize> = runs.iter().map(items).collect();
    assert_eq!((items.iter().sum(), all.keys), (20_000, 10_001));
    assert!(items.iter().all(|items| *items <= ITEMS_MAX), "{items:?}");
    assert!(items.len() < 2 * 20_000 / ITEMS_MAX, "{} runs", items.len());
}

#[test]
fn how_keys_were_used_travels_with_them() {
    let mut source = shard(MaxmemoryPolicy::AllkeysLru);
    set(&mut source, "{t}:text", b"value", NOW - 50_000);
    hash_set(&mut source, "{t}:hash", 0..3, b"value");
    hash_set(&mut source, "{t}:table", 0..3000, b"value");
    for name in ["{t}:hash", "{t}:table"] {
        source.amend(&source.key(name.as_bytes()), NOW).set_idle_s(50);
    }
    let (runs, _) = copy(&mut source, SlotId::of(b"{t}"), 100);
    let idle =
        |shard: &Shard, name: &str| shard.peek(&shard.key(name.as_bytes()), NOW).and_then(|e| e.idle_s());
    let arrive = |policy| {
        let mut target = shard(policy);
        target.background(NOW, &mut |_| true);
        apply(&mut target, SlotId::of(b"{t}"), &runs);
        target
    };
    for policy in [MaxmemoryPolicy::AllkeysLru, MaxmemoryPolicy::AllkeysS3fifo, MaxmemoryPolicy::Noeviction] {
        let target = arrive(policy);
        for name in ["{t}:text", "{t}:hash", "{t}:table"] {
            assert_eq!(idle(&target, name), Some(50), "{name}");
        }
    }
    let target = arrive(MaxmemoryPolicy::AllkeysLfu);
    let entry = target.peek(&target.key(b"{t}:text"), NOW).expect("it was copied");
    assert_eq!(entry.frequency(), Some(5), "a time is no counter");
    assert!(matches!(target.memory.access, AccessKind::Frequency { .. }));
}

#[test]
fn a_copy_begins_anew_after_its_fork_retained_too_much() {
    let mut source = shard(MaxmemoryPolicy::Noeviction);
    source.set_limits(ShardLimits { fork_retained_bytes_max: 1 << 16, ..ShardLimits::default() });
    let slot = SlotId::of(b"{t}");
    (0..5000).for_each(|number| set(&mut source, &format!("{{t}}:{number}"), &[1; 100], NOW));
    let fork = source.fork(slot);
    let mut run = Vec::new();
    assert!(source.copy_fork(fork, 1000, &mut run).is_ok_and(|copied| copied.more));
    (0..5000).for_each(|number| set(&mut source, &format!("{{t}}:{number}"), &[2; 100], NOW));
    assert_eq!(source.copy_fork(fork, 1000, &mut run), Err(ForkError::Overrun));
    source.close_fork(fork);
    assert_eq!(source.copy_fork(fork, 1000, &mut run), Err(ForkError::Unknown));
    let mut target = shard(MaxmemoryPolicy::Noeviction);
    target.apply_run(slot, &run).expect("effects that fit");
    target.flush_slot(slot);
    let (runs, all) = copy(&mut source, slot, 1000);
    apply(&mut target, slot, &runs);
    assert_eq!((all.keys, target.keys()), (5000, 5000));
    assert_eq!(target.slot_bytes(slot), target.memory.live_bytes());
}

#[test]
fn effects_that_do_not_fit_are_refused() {
    let mut target = shard(MaxmemoryPolicy::Noeviction);
    set(&mut target, "text", b"value", NOW);
    hash_set(&mut target, "hash", 0..1, b"value");
    let (text, hash) = (&b"text"[..], &b"hash"[..]);
    for effect in [
        Effect::Delete { key: b"none" },
        Effect::Expire { key: b"none", expires_at_ms: None },
        Effect::Rename { key: b"none", to: b"none" },
        Effect::Rename { key: text, to: hash },
        Effect::Write { key: hash, offset: 0, bytes: b"x", total: 1 },
        Effect::Write { key: text, offset: u64::MAX - 1, bytes: b"x", total: u64::MAX },
        Effect::HashRemove { key: text, name: b"field:0" },
        Effect::HashExpire { key: hash, name: b"none", expires_at_ms: None },
        Effect::HashWrite { key: hash, name: b"none", offset: 0, bytes: b"x", total: 1 },
        Effect::HashWrite { key: hash, name: b"field:0", offset: 6, bytes: b"x", total: 7 },
    ] {
        let slot = SlotId::of(effect.key().expect("a key"));
        assert_eq!(target.apply(slot, &effect), Err(ApplyError::Mismatch), "{effect:?}");
        let elsewhere = SlotId::new(slot.number() ^ 1).expect("a slot");
        assert_eq!(target.apply(elsewhere, &effect), Err(ApplyError::Mismatch), "{effect:?}");
    }
    assert_eq!(target.apply_run(SlotId::of(text), &[5, 1]), Err(ApplyError::Malformed));
    assert_eq!(target.keys(), 2);
}

proptest! {
    /// Whatever a run became on its way, applying it is answered.
    #[test]
    fn spoilt_runs_do_no_harm(places in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..20)) {
        let slot = SlotId::of(b"{t}");
        let mut source = shard(MaxmemoryPolicy::Noeviction);
        hash_set(&mut source, "{t}:packed", 0..20, b"value");
        hash_set(&mut source, "{t}:table", 0..600, b"value");
        (0..20).for_each(|number| set(&mut source, &format!("{{t}}:{number}"), b"value", NOW));
        let (mut runs, _) = copy(&mut source, slot, 3000);
        let mut target = shard(MaxmemoryPolicy::Noeviction);
        for (at, byte) in places {
            let pick = at % runs.len();
            let place = at / 7 % runs[pick].len();
            runs[pick][place] ^= byte;
        }
        for run in &runs {
            let _ = target.apply_run(slot, run);
        }
        prop_assert_eq!(target.slot_bytes(slot), target.memory.live_bytes());
        target.flush();
        while target.reclaim(100) {}
        prop_assert_eq!(target.used_bytes(), 0);
    }
}
