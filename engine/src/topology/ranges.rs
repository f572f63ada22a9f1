//! Runs of slots.

use super::{NodeIndex, Topology};
use crate::key::{SLOT_COUNT, SlotId};
use std::fmt;

/// Slots from a first to a last one, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotRange {
    first: SlotId,
    last: SlotId,
}

impl SlotRange {
    /// The range, if both are slots and in order.
    pub fn new(first: usize, last: usize) -> Option<Self> {
        (first <= last).then_some(Self { first: SlotId::new(first)?, last: SlotId::new(last)? })
    }

    /// One slot.
    pub fn of(slot: SlotId) -> Self {
        Self { first: slot, last: slot }
    }

    /// All slots cut into `count` ranges, as even and as long as can be, each with its place. With more places than slots
    /// some have none.
    pub fn even(count: usize) -> impl Iterator<Item = (usize, Self)> {
        (0..count).filter_map(move |place| {
            let (first, end) = (SLOT_COUNT * place / count, SLOT_COUNT * (place + 1) / count);
            Some((place, Self::new(first, end.checked_sub(1)?)?))
        })
    }

    /// The first slot.
    pub fn first(self) -> SlotId {
        self.first
    }

    /// The last slot.
    pub fn last(self) -> SlotId {
        self.last
    }

    /// The slots, in order.
    pub fn slots(self) -> impl Iterator<Item = SlotId> {
        (self.first.number()..=self.last.number()).filter_map(SlotId::new)
    }
}

/// `5` or `5-9`, as in CLUSTER NODES.
impl fmt::Display for SlotRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.first.number(), self.last.number());
        if first == last { write!(f, "{first}") } else { write!(f, "{first}-{last}") }
    }
}

impl Topology {
    /// The longest runs of slots with one owner, in order of slots. Slots that nobody owns are left out.
    pub fn ranges(&self) -> impl Iterator<Item = (SlotRange, NodeIndex)> {
        let owner = |slot: usize| SlotId::new(slot).and_then(|slot| self.owner(slot));
        let mut next = 0;
        std::iter::from_fn(move || {
            let first = (next..SLOT_COUNT).find(|slot| owner(*slot).is_some())?;
            let node = owner(first)?;
            let end = (first..SLOT_COUNT).find(|slot| owner(*slot) != Some(node)).unwrap_or(SLOT_COUNT);
            next = end;
            Some((SlotRange::new(first, end - 1)?, node))
        })
    }

    /// The runs of each node, by the node's index.
    pub fn ranges_by_node(&self) -> Vec<Vec<SlotRange>> {
        let mut by_node = vec![Vec::new(); self.nodes().count()];
        self.ranges().for_each(|(range, node)| by_node[node.index()].push(range));
        by_node
    }
}

/// The runs of slots in a set of them.
pub fn ranges_of(slots: &[SlotId]) -> Vec<SlotRange> {
    let mut sorted = slots.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|one, next| one.number() + 1 == next.number());
    runs.filter_map(|run| SlotRange::new(run.first()?.number(), run.last()?.number())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::cores;
    use super::*;

    #[test]
    fn ranges_hold_slots_in_order() {
        for (first, last, text) in
            [(0, 0, Some("0")), (5, 9, Some("5-9")), (9, 5, None), (0, SLOT_COUNT, None)]
        {
            assert_eq!(SlotRange::new(first, last).map(|range| range.to_string()).as_deref(), text);
        }
        assert_eq!(SlotRange::new(16380, 16383).map(|range| range.slots().count()), Some(4));
    }

    #[test]
    fn runs_end_where_the_owner_changes() {
        let mut topology = cores(2, 0);
        topology.assign(&[SlotRange::new(3, 3).unwrap()], Some(NodeIndex::new(1)), 2);
        topology.assign(&[SlotRange::new(16383, 16383).unwrap()], None, 3);
        let text: Vec<_> =
            topology.ranges().map(|(range, node)| format!("{}:{range}", node.index())).collect();
        assert_eq!(text, ["0:0-2", "1:3", "0:4-8191", "1:8192-16382"]);
        assert_eq!(topology.ranges_by_node()[1].len(), 2);
    }

    #[test]
    fn slots_become_runs() {
        let texts = |numbers: &[usize]| -> Vec<String> {
            let slots: Vec<SlotId> = numbers.iter().filter_map(|number| SlotId::new(*number)).collect();
            ranges_of(&slots).iter().map(ToString::to_string).collect()
        };
        assert_eq!(texts(&[9, 1, 2, 3, 8, 5]), ["1-3", "5", "8-9"]);
        assert!(texts(&[]).is_empty());
    }
}
