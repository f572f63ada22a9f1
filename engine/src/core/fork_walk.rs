//! A walk over forks of all slots that a core owns, whose items nobody wants: it shows what forks cost.
//!
//! A slot is forked when its turn comes and its fork is closed at its end, so one fork is open at a time, as in a move that
//! is not in a hurry.

use super::Core;
use crate::key::{SLOT_COUNT, SlotId};
use crate::shard::{ForkId, Shard};
use crate::topology::Topology;

/// A walk under way.
#[derive(Clone, Copy, Debug)]
pub struct ForkWalk {
    /// Rounds to go, the present one included. At least 1.
    rounds: u32,
    /// The slot that is forked, or that is looked at next.
    slot: usize,
    fork: Option<ForkId>,
}

impl ForkWalk {
    /// A walk that goes so many times over all slots.
    pub fn new(rounds: u32) -> Self {
        assert!(rounds > 0);
        Self { rounds, slot: 0, fork: None }
    }

    /// Walks so many items on; an empty slot counts as one. `false` at the end, where no fork is left open.
    pub fn step(&mut self, shard: &mut Shard, topology: &Topology, items_max: usize) -> bool {
        let mut items = 0;
        while items < items_max.max(1) {
            items += 1;
            let Some(slot) = SlotId::new(self.slot).filter(|_| self.slot < SLOT_COUNT) else {
                self.slot = 0;
                self.rounds -= 1;
                if self.rounds == 0 {
                    return false;
                }
                continue;
            };
            if self.fork.is_none() && (shard.slot_keys(slot) == 0 || !topology.owns(slot)) {
                self.slot += 1;
                continue;
            }
            let fork = *self.fork.get_or_insert_with(|| shard.fork(slot));
            let room = items_max.saturating_sub(items).max(1);
            // A fork that retained too much was ended; it is left like one that was walked.
            let more = shard.walk_fork(fork, room, |_| items += 1).unwrap_or(false);
            if !more {
                shard.close_fork(fork);
                self.fork = None;
                self.slot += 1;
            }
        }
        true
    }

    /// Ends the walk where it is.
    pub fn end(self, shard: &mut Shard) {
        if let Some(fork) = self.fork {
            shard.close_fork(fork);
        }
    }
}

impl Core {
    /// Walks so many items on if there is a walk; says whether it goes on.
    pub fn walk_forks(&mut self, items_max: usize) -> bool {
        let Some(walk) = &mut self.fork_walk else { return false };
        let more = walk.step(&mut self.shard, &self.topology, items_max);
        if !more {
            self.fork_walk = None;
        }
        more
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::Bench;

    #[test]
    fn every_round_opens_every_slot_once() {
        let mut bench = Bench::default();
        (0..500).for_each(|number| drop(bench.ask(1, &format!("SET key:{number} {number}"))));
        (0..300).for_each(|number| drop(bench.ask(1, &format!("SET {{one}}:{number} {number}"))));
        bench.core.fork_walk = Some(ForkWalk::new(2));
        let mut steps = 0;
        while bench.core.walk_forks(8) {
            steps += 1;
            assert!(bench.core.shard.forks_open() <= 1);
            bench.ask(1, &format!("SET key:{} x", steps % 500));
        }
        assert!(steps > 2 * 800 / 8, "{steps} steps of 8 items");
        assert_eq!((bench.core.shard.forks_open(), bench.core.shard.keys()), (0, 800));
    }

    #[test]
    fn an_empty_core_is_done_soon() {
        let mut bench = Bench::default();
        bench.core.fork_walk = Some(ForkWalk::new(3));
        let steps = (0..).take_while(|_| bench.core.walk_forks(SLOT_COUNT)).count();
        assert!(steps <= 4, "{steps}");
        assert!(!bench.core.walk_forks(1));
    }
}
