//! What a shard does when its core has time: one entry point, small steps in turn, no clock of its own.
//!
//! The kinds of work take turns, so that none waits for another to end; each step is bounded (a leaf, a chunk, a few dozen
//! keys). Between two steps the caller is asked whether there is time left.

use super::Shard;

/// When the shard wants to be called again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Background {
    /// As soon as there is time: work is left.
    Now,
    /// At this Unix time in milliseconds, or earlier.
    At(u64),
    /// There is nothing to do until something is written.
    Idle,
}

/// The kinds of work, in the order of their turns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// What was deleted, or kept by forks, is freed.
    Reclaim,
    /// Expired keys and fields are looked for.
    Expire,
    /// Keys are evicted.
    Evict,
    /// The queues by which keys are evicted are kept in order.
    Queues,
    /// Sparse pages are emptied.
    Defragment,
    /// Empty pages are given back to the kernel.
    Release,
}

const TURNS: [Work; 6] =
    [Work::Reclaim, Work::Expire, Work::Evict, Work::Queues, Work::Defragment, Work::Release];

/// Where background work stands.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    next: usize,
    /// Whether expired keys are swept (`DEBUG SET-ACTIVE-EXPIRE`).
    pub sweeps: bool,
    /// Whether sparse pages are emptied.
    pub defragments: bool,
    /// The next round of the sweep begins no earlier.
    sweep_at_ms: u64,
    is_sweeping: bool,
    /// When it is looked next whether memory is ahead that is not needed.
    settle_at_ms: u64,
}

impl Default for Turns {
    fn default() -> Self {
        Turns {
            next: 0,
            sweeps: true,
            defragments: true,
            sweep_at_ms: 0,
            is_sweeping: false,
            settle_at_ms: 0,
        }
    }
}

impl Shard {
    /// Does background work, step by step, as long as `may_go_on`, which is told what the step was; says when to be called
    /// again. At least one step of one kind is done whenever there is work.
    pub fn background(&mut self, now_ms: u64, may_go_on: &mut dyn FnMut(Work) -> bool) -> Background {
        self.clock_ms = now_ms;
        self.memory.returned.clear();
        self.settle_ahead(now_ms);
        let mut idle = 0;
        while idle < TURNS.len() {
            let work = TURNS[self.turns.next];
            self.turns.next = (self.turns.next + 1) % TURNS.len();
            if self.step(work, now_ms) {
                idle = 0;
                if !may_go_on(work) {
                    return Background::Now;
                }
            } else {
                idle += 1;
            }
        }
        let settle_at_ms = self.memory.arena.has_more_ahead().then_some(self.turns.settle_at_ms);
        match self.sweep_due_ms().into_iter().chain(settle_at_ms).min() {
            Some(at_ms) => Background::At(at_ms),
            None => Background::Idle,
        }
    }

    fn settle_ahead(&mut self, now_ms: u64) {
        /// Time without growth after which memory ahead is given back, a region each time.
        const CALM_MS: u64 = 100;
        if now_ms >= self.turns.settle_at_ms {
            self.turns.settle_at_ms = now_ms + CALM_MS;
            self.memory.arena.settle_ahead();
        }
    }

    /// Lets expired keys be swept in the background, or not. Readers never see them either way.
    pub fn set_active_expire(&mut self, sweeps: bool) {
        self.turns.sweeps = sweeps;
    }

    /// Lets sparse pages be emptied, or not: while much is about to be dropped, moving it closer together is work for nothing.
    pub fn set_defragment(&mut self, defragments: bool) {
        self.turns.defragments = defragments;
    }

    /// One bounded step; whether it did something.
    fn step(&mut self, work: Work, now_ms: u64) -> bool {
        /// Steps of eviction in one go.
        const EVICTIONS: usize = 8;
        match work {
            Work::Reclaim => self.forks.look_step(&mut self.memory) || self.memory.reclaim_step(),
            Work::Expire => self.step_sweep(now_ms),
            Work::Evict => {
                let bytes_max = self.limits.charged_bytes_max;
                if bytes_max == 0 || self.charged_bytes() <= bytes_max {
                    return false;
                }
                self.make_room(bytes_max, EVICTIONS, now_ms) != super::Room::Full
            }
            Work::Queues => self.enqueue_promoted() || self.build_queues() || self.clean_queues(),
            Work::Defragment => self.turns.defragments && self.step_defrag(now_ms),
            Work::Release => self.return_memory(),
        }
    }

