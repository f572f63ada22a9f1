//! Which slots move so that nodes are alike: from nodes above the average to nodes below it, and never past it.
//!
//! A plan moves as little as it can: a slot moves once, and only as far as it brings both its nodes nearer to the
//! average. Large slots go first, so that few slots move.

use std::collections::BTreeSet;

/// A node and what each of its slots weighs.
#[derive(Clone, Debug)]
pub struct Load {
    /// Slots and their weights.
    pub slots: Vec<(usize, u64)>,
}

impl Load {
    fn total(&self) -> u64 {
        self.slots.iter().map(|(_, weight)| weight).sum()
    }
}

/// Slots on their way between two nodes, by their places in the list of loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// From which node.
    pub from: usize,
    /// To which.
    pub to: usize,
    /// Which slots, in order.
    pub slots: Vec<usize>,
    /// What they weigh together.
    pub weight: u64,
}

/// Works out a plan. Nodes within `threshold_percent` of the average are left alone, unless one beyond it needs them.
pub fn plan(loads: &[Load], threshold_percent: u32) -> Vec<Transfer> {
    let mut state = State::new(loads, threshold_percent);
    let mut transfers: Vec<Transfer> = Vec::new();
    while let Some(Step { from, to, weight, slot }) = state.next() {
        state.slots[from].remove(&(weight, slot));
        state.totals[from] -= weight;
        state.totals[to] += weight;
        match transfers.iter_mut().find(|transfer| (transfer.from, transfer.to) == (from, to)) {
            Some(transfer) => {
                transfer.slots.push(slot);
                transfer.weight += weight;
            }
            None => transfers.push(Transfer { from, to, slots: vec![slot], weight }),
        }
    }
    transfers.iter_mut().for_each(|transfer| transfer.slots.sort_unstable());
    transfers
}

/// One slot that moves.
struct Step {
    from: usize,
    to: usize,
    weight: u64,
    slot: usize,
}

/// How far a plan has come.
struct State {
    totals: Vec<u64>,
    average: u64,
    /// How far from the average a node is left alone.
    slack: u64,
    /// Each node's slots by weight.
    slots: Vec<BTreeSet<(u64, usize)>>,
    /// Nodes that are above the average, and never fall below it.
    donors: Vec<usize>,
    /// Nodes that are below the average, and never rise above it.
    receivers: Vec<usize>,
}

impl State {
    fn new(loads: &[Load], threshold_percent: u32) -> State {
        let totals: Vec<u64> = loads.iter().map(Load::total).collect();
        let average = totals.iter().sum::<u64>() / totals.len().max(1) as u64;
        let by_weight = |load: &Load| load.slots.iter().map(|(slot, weight)| (*weight, *slot)).collect();
        State {
            average,
            slack: (u128::from(average) * u128::from(threshold_percent) / 100) as u64,
            slots: loads.iter().map(by_weight).collect(),
            donors: (0..loads.len()).filter(|node| totals[*node] > average).collect(),
            receivers: (0..loads.len()).filter(|node| totals[*node] < average).collect(),
            totals,
        }
    }

    /// The largest slot that one of the fullest nodes can give to one of the emptiest.
    fn next(&mut self) -> Option<Step> {
        let totals = &self.totals;
        self.donors.sort_by_key(|node| (std::cmp::Reverse(totals[*node]), *node));
        self.receivers.sort_by_key(|node| (totals[*node], *node));
        for from in &self.donors {
            for to in &self.receivers {
                let (excess, want) = (self.totals[*from] - self.average, self.average - self.totals[*to]);
                let largest = excess.min(want);
                if largest == 0 || (excess <= self.slack && want <= self.slack) {
                    continue;
                }
                let mut fitting = self.slots[*from].range((1, 0)..=(largest, usize::MAX));
                if let Some((weight, slot)) = fitting.next_back() {
                    return Some(Step { from: *from, to: *to, weight: *weight, slot: *slot });
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn load(first: usize, weights: &[u64]) -> Load {
        Load { slots: weights.iter().enumerate().map(|(at, weight)| (first + at, *weight)).collect() }
    }

    fn after(loads: &[Load], transfers: &[Transfer]) -> Vec<u64> {
        let mut totals: Vec<u64> = loads.iter().map(Load::total).collect();
        for transfer in transfers {
            totals[transfer.from] -= transfer.weight;
            totals[transfer.to] += transfer.weight;
        }
        totals
    }

    #[test]
    fn a_new_node_gets_its_share() {
        let loads = [load(0, &[10; 100]), load(100, &[10; 100]), load(200, &[])];
        let transfers = plan(&loads, 1);
        assert_eq!(after(&loads, &transfers), [670, 670, 660]);
        assert_eq!(transfers.iter().map(|transfer| transfer.slots.len()).sum::<usize>(), 66);
    }

    #[test]
    fn a_new_node_gets_its_share_although_the_others_are_hardly_above_theirs() {
        let mut loads: Vec<Load> = (0..30).map(|node| load(node * 100, &[10; 100])).collect();
        loads.push(load(3000, &[]));
        let totals = after(&loads, &plan(&loads, 5));
        assert!(totals[30] >= 900, "{totals:?}");
    }

    #[test]
    fn one_hot_slot_stays_where_it_is() {
        let loads = [load(0, &[1000, 1, 1]), load(3, &[1, 1])];
        assert_eq!(after(&loads, &plan(&loads, 5)), [1000, 4]);
    }

    #[test]
    fn nothing_moves_without_need() {
        for loads in [
            vec![],
            vec![load(0, &[5])],
            vec![load(0, &[0; 9]), load(9, &[])],
            vec![load(0, &[100]), load(1, &[96])],
        ] {
            assert_eq!(plan(&loads, 5), []);
        }
    }

    proptest! {
        #[test]
        fn plans_only_help(
            weights in proptest::collection::vec(proptest::collection::vec(0..1000_u64, 0..40), 1..8),
            threshold in 0..50_u32,
        ) {
            let loads: Vec<Load> =
                weights.iter().enumerate().map(|(node, weights)| load(node * 40, weights)).collect();
            let before: Vec<u64> = loads.iter().map(Load::total).collect();
            let average = before.iter().sum::<u64>() / before.len() as u64;
            let slack = average * u64::from(threshold) / 100;
            let transfers = plan(&loads, threshold);
            let totals = after(&loads, &transfers);
            let mut moved = BTreeSet::new();
            for transfer in &transfers {
                // From above the average to below it, and never past it.
                prop_assert!(before[transfer.from] > average && before[transfer.to] < average);
                prop_assert!(totals[transfer.from] >= average && totals[transfer.to] <= average);
                let of_donor = |slot: &usize| loads[transfer.from].slots.iter().find(|(own, _)| own == slot);
                let weights: Option<Vec<u64>> =
                    transfer.slots.iter().map(|slot| of_donor(slot).map(|(_, weight)| *weight)).collect();
                let weights = weights.expect("slots of the donor");
                prop_assert!(weights.iter().all(|weight| *weight > 0));
                prop_assert_eq!(weights.iter().sum::<u64>(), transfer.weight);
                prop_assert!(transfer.slots.iter().all(|slot| moved.insert(*slot)), "a slot moves once");
            }
            prop_assert!(totals.iter().max() <= before.iter().max());
            prop_assert!(totals.iter().min() >= before.iter().min());
            let within = |total: &u64| total.abs_diff(average) <= slack;
            prop_assert!(transfers.is_empty() || !before.iter().all(within), "nothing moves without need");
            prop_assert_eq!(plan(&loads, threshold), transfers);
        }
    }
}
