//! Changes of owners, as they are worked out before the store is asked to take them.

use std::fmt;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::topology::{NodeId, SlotMap};
use whimbrel_migration::{BatchId, Incarnation, Outcome};

use super::codec;

/// A batch whose slots are to change hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandOver {
    /// The batch.
    pub batch: BatchId,
    /// Its slots.
    pub slots: Vec<SlotId>,
    /// Who owns them, a core of this process.
    pub source: NodeId,
    /// Who is to own them.
    pub target: NodeId,
    /// The registration that the target had when it said that it holds everything.
    pub target_incarnation: Incarnation,
}

impl HandOver {
    /// The map after it, if the one before allows it. The reason is for the operator.
    pub fn apply(&self, map: &SlotMap, source_incarnation: u64) -> Result<SlotMap, String> {
        if !map.owns_all(&self.source, &self.slots) {
            return Err("the slots have changed hands meanwhile".to_owned());
        }
        let incarnation = |id| map.node(id).map_or(0, |node| node.incarnation);
        if incarnation(&self.source) != source_incarnation || source_incarnation == 0 {
            return Err("the source is not registered any more as it was".to_owned());
        }
        if incarnation(&self.target) != self.target_incarnation.0 || self.target_incarnation.0 == 0 {
            return Err("the target is not registered any more as it was".to_owned());
        }
        map.with(self.slots.iter().copied(), Some(&self.target), map.epoch() + 1)
            .map_err(|fault| fault.to_string())
    }
}

/// What became of a hand-over that can take no effect any more if it has taken none yet: the map tells. Nobody but the
/// source gives away what the source owns, and it does not while the outcome is open.
pub(super) fn resolved(job: &HandOver, map: &SlotMap) -> Outcome {
    if map.owns_all(&job.source, &job.slots) {
        return Outcome::Refused { reason: "the map's keeper did not take the hand-over".to_owned() };
    }
    Outcome::Committed { map: codec::encode(map) }
}

/// An operator's change, without moving data: CLUSTER ADDSLOTS, DELSLOTS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assignment {
    /// Slots that nobody owns, or whose owners are gone, become this node's.
    Give(NodeId, Vec<SlotId>),
    /// Slots of this process, or whose owners are gone, become nobody's.
    Take(Vec<SlotId>),
}

/// A map worked out from another.
#[derive(Debug)]
pub struct Assigned {
    /// The map after the change.
    pub map: SlotMap,
    /// Processes that lose slots because they are not registered: the store checks that they still are not.
    pub gone: Vec<NodeId>,
}

/// Why an operator's change is refused, as Redis words it where it has words.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssignError {
    /// A node that is there owns the slot.
    Busy(SlotId),
    /// Nobody owns the slot.
    Unassigned(SlotId),
    /// A process that is there owns the slot: it must be asked itself, so that it stops serving first.
    Elsewhere(SlotId, NodeId),
    /// The node that is to own the slots is not registered.
    NotRegistered,
}

impl fmt::Display for AssignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(slot) => write!(f, "ERR Slot {} is already busy", slot.number()),
            Self::Unassigned(slot) => write!(f, "ERR Slot {} is already unassigned", slot.number()),
            Self::Elsewhere(slot, node) => {
                write!(f, "ERR Slot {} is served by {node}, which is there: ask it", slot.number())
            }
            Self::NotRegistered => {
                f.write_str("CLUSTERDOWN This node is not registered in the cluster's store at the moment")
            }
        }
    }
}

