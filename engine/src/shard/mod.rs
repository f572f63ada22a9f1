//! The data of one core: 16,384 slots, each a table of keys, and the single door for changing them.
//!
//! Everything that must see every change (forks, deltas, accounting, expiry bounds) hangs on [`Shard::write`]; no command
//! knows of any of it.

mod apply;
mod background;
mod defrag;
mod delta;
mod effect;
mod entry;
mod eviction;
mod expire;
mod fields;
mod fork;
mod hash;
mod lifetimes;
mod limits;
mod load;
mod packed;
mod put;
mod scan;
mod slot_set;
mod slot_weights;
mod staged;
mod stats;
mod text;
mod write;

use crate::arena::{ArenaError, Backing, Ref};
use crate::core::Random;
use crate::key::{self, HashSeed, SLOT_COUNT, SlotId};
use crate::memory::{Guard, Memory, Returned};
use crate::object::{self, Parts};
use crate::table::{Found, TableRoot};

pub use apply::ApplyError;
pub use background::{Background, Work};
pub use delta::{Taken, WatchId};
pub use effect::{CarriedField, Effect, Fields, PIECE_BYTES, Run};
pub use entry::{Entry, Kind};
pub use eviction::Room;
pub use fork::{Copied, ForkError, ForkId, ForkItem, ForkValue};
pub use hash::{Field, HashView};
pub use lifetimes::Lifetimes;
pub use limits::ShardLimits;
pub use scan::ScanCursor;
use slot_set::SlotSet;
use slot_weights::SlotWeights;
pub use stats::ShardStats;
pub use text::Text;
pub use write::{Expiry, Write};

/// A key with its slot and hash, computed once.
#[derive(Clone, Copy, Debug)]
pub struct Key<'k> {
    bytes: &'k [u8],
    hash: u64,
    slot: SlotId,
}

impl<'k> Key<'k> {
    /// Computes slot and hash.
    #[inline]
    pub fn new(bytes: &'k [u8], seed: HashSeed) -> Key<'k> {
        Key { bytes, hash: key::hash(bytes, seed), slot: SlotId::of(bytes) }
    }

    /// A key whose hash and slot were computed before, by `new` with the same seed.
    #[inline]
    pub fn known(bytes: &'k [u8], hash: u64, slot: SlotId) -> Key<'k> {
        Key { bytes, hash, slot }
    }

    /// The key itself.
    #[inline]
    pub fn bytes(&self) -> &'k [u8] {
        self.bytes
    }

    /// Its hash.
    #[inline]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Its slot.
    #[inline]
    pub fn slot(&self) -> SlotId {
        self.slot
    }
}

/// What a shard knows of one slot.
#[derive(Clone, Copy, Default, Debug)]
struct Slot {
    table: TableRoot,
    /// Live bytes: nodes, objects and large strings.
    bytes: u64,
    /// The epoch of the slot's youngest live fork; 0 without forks.
    fork_epoch: u32,
    /// The first watch of the slot's deltas, plus 1; 0 if nobody watches.
    watch: u32,
}

const _: () = assert!(size_of::<Slot>() == 40);

/// The data of one core.
#[derive(Debug)]
pub struct Shard {
    memory: Memory,
    slots: Vec<Slot>,
    /// Slots that hold keys. This and what follows leave out staged slots.
    used: SlotSet,
    /// Slots that hold something that expires.
    expiring: SlotSet,
    /// Keys of each slot.
    keys: SlotWeights,
    /// Keys of each slot that expire, or hold fields that do.
    expiring_keys: SlotWeights,
    staged: SlotSet,
    forks: fork::Forks,
    watches: delta::Watches,
    sweep: expire::Sweep,
    limits: ShardLimits,
    stats: ShardStats,
    /// A packed hash on its way to become another; kept for its memory.
    packed: Vec<u8>,
    /// Fields on their way to watchers; kept for its memory.
    carried: Vec<u8>,
    /// The latest time that background work was given, for changes that come without one.
    clock_ms: u64,
    eviction: eviction::Eviction,
    turns: background::Turns,
    /// Where defragmentation stands.
    walk: defrag::Walk,
    /// For choices that eviction makes.
    random: Random,
}

impl Shard {
    /// A shard without keys.
    pub fn new(seed: HashSeed, limits: ShardLimits) -> Result<Shard, ArenaError> {
        let mut memory = Memory::new(seed)?;
        memory.access = eviction::access_kind(&limits);
        Ok(Shard {
            memory,
            slots: vec![Slot::default(); SLOT_COUNT],
            used: SlotSet::default(),
            expiring: SlotSet::default(),
            keys: SlotWeights::default(),
            expiring_keys: SlotWeights::default(),
            staged: SlotSet::default(),
            forks: fork::Forks::default(),
            watches: delta::Watches::default(),
            sweep: expire::Sweep::default(),
            limits,
            stats: ShardStats::default(),
            packed: Vec::new(),
            carried: Vec::new(),
            clock_ms: 0,
            eviction: eviction::Eviction::new(limits.policy),
            turns: background::Turns::default(),
            walk: defrag::Walk::default(),
            random: Random::new(seed.0),
        })
    }

