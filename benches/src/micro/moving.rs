//! A slot on the move, step by step: how long the longest step is, for a slot that holds all that could make one long.

use rustix::time::{ClockId, clock_gettime};
use whimbrel_engine::arena::ArenaError;
use whimbrel_engine::key::{HashSeed, SlotId};
use whimbrel_engine::shard::{ApplyError, Expiry, Run, Shard, ShardLimits};

use super::timing::Figure;

const NOW_MS: u64 = 1;
const FIELDS: usize = 5_000_000;
const TINY_KEYS: usize = 100_000;
const TEXT_BYTES: usize = 256 << 20;

/// Moves are timed so often; of each step the quickest time counts, so that what disturbed one round does not.
const ROUNDS: usize = 3;

/// Bytes that one step copies, and that one step applies.
const COPY_BYTES: usize = 8 * 1024;
const APPLY_BYTES: usize = 8 * 1024;

/// The times of the steps of one kind, in order; of each the quickest.
#[derive(Default)]
struct Steps {
    quickest_ns: Vec<u64>,
    at: usize,
}

impl Steps {
    fn time<T>(&mut self, step: impl FnOnce() -> T) -> T {
        let start = thread_ns();
        let result = step();
        let ns = thread_ns() - start;
        match self.quickest_ns.get_mut(self.at) {
            Some(quickest) => *quickest = ns.min(*quickest),
            None => self.quickest_ns.push(ns),
        }
        self.at += 1;
        result
    }

    /// The next round begins.
    fn again(&mut self) {
        self.at = 0;
    }

    fn longest(&self, name: &'static str) -> Figure {
        Figure { name, nanoseconds: self.quickest_ns.iter().copied().max().unwrap_or(0) as f64 }
    }

    fn mean(&self, name: &'static str) -> Figure {
        let sum: u64 = self.quickest_ns.iter().sum();
        Figure { name, nanoseconds: sum as f64 / self.quickest_ns.len().max(1) as f64 }
    }
}

/// The time that this thread has run: what others take of the core in between does not count.
fn thread_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// A shard with one slot: a hash of 5,000,000 fields, a string of 256 MB and 100,000 tiny keys.
fn heavy_slot() -> Result<Shard, ArenaError> {
    const AT_ONCE: usize = 1000;
    let mut shard = Shard::new(HashSeed(1), ShardLimits::default())?;
    let key = shard.key(b"{m}:hash");
    for first in (0..FIELDS).step_by(AT_ONCE) {
        let names: Vec<String> = (first..first + AT_ONCE).map(|number| format!("f:{number:08}")).collect();
        let fields = names.iter().map(|name| (name.as_bytes(), &b"value"[..]));
        shard.write(&key, NOW_MS).hash_set_many(fields, Expiry::Clear)?;
    }
    let key = shard.key(b"{m}:text");
    shard.write(&key, NOW_MS).set(&vec![b'v'; TEXT_BYTES], Expiry::Clear)?;
    for number in 0..TINY_KEYS {
        write_tiny(&mut shard, number)?;
    }
    Ok(shard)
}

fn write_tiny(shard: &mut Shard, number: usize) -> Result<(), ArenaError> {
    let name = format!("{{m}}:{number}");
    let key = shard.key(name.as_bytes());
    shard.write(&key, NOW_MS).set(b"tiny value", Expiry::Clear)
}

/// Every kind of step of a move.
pub fn figures() -> Result<Vec<Figure>, ArenaError> {
    let slot = SlotId::of(b"{m}");
    let mut source = heavy_slot()?;
    let [mut open, mut copy, mut apply, mut close, mut hand_over, mut reclaim] =
        std::array::from_fn(|_| Steps::default());
    for _ in 0..ROUNDS {
        let all = [&mut open, &mut copy, &mut apply, &mut close, &mut hand_over, &mut reclaim];
        all.into_iter().for_each(Steps::again);
        let mut target = Shard::new(HashSeed(2), ShardLimits::default())?;
        target.stage(slot);
        let (fork, watch) = open.time(|| (source.fork(slot), source.watch(slot, usize::MAX)));
        // Written while the fork needs them: all of that is kept until it is closed.
        for number in 0..TINY_KEYS {
            write_tiny(&mut source, number)?;
        }
        let mut run = Vec::new();
        while copy.time(|| source.copy_fork(fork, COPY_BYTES, &mut run)).is_ok_and(|copied| copied.more) {
            apply_all(&mut target, slot, &mut run, &mut apply);
        }
        apply_all(&mut target, slot, &mut run, &mut apply);
        close.time(|| source.close_fork(fork));
        while copy.time(|| source.take_deltas(watch, COPY_BYTES, &mut run)).count > 0 {
            apply_all(&mut target, slot, &mut run, &mut apply);
        }
        source.unwatch(watch);
        hand_over.time(|| target.promote(slot));
        assert_eq!(target.keys(), source.keys(), "the whole slot has moved");
        hand_over.time(|| target.flush_slot(slot));
        for shard in [&mut target, &mut source] {
            while reclaim.time(|| shard.reclaim(1)) {}
        }
    }
    Ok(vec![
        open.longest("move: longest opening of fork and watch, heavy slot"),
        copy.longest("move: longest step of a copy (8 KiB), heavy slot"),
        copy.mean("move: mean step of a copy (8 KiB), heavy slot"),
        apply.longest("move: longest step of applying (8 KiB at most), heavy slot"),
        apply.mean("move: mean step of applying (8 KiB at most), heavy slot"),
        close.longest("move: longest closing of a fork that kept 100,000 keys"),
        hand_over.longest("move: longest promoting or dropping, heavy slot"),
        reclaim.longest("move: longest step of reclaiming, heavy slot"),
        reclaim.mean("move: mean step of reclaiming, heavy slot"),
    ])
}

/// Applies a run part by part, and empties it.
fn apply_all(target: &mut Shard, slot: SlotId, run: &mut Vec<u8>, steps: &mut Steps) {
    let mut rest = Run::new(run);
    while !rest.rest().is_empty() {
        // What the process leaves to a thread of its own.
        while let Some(backing) = target.take_backing() {
            backing.back();
        }
        let applied: Result<u64, ApplyError> = steps.time(|| target.apply_part(slot, &mut rest, APPLY_BYTES));
        assert!(applied.is_ok(), "the target is what the effects were made for");
    }
    run.clear();
}