impl Assignment {
    /// The map after it, if the one before allows it. `process` is the one that was asked.
    pub fn apply(&self, map: &SlotMap, process: &NodeId) -> Result<Assigned, AssignError> {
        let (owner, slots) = match self {
            Self::Give(node, slots) => (Some(node), slots),
            Self::Take(slots) => (None, slots),
        };
        if let Some(node) = owner
            && map.node(node).is_none_or(|node| node.incarnation == 0)
        {
            return Err(AssignError::NotRegistered);
        }
        let mut gone = Vec::new();
        for slot in slots {
            match (owner, map.owner(*slot)) {
                (Some(_), None) => {}
                (None, None) => return Err(AssignError::Unassigned(*slot)),
                (_, Some(before)) if before.incarnation == 0 => {
                    if !gone.contains(&before.process) {
                        gone.push(before.process);
                    }
                }
                (Some(_), Some(_)) => return Err(AssignError::Busy(*slot)),
                (None, Some(before)) if before.process == *process => {}
                (None, Some(before)) => return Err(AssignError::Elsewhere(*slot, before.id)),
            }
        }
        let map = map
            .with(slots.iter().copied(), owner, map.epoch() + 1)
            .expect("the owner was found in the map just now");
        Ok(Assigned { map, gone })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_engine::topology::{MapNode, SlotRange};
    use whimbrel_migration::MoveId;

    fn slot(number: usize) -> SlotId {
        SlotId::new(number).unwrap()
    }

    /// Node `number` of process `number`.
    fn id(number: u64) -> NodeId {
        NodeId::derived(number, 0)
    }

    /// Nodes 1 and 2 are there, 3 is gone; each owns ten slots.
    fn map() -> SlotMap {
        let node = |number: u64| MapNode {
            id: id(number),
            process: NodeId::of_process(number),
            host: String::new(),
            port: 1,
            incarnation: if number == 3 { 0 } else { number * 10 },
        };
        let mut map = SlotMap::new(4, 9, vec![node(1), node(2), node(3)]).unwrap();
        for number in 1..=3 {
            let first = number as usize * 10;
            map.give(SlotRange::new(first, first + 9).unwrap(), &id(number)).unwrap();
        }
        map
    }

    #[test]
    fn a_hand_over_needs_both_as_they_were() {
        let job = |slots: &[usize], target: u64, target_incarnation| HandOver {
            batch: BatchId { job: MoveId(1), number: 0 },
            slots: slots.iter().map(|number| slot(*number)).collect(),
            source: id(1),
            target: id(target),
            target_incarnation: Incarnation(target_incarnation),
        };
        let after = job(&[10, 19], 2, 20).apply(&map(), 10).unwrap();
        assert_eq!((after.epoch(), after.owner(slot(19)).unwrap().id), (5, id(2)));
        for (job, source_incarnation, reason) in [
            (job(&[10, 20], 2, 20), 10, "the slots have"),
            (job(&[10], 2, 20), 9, "the source is"),
            (job(&[10], 2, 20), 0, "the source is"),
            (job(&[10], 2, 21), 10, "the target is"),
            (job(&[10], 3, 0), 10, "the target is"),
            (job(&[10], 7, 1), 10, "the target is"),
        ] {
            assert!(job.apply(&map(), source_incarnation).unwrap_err().starts_with(reason), "{job:?}");
        }
    }

    #[test]
    fn the_map_tells_what_became_of_a_hand_over() {
        let job = HandOver {
            batch: BatchId { job: MoveId(1), number: 0 },
            slots: vec![slot(10), slot(11)],
            source: id(1),
            target: id(2),
            target_incarnation: Incarnation(20),
        };
        assert!(matches!(resolved(&job, &map()), Outcome::Refused { .. }));
        let after = job.apply(&map(), 10).unwrap();
        assert_eq!(resolved(&job, &after), Outcome::Committed { map: codec::encode(&after) });
    }

    #[test]
    fn slots_are_given_that_nobody_serves() {
        let give = |node, slots: &[usize]| {
            let slots = slots.iter().map(|number| slot(*number)).collect();
            Assignment::Give(id(node), slots).apply(&map(), &NodeId::of_process(node))
        };
        let assigned = give(1, &[0, 1, 30, 31]).unwrap();
        assert_eq!(assigned.gone, [NodeId::of_process(3)]);
        assert_eq!((assigned.map.owner(slot(30)).unwrap().id, assigned.map.epoch()), (id(1), 5));
        assert_eq!(give(1, &[0, 10]).unwrap_err().to_string(), "ERR Slot 10 is already busy");
        assert_eq!(give(1, &[20]).unwrap_err(), AssignError::Busy(slot(20)));
        assert_eq!(give(3, &[0]).unwrap_err(), AssignError::NotRegistered);
    }

    #[test]
    fn slots_are_taken_from_those_who_hear_of_it() {
        let take = |slots: &[usize]| {
            let slots = slots.iter().map(|number| slot(*number)).collect();
            Assignment::Take(slots).apply(&map(), &NodeId::of_process(1))
        };
        let assigned = take(&[10, 39]).unwrap();
        assert_eq!((assigned.map.owner(slot(10)), assigned.gone.len()), (None, 1));
        assert_eq!(take(&[0]).unwrap_err().to_string(), "ERR Slot 0 is already unassigned");
        assert_eq!(take(&[20]).unwrap_err(), AssignError::Elsewhere(slot(20), id(2)));
    }
}