    /// The key of these bytes in this shard.
    #[inline]
    pub fn key<'k>(&self, bytes: &'k [u8]) -> Key<'k> {
        Key::new(bytes, self.memory.seed)
    }

    /// Finds a key for a reader: counts a hit or miss and notes the use. An expired key is gone.
    #[inline]
    pub fn find(&mut self, key: &Key<'_>, now_ms: u64) -> Option<Entry<'_>> {
        let (object, parts) = self.meet(key, now_ms)?;
        self.note_use(object, now_ms);
        Some(Entry::new(&self.memory, object, parts, now_ms))
    }

    /// Finds a key for a reader who is not after its value: counts a hit or miss, but notes no use. An expired key is gone.
    pub fn look(&mut self, key: &Key<'_>, now_ms: u64) -> Option<Entry<'_>> {
        let (object, parts) = self.meet(key, now_ms)?;
        Some(Entry::new(&self.memory, object, parts, now_ms))
    }

    /// Finds a key without counting it or noting a use. An expired key is not there.
    pub fn peek(&self, key: &Key<'_>, now_ms: u64) -> Option<Entry<'_>> {
        let found = self.lookup(key)?;
        let parts = Parts::of(&self.memory.arena, found.object);
        let expired = parts.expires_at_ms(&self.memory.arena, found.object).is_some_and(|at| at <= now_ms);
        (!expired).then(|| Entry::new(&self.memory, found.object, parts, now_ms))
    }

    /// Asks for the memory that the key's slot is described in: the first of three steps that overlap cache misses of
    /// several keys.
    #[inline]
    pub fn prefetch_slot(&self, key: &Key<'_>) {
        crate::arena::prefetch(&self.slots[key.slot.number()]);
    }

    /// Asks for the key's bucket: the second step.
    #[inline]
    pub fn prefetch_bucket(&self, key: &Key<'_>) {
        self.memory.prefetch_bucket(&self.slots[key.slot.number()].table, key.hash);
    }

    /// Asks for the key's object: the third step.
    #[inline]
    pub fn prefetch_object(&self, key: &Key<'_>) {
        self.memory.prefetch_object(&self.slots[key.slot.number()].table, key.hash);
    }

    /// Keys in the shard, expired ones that nobody met included. Keys of staged slots are not the shard's yet.
    pub fn keys(&self) -> u64 {
        self.keys.total()
    }

    /// Keys that expire, or hold fields that do.
    pub fn expiring_keys(&self) -> u64 {
        self.expiring_keys.total()
    }

    /// Keys in a slot, staged or not.
    pub fn slot_keys(&self, slot: SlotId) -> u64 {
        u64::from(self.slots[slot.number()].table.count)
    }

    /// Live bytes of a slot.
    pub fn slot_bytes(&self, slot: SlotId) -> u64 {
        self.slots[slot.number()].bytes
    }

    /// The memory below the slots, for figures.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Bytes that count against `maxmemory`: live, retained by forks, and waiting to be freed.
    pub fn used_bytes(&self) -> u64 {
        self.memory.allocated_bytes()
    }

    /// Bytes that the shard takes before its first key.
    pub fn overhead_bytes(&self) -> u64 {
        (self.slots.capacity() * size_of::<Slot>() + 3 * SlotSet::BYTES + 2 * SlotWeights::BYTES) as u64
    }

    /// What happened in the shard so far.
    pub fn stats(&self) -> &ShardStats {
        &self.stats
    }

    /// Starts counting anew, but for changes: those count since the last save, and nothing is ever saved.
    pub fn reset_stats(&mut self) {
        self.stats = ShardStats { changes: self.stats.changes, ..ShardStats::default() };
    }

    /// Forks that are open.
    pub fn forks_live(&self) -> u64 {
        self.forks.live()
    }

    /// Whether sparse pages are being emptied.
    pub fn is_defragmenting(&self) -> bool {
        self.walk.is_walking()
    }

    /// The limits in force.
    pub fn limits(&self) -> &ShardLimits {
        &self.limits
    }

    /// Sets other limits. After a change of policy, uses are noted as the new one asks; what was noted before is read as
    /// if it had been, as in Redis.
    pub fn set_limits(&mut self, limits: ShardLimits) {
        if limits.policy != self.limits.policy {
            self.eviction = eviction::Eviction::new(limits.policy);
        }
        self.memory.access = eviction::access_kind(&limits);
        self.limits = limits;
    }

    /// Frees what waits to be freed, `steps_max` bounded pieces at most; says whether more is left.
    pub fn reclaim(&mut self, steps_max: usize) -> bool {
        for _ in 0..steps_max {
            if !self.forks.look_step(&mut self.memory) && !self.memory.reclaim_step() {
                break;
            }
        }
        self.memory.returned.clear();
        self.is_reclaiming()
    }

    /// Whether something waits to be freed.
    pub fn is_reclaiming(&self) -> bool {
        self.forks.is_looking() || self.memory.is_reclaiming()
    }

    /// Memory that the shard is going to need, for a thread that has time to have the kernel back it.
    #[inline]
    pub fn take_backing(&mut self) -> Option<Backing> {
        self.memory.arena.take_backing()
    }

    /// Has the memory of an empty page go back to the kernel, if more of them have some than are soon used again.
    fn return_memory(&mut self) -> bool {
        let keep = self.memory.arena.usage().page_bytes / 16 / (64 * 1024);
        let Some(page) = self.memory.arena.return_page(keep) else { return false };
        self.memory.returned.push(Returned::Page(page));
        true
    }

    /// What background work has found for the kernel to take back, for a thread that has time. What nobody takes goes back with
    /// the next background work.
    #[inline]
    pub fn take_returned(&mut self) -> Vec<Returned> {
        std::mem::take(&mut self.memory.returned)
    }

    #[inline]
    fn lookup(&self, key: &Key<'_>) -> Option<Found> {
        self.memory.find(&self.slots[key.slot.number()].table, key.hash, key.bytes)
    }

    /// Notes a use of a key in its object.
    #[inline]
    fn note_use(&mut self, object: Ref, now_ms: u64) {
        let access = object::access(&self.memory.arena, object);
        let used = self.memory.access.used(access, now_ms, || self.random.bits());
        if used != access {
            object::set_access(&mut self.memory.arena, object, used);
        }
    }

    /// Finds an object, counts a hit or miss, and removes what has expired.
    #[inline]
    fn meet(&mut self, key: &Key<'_>, now_ms: u64) -> Option<(Ref, Parts)> {
        let Some(found) = self.lookup(key) else {
            self.stats.misses += 1;
            return None;
        };
        let parts = Parts::of(&self.memory.arena, found.object);
        if parts.expires_at_ms(&self.memory.arena, found.object).is_some_and(|at| at <= now_ms) {
            self.write(key, now_ms);
            self.stats.misses += 1;
            return None;
        }
        self.stats.hits += 1;
        Some((found.object, parts))
    }

    /// What a change of a key must keep.
    #[inline]
    fn guard(&self, slot: SlotId, hash: u64) -> Guard {
        match self.slots[slot.number()].fork_epoch {
            0 => Guard::Free,
            fork_epoch if self.forks.needs(slot, hash) => Guard::Keep { fork_epoch },
            fork_epoch => Guard::Passed { fork_epoch },
        }
    }
}

#[cfg(test)]
mod tests;
