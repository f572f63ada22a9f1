//! Eviction: what goes when the shard holds more than it may.
//!
//! Work is done in steps that look at one key or one sample; the caller says how many. Memory that is unlinked and waits to
//! be freed is not evicted for again, nor is what eviction itself unlinked and a fork still keeps.

mod ghost;
mod pool;
mod queue;
mod s3fifo;

use super::{Key, Shard, ShardLimits};
use crate::access::AccessKind;
use crate::arena::Ref;
use crate::config::MaxmemoryPolicy;
use crate::object::Parts;

/// What eviction remembers.
#[derive(Default, Debug)]
pub struct Eviction {
    /// Only under `allkeys-s3fifo`.
    queues: Option<s3fifo::Queues>,
    pool: pool::Pool,
    /// Bytes that were evicted while a fork still needs them. At most what forks retain.
    retired_bytes: u64,
    /// The key that goes; kept for its memory.
    key: Vec<u8>,
}

/// Whether a shard has room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
    /// It holds no more than it may.
    Enough,
    /// It holds more, and more can be evicted.
    Over,
    /// It holds more, and there is nothing that may be evicted.
    Full,
}

/// What one step did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Evicted,
    Looked,
    Nothing,
}

impl Eviction {
    /// What the policy asks for.
    pub fn new(policy: MaxmemoryPolicy) -> Eviction {
        let queues = (policy == MaxmemoryPolicy::AllkeysS3fifo).then(s3fifo::Queues::to_build);
        Eviction { queues, ..Eviction::default() }
    }

    /// Bytes of the queues.
    pub fn bytes(&self) -> u64 {
        self.queues.as_ref().map_or(0, s3fifo::Queues::bytes)
    }
}

/// How uses are noted under the limits' policy.
pub fn access_kind(limits: &ShardLimits) -> AccessKind {
    match limits.policy {
        MaxmemoryPolicy::AllkeysS3fifo => AccessKind::Queues,
        policy if policy.counts_frequency() => {
            AccessKind::Frequency { log_factor: limits.lfu_log_factor, decay_min: limits.lfu_decay_min }
        }
        _ => AccessKind::Recency,
    }
}

impl Shard {
    /// Bytes that count against `maxmemory`: what is live, what forks retain, and the queues.
    #[inline]
    pub fn charged_bytes(&self) -> u64 {
        let unlinked = self.memory.reclaiming_bytes() + self.eviction.retired_bytes;
        (self.memory.allocated_bytes() + self.eviction.bytes()).saturating_sub(unlinked)
    }

    /// Evicts until no more than `bytes_max` are charged, in `steps_max` steps at most.
    pub fn make_room(&mut self, bytes_max: u64, steps_max: usize, now_ms: u64) -> Room {
        self.eviction.retired_bytes = self.eviction.retired_bytes.min(self.memory.retained_bytes());
        for _ in 0..steps_max {
            if self.charged_bytes() <= bytes_max {
                return Room::Enough;
            }
            if self.evict_step(now_ms) == Step::Nothing {
                return Room::Full;
            }
            self.memory.reclaim_step();
        }
        if self.charged_bytes() <= bytes_max { Room::Enough } else { Room::Over }
    }

    fn evict_step(&mut self, now_ms: u64) -> Step {
        match self.limits.policy {
            MaxmemoryPolicy::Noeviction => Step::Nothing,
            MaxmemoryPolicy::AllkeysS3fifo => self.step_queues(now_ms),
            policy => self.step_samples(policy, now_ms),
        }
    }

    /// Evicts the key of an object, if a slot that is not staged still holds it; answers the key's hash.
    fn evict_object(&mut self, object: Ref, now_ms: u64) -> Option<u64> {
        let mut bytes = std::mem::take(&mut self.eviction.key);
        bytes.clear();
        let parts = Parts::of(&self.memory.arena, object);
        bytes.extend_from_slice(parts.key(&self.memory.arena, object));
        let key = Key::new(&bytes, self.memory.seed);
        let is_held =
            !self.is_staged(key.slot) && self.lookup(&key).is_some_and(|found| found.object == object);
        if is_held {
            let retained = self.memory.retained_bytes();
            let mut write = self.amend(&key, now_ms);
            // An expired key went by opening the door.
            let evicted = write.remove().unwrap_or(false);
            drop(write);
            self.stats.evicted_keys += u64::from(evicted);
            self.eviction.retired_bytes += self.memory.retained_bytes().saturating_sub(retained);
        }
        let hash = key.hash;
        self.eviction.key = bytes;
        is_held.then_some(hash)
    }

    /// Keeps track of an object that is new in a slot's table.
    #[inline]
    pub(super) fn note_object(&mut self, hash: u64, object: Ref, replaced: Option<Ref>) {
        if self.eviction.queues.is_some() && replaced != Some(object) {
            self.enqueue_object(hash, object, replaced.is_none());
        }
    }
}

#[cfg(test)]
mod tests;
