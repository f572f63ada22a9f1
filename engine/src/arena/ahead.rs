//! Memory that is backed before it is needed, by a thread that has time for it.
//!
//! On the first touch of a huge page the kernel clears 2 MiB: a tenth of a millisecond on bare metal, several where the
//! machine is itself a guest. A core that does it by itself lets its clients wait. So an arena says which regions it is
//! going to need, and whoever has a thread to spare has them backed (`Backing::back`). Nothing depends on it: a region that
//! nobody has backed is touched by the core when its turn comes, as it would have been without.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::map::{Mapping, REGION_BYTES, Reservation};

/// Regions that are backed ahead at most.
const AHEAD_MAX: usize = 16;

const WANTED: u8 = 0;
const BACKING: u8 = 1;
const BACKED: u8 = 2;
/// The core came first.
const TAKEN: u8 = 3;

/// A region that is to be backed, for whatever thread has time.
#[derive(Debug)]
pub struct Backing {
    /// Keeps the range mapped.
    reservation: Arc<Reservation>,
    region: usize,
    state: Arc<AtomicU8>,
}

impl Backing {
    /// Has the kernel back the region, which takes a while, unless the core has come first.
    pub fn back(self) {
        if self.state.compare_exchange(WANTED, BACKING, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.reservation.back(self.region);
            // Unless the core has come to it meanwhile.
            let _ = self.state.compare_exchange(BACKING, BACKED, Ordering::AcqRel, Ordering::Acquire);
        }
    }
}

/// What is ahead of an arena.
#[derive(Default, Debug)]
pub struct Ahead {
    /// The states of the regions from `first` on.
    states: VecDeque<Arc<AtomicU8>>,
    /// The first region that the arena does not use yet.
    first: usize,
    /// How many regions ahead are worth having, less one: more where the arena grew faster than they were backed.
    more: usize,
    /// The first region when `settle` was last called.
    settled_first: usize,
}

impl Ahead {
    /// The next region that is to be backed, if more are wanted.
    pub fn take(&mut self, mapping: &Mapping) -> Option<Backing> {
        let region = self.first + self.states.len();
        if self.first == 0 || self.states.len() > self.more || !Mapping::has_region(region) {
            return None;
        }
        let state = Arc::new(AtomicU8::new(WANTED));
        self.states.push_back(Arc::clone(&state));
        Some(Backing { reservation: mapping.reservation(), region, state })
    }

    /// The arena is about to use the next region. It never waits for one that is being backed: the thread that does so may be
    /// waiting for this core's CPU.
    pub fn enter(&mut self) {
        let region = self.first;
        self.first += 1;
        let state = self.states.pop_front();
        let before = state.map_or(TAKEN, |state| state.swap(TAKEN, Ordering::AcqRel));
        // Nothing can be ahead of the first one.
        if before != BACKED && region > 0 {
            self.more = (2 * self.more + 1).min(AHEAD_MAX - 1);
        }
    }

    /// Whether more regions are ahead than an arena needs that does not grow.
    pub fn has_more(&self) -> bool {
        self.states.len() > 1
    }

    /// To be called now and then: an arena that has not grown meanwhile keeps one region ahead, and gives the others back, one at
    /// a time.
    pub fn settle(&mut self, mapping: &Mapping) {
        if std::mem::replace(&mut self.settled_first, self.first) != self.first {
            return;
        }
        self.more = 0;
        if self.has_more()
            && let Some(state) = self.states.back()
        {
            let is_unbacked =
                state.compare_exchange(WANTED, TAKEN, Ordering::AcqRel, Ordering::Acquire).is_ok();
            if !is_unbacked && state.load(Ordering::Acquire) == BACKING {
                // It is given back when it is there.
                return;
            }
            if !is_unbacked {
                mapping
                    .reservation()
                    .release((self.first + self.states.len() - 1) * REGION_BYTES, REGION_BYTES);
            }
            self.states.pop_back();
        }
    }

    /// Bytes that are backed and not in use.
    pub fn bytes(&self) -> u64 {
        let backed = self.states.iter().filter(|state| state.load(Ordering::Relaxed) == BACKED);
        (backed.count() * REGION_BYTES) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Arena, Purpose};
    use super::*;

    /// Allocates until so many more regions are in use.
    fn fill(arena: &mut Arena, regions: usize) {
        let goal = arena.ahead.first + regions;
        while arena.ahead.first < goal {
            let object = arena.allocate(Purpose::Object, 8192).expect("room");
            arena.write(object, 0, &[7; 8192]);
        }
    }

    #[test]
    fn regions_are_asked_for_ahead_and_used_whoever_comes_first() {
        let mut arena = Arena::new().expect("address space");
        assert!(arena.take_backing().is_none(), "nothing is in use yet");
        fill(&mut arena, 1);
        let backing = arena.take_backing().expect("the next region");
        assert_eq!((backing.region, arena.ahead_bytes()), (1, 0));
        assert!(arena.take_backing().is_none(), "one is enough for one");
        std::thread::spawn(move || backing.back()).join().expect("it backs a region");
        assert_eq!(arena.ahead_bytes(), REGION_BYTES as u64);
        fill(&mut arena, 1);
        assert_eq!(arena.ahead_bytes(), 0);

        let late = arena.take_backing().expect("the next region");
        fill(&mut arena, 1);
        late.back();
        assert_eq!(arena.ahead_bytes(), 0);
        drop(arena.take_backing().expect("the next region"));
        drop(arena);
    }

    fn take_all(arena: &mut Arena) -> Vec<Backing> {
        std::iter::from_fn(|| arena.take_backing()).collect()
    }

    #[test]
    fn more_is_ahead_while_the_arena_grows_faster_than_it_is_backed_and_given_back_after_that() {
        let mut arena = Arena::new().expect("address space");
        fill(&mut arena, 3);
        let mut many = take_all(&mut arena);
        assert_eq!(many.iter().map(|backing| backing.region).collect::<Vec<_>>(), [3, 4, 5, 6]);
        let unbacked = many.split_off(3);
        many.into_iter().for_each(Backing::back);
        assert_eq!(arena.ahead_bytes(), 3 * REGION_BYTES as u64);
        arena.settle_ahead();
        assert!(arena.has_more_ahead(), "it has grown just now");
        (0..3).for_each(|_| arena.settle_ahead());
        assert_eq!((arena.has_more_ahead(), arena.ahead_bytes()), (false, REGION_BYTES as u64));
        unbacked.into_iter().for_each(Backing::back);
        assert_eq!(arena.ahead_bytes(), REGION_BYTES as u64, "what was given back is not backed any more");
        fill(&mut arena, 4);
        take_all(&mut arena).into_iter().for_each(Backing::back);
        assert!(arena.has_more_ahead());
        fill(&mut arena, 4);
    }

    #[test]
    fn what_stands_in_a_region_outlasts_its_being_backed() {
        let mut arena = Arena::new().expect("address space");
        fill(&mut arena, 1);
        let backing = arena.take_backing().expect("the next region");
        let backing = std::thread::spawn(move || backing.back());
        let mut objects = Vec::new();
        for fill in 0..1000u32 {
            let object = arena.allocate(Purpose::Object, 8192).expect("room");
            arena.write(object, 0, &[fill as u8; 8192]);
            objects.push((object, fill as u8));
        }
        backing.join().expect("it backs a region");
        for (object, fill) in objects {
            assert!(arena.slice::<u8>(object, 8192).iter().all(|byte| *byte == fill));
        }
    }
}
