//! Cutting a job into batches, hottest slots first.

use std::cmp::Reverse;

use whimbrel_engine::key::SlotId;

/// Neighbouring slots that go together, the hottest such runs first. A map in which single slots lie scattered would be long,
/// for every client that asks for it and for whoever takes it over.
pub const RUN_SLOTS: usize = 64;

/// The slots of a job that have not gone yet, in the order in which they go.
///
/// The hottest runs of neighbouring slots go first. Within a batch the order is made when the batch begins: what a slot weighs
/// is looked at then, and a job of many slots is no long work for a core that has clients.
#[derive(Debug)]
pub struct Plan {
    /// Runs after one another, each by number.
    slots: Vec<SlotId>,
    /// How many of them have gone.
    gone: usize,
    batch_slots: usize,
}

impl Plan {
    /// Puts slots in order. `load` says how much a slot is used, in any unit: the hottest go first, so that what is moved early is what
    /// relieves the source.
    pub fn new(mut slots: Vec<SlotId>, batch_slots: usize, load: impl Fn(SlotId) -> u64) -> Plan {
        let batch_slots = batch_slots.max(1);
        let run_slots = RUN_SLOTS.min(batch_slots);
        slots.sort_unstable();
        let run = |slot: &SlotId| slot.number() / run_slots;
        let mut runs: Vec<&[SlotId]> = slots.chunk_by(|one, two| run(one) == run(two)).collect();
        runs.sort_by_cached_key(|run| Reverse(run.iter().map(|slot| load(*slot)).sum::<u64>()));
        Plan { slots: runs.concat(), gone: 0, batch_slots }
    }

    /// The next batch, the hottest slots first; among equally hot ones the larger first, then by number. `weigh` says load and bytes of a slot.
    pub fn next_batch(&mut self, weigh: impl Fn(SlotId) -> (u64, u64)) -> Option<Vec<SlotId>> {
        let mut batch: Vec<SlotId> = self.waiting().take(self.batch_slots).collect();
        self.gone += batch.len();
        batch.sort_by_cached_key(|slot| (Reverse(weigh(*slot)), *slot));
        (!batch.is_empty()).then_some(batch)
    }

    /// Slots that have not gone yet.
    pub fn waiting(&self) -> impl Iterator<Item = SlotId> {
        self.slots[self.gone..].iter().copied()
    }

    /// Whether all have gone.
    pub fn is_empty(&self) -> bool {
        self.gone == self.slots.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(numbers: impl IntoIterator<Item = usize>) -> Vec<SlotId> {
        numbers.into_iter().map(|number| SlotId::new(number).expect("a slot")).collect()
    }

    fn batches(mut plan: Plan, weigh: impl Fn(usize) -> (u64, u64)) -> Vec<Vec<usize>> {
        let batches = std::iter::from_fn(|| plan.next_batch(|slot| weigh(slot.number())));
        batches.map(|batch| batch.iter().map(|slot| slot.number()).collect()).collect()
    }

    #[test]
    fn the_hottest_runs_go_first() {
        let load = |number: usize| [4, 0, 0, 5, 0, 0][number];
        let bytes = |number: usize| [0, 10, 10, 20, 10, 9][number];
        let batches = |batch_slots| {
            let plan = Plan::new(slots([1, 2, 3, 4, 0, 5]), batch_slots, |slot| load(slot.number()));
            batches(plan, |number| (load(number), bytes(number)))
        };
        assert_eq!(batches(2), [vec![3, 2], vec![0, 1], vec![4, 5]]);
        assert_eq!(batches(4), [vec![3, 0, 1, 2], vec![4, 5]]);
        assert_eq!(batches(0), [[3], [0], [1], [2], [4], [5]]);
        assert!(Plan::new(Vec::new(), 2, |_| 0).is_empty());
    }

    #[test]
    fn what_is_equally_hot_goes_in_runs() {
        let plan = Plan::new(slots(0..8192), 2048, |_| 0);
        let weigh = |number: usize| (0, (number * 7919 % 1000) as u64);
        for (index, mut batch) in batches(plan, weigh).into_iter().enumerate() {
            batch.sort_unstable();
            assert_eq!(batch, (index * 2048..(index + 1) * 2048).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_waits_is_what_no_batch_has_had() {
        let mut plan = Plan::new(slots([7, 3, 5]), 2, |_| 0);
        assert_eq!(plan.waiting().collect::<Vec<_>>(), slots([3, 5, 7]));
        assert_eq!(plan.next_batch(|_| (0, 0)), Some(slots([3, 5])));
        assert_eq!((plan.waiting().collect::<Vec<_>>(), plan.is_empty()), (slots([7]), false));
        assert_eq!(plan.next_batch(|_| (0, 0)), Some(slots([7])));
        assert_eq!((plan.next_batch(|_| (0, 0)), plan.is_empty()), (None, true));
    }
}