    fn step_sweep(&mut self, now_ms: u64) -> bool {
        /// Leaves looked at in one step.
        const LEAVES: usize = 1;
        let due = self.sweep_due_ms().is_some_and(|at_ms| at_ms <= now_ms);
        if !self.turns.is_sweeping && !due {
            return false;
        }
        self.turns.is_sweeping = self.sweep_expired(now_ms, LEAVES);
        if !self.turns.is_sweeping {
            self.turns.sweep_at_ms = now_ms + self.sweep_rest_ms();
        }
        true
    }

    /// Between two rounds of the sweep: ten a second, more under a higher `active-expire-effort`.
    fn sweep_rest_ms(&self) -> u64 {
        110 - 10 * u64::from(self.limits.expire_effort.clamp(1, 10))
    }

    /// When the sweep is to go on, if anything expires: not before the first second in which something may.
    fn sweep_due_ms(&self) -> Option<u64> {
        if !self.turns.sweeps || self.expiring_keys.total() == 0 {
            return None;
        }
        Some(self.turns.sweep_at_ms.max(u64::from(self.sweep.due_s()) * 1000))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Expiry, Key, ShardLimits};
    use super::*;
    use crate::config::MaxmemoryPolicy;
    use crate::key::HashSeed;

    const NOW: u64 = 1_700_000_000_000;

    fn shard(limits: ShardLimits) -> Shard {
        Shard::new(HashSeed(5), limits).expect("address space")
    }

    fn set(shard: &mut Shard, name: &str, now_ms: u64, expiry: Expiry) {
        let key = Key::new(name.as_bytes(), HashSeed(5));
        shard.write(&key, now_ms).set(&[b'v'; 100], expiry).expect("room");
    }

    #[test]
    fn the_sweep_rests_until_something_may_be_due() {
        let mut shard = shard(ShardLimits::default());
        assert_eq!(shard.background(NOW, &mut |_| true), Background::Idle);
        set(&mut shard, "late", NOW, Expiry::At(NOW + 60_000));
        assert_eq!(shard.background(NOW, &mut |_| true), Background::At(NOW + 60_000));
        set(&mut shard, "early", NOW, Expiry::At(NOW + 5_500));
        assert_eq!(shard.background(NOW, &mut |_| true), Background::At(NOW + 5_000));
        assert_eq!(shard.background(NOW + 5_000, &mut |_| true), Background::At(NOW + 5_100));
        assert_eq!(shard.background(NOW + 5_500, &mut |_| true), Background::At(NOW + 60_000));
        assert_eq!((shard.keys(), shard.stats().expired_keys), (1, 1));
        shard.set_active_expire(false);
        assert_eq!(shard.background(NOW + 70_000, &mut |_| true), Background::Idle);
        assert_eq!(shard.keys(), 1);
        shard.set_active_expire(true);
        assert_eq!(shard.background(NOW + 70_000, &mut |_| true), Background::Idle);
        assert_eq!(shard.keys(), 0);
    }

    #[test]
    fn work_is_left_when_the_time_is_up_and_done_in_the_end() {
        let limits = ShardLimits {
            policy: MaxmemoryPolicy::AllkeysS3fifo,
            charged_bytes_max: 400_000,
            ..ShardLimits::default()
        };
        let mut shard = shard(limits);
        for number in 0..20_000 {
            set(&mut shard, &number.to_string(), NOW, Expiry::At(NOW + 1000 * (number / 5000)));
        }
        let mut calls = 0;
        while shard.background(NOW + 1_500, &mut |_| false) == Background::Now {
            calls += 1;
        }
        assert!(calls > 100, "{calls} calls with one step each");
        assert!(shard.charged_bytes() <= limits.charged_bytes_max);
        assert!(shard.stats().expired_keys >= 5000 && shard.stats().evicted_keys > 1000);
        assert!(!shard.reclaim(0));
    }
}
