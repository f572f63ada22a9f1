//! The sampling policies, as Redis approximates them: the best of a few random keys and of earlier samples goes.

use super::{Shard, Step};
use crate::arena::Ref;
use crate::config::MaxmemoryPolicy;
use crate::object;
use crate::shard::entry::Entry;

/// Candidates that are remembered between evictions.
const POOL: usize = 16;

/// Candidates for eviction, the best last.
#[derive(Default, Debug)]
pub struct Pool {
    candidates: Vec<(u64, Ref)>,
    /// Samples in a row that brought no candidate.
    fruitless: u32,
}

impl Pool {
    fn offer(&mut self, score: u64, object: Ref) {
        if self.candidates.iter().any(|(_, held)| *held == object) {
            return;
        }
        let at = self.candidates.partition_point(|(held, _)| *held < score);
        if self.candidates.len() == POOL {
            if at == 0 {
                return;
            }
            self.candidates.remove(0);
            self.candidates.insert(at - 1, (score, object));
        } else {
            self.candidates.insert(at, (score, object));
        }
    }
}

impl Shard {
    /// Takes a sample and evicts the best candidate.
    pub(super) fn step_samples(&mut self, policy: MaxmemoryPolicy, now_ms: u64) -> Step {
        /// Samples without a candidate after which there is taken to be none.
        const FRUITLESS_MAX: u32 = 64;
        let is_random = matches!(policy, MaxmemoryPolicy::AllkeysRandom | MaxmemoryPolicy::VolatileRandom);
        let samples = if is_random { 1 } else { self.limits.samples };
        for _ in 0..samples {
            if let Some(object) = self.sample(policy.volatile_only())
                && let Some(score) = self.score(policy, object, now_ms)
            {
                self.eviction.pool.offer(score, object);
            }
        }
        while let Some((_, object)) = self.eviction.pool.candidates.pop() {
            // It may have gone, or lost its expiry time, since it was sampled.
            let is_fit = object::may_be_live(&self.memory.arena, object)
                && self.score(policy, object, now_ms).is_some();
            if is_fit && self.evict_object(object, now_ms).is_some() {
                self.eviction.pool.fruitless = 0;
                return Step::Evicted;
            }
        }
        self.eviction.pool.fruitless += 1;
        let left = if policy.volatile_only() { self.expiring_keys.total() } else { self.keys.total() };
        if left == 0 || self.eviction.pool.fruitless >= FRUITLESS_MAX {
            self.eviction.pool.fruitless = 0;
            return Step::Nothing;
        }
        Step::Looked
    }

    fn sample(&mut self, volatile_only: bool) -> Option<Ref> {
        let random = &mut self.random;
        let found = if volatile_only {
            let slot = self.expiring_keys.pick(random.bits())?;
            self.memory.random_expiring(&self.slots[slot.number()].table, || random.bits())?
        } else {
            let slot = self.keys.pick(random.bits())?;
            self.memory.random_entry(&self.slots[slot.number()].table, || random.bits())?.object
        };
        Some(found)
    }

    /// The higher, the sooner it goes; nothing if it may not go.
    fn score(&self, policy: MaxmemoryPolicy, object: Ref, now_ms: u64) -> Option<u64> {
        let entry = Entry::of(&self.memory, object, now_ms);
        let expires_at_ms = entry.expires_at_ms();
        if policy.volatile_only() && expires_at_ms.is_none() {
            return None;
        }
        Some(match policy {
            MaxmemoryPolicy::VolatileTtl => u64::MAX - expires_at_ms?,
            MaxmemoryPolicy::AllkeysLru | MaxmemoryPolicy::VolatileLru => entry.idle_s()?,
            MaxmemoryPolicy::AllkeysLfu | MaxmemoryPolicy::VolatileLfu => 255 - u64::from(entry.frequency()?),
            _ => 0,
        })
    }
}
