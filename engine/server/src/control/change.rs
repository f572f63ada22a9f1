//! Changes of owners, as they are worked out before the store is asked to take them.

use std::fmt;

use whimbrel_engine::key::{SLOT_COUNT, SlotId};
use whimbrel_engine::topology::{Heir, HeirId, NodeId, SlotMap};

/// What comes of asking for an heir.
#[derive(Debug, PartialEq, Eq)]
pub enum Appointed {
    /// The map names it already.
    Already,
    /// The map that names it.
    Next(SlotMap),
    /// The source has given some of the slots up to another heir that is still named, or is itself the heir of some. That
    /// will come to its end.
    Later,
}

/// The map that names an heir, if the one before allows it. The reason is for the operator.
pub fn appoint(heir: &Heir, map: &SlotMap) -> Result<Appointed, String> {
    if map.heir(&heir.id).is_some() {
        return Ok(Appointed::Already);
    }
    let mut is_wanted = vec![false; SLOT_COUNT];
    heir.slots.iter().for_each(|slot| is_wanted[slot.number()] = true);
    let meets = |other: &&Heir| other.slots.iter().any(|slot| is_wanted[slot.number()]);
    if map.heirs().iter().filter(meets).any(|other| [other.source, other.target].contains(&heir.source)) {
        return Ok(Appointed::Later);
    }
    if !map.owns_all(&heir.source, &heir.slots) {
        return Err("the slots have changed hands meanwhile".to_owned());
    }
    let incarnation = |id| map.node(id).map_or(0, |node| node.incarnation);
    if incarnation(&heir.source) != heir.source_incarnation || heir.source_incarnation == 0 {
        return Err("the source is not registered any more as it was".to_owned());
    }
    if incarnation(&heir.target) != heir.target_incarnation || heir.target_incarnation == 0 {
        return Err("the target is not registered any more as it was".to_owned());
    }
    map.with_heir(heir.clone(), map.epoch() + 1).map(Appointed::Next).map_err(|fault| fault.to_string())
}

/// How an appointment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// The heir has its slots: the word was given, or obeyed.
    Commit,
    /// The heir is one no more: the source has given the batch up and no word, or the target has dropped what it had.
    Withdraw,
}

impl Conclusion {
    /// The map after it; none if the one before does not name the heir, so that there is nothing to do any more.
    pub fn apply(self, heir: &HeirId, map: &SlotMap) -> Option<SlotMap> {
        let heir = map.heir(heir)?;
        let epoch = map.epoch() + 1;
        Some(match self {
            Self::Commit => map
                .with(heir.slots.iter().copied(), Some(&heir.target), epoch)
                .expect("a map names the targets of its heirs"),
            Self::Withdraw => map.without_heir(&heir.id, epoch),
        })
    }
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
    /// This node, which is there, may have been given the slot by its owner's word, of which the map has not heard yet.
    HasHeir(SlotId, NodeId),
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
            Self::HasHeir(slot, node) => {
                write!(f, "ERR Slot {} is being handed over to {node}, which is there", slot.number())
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
        let mut heirs = vec![None; SLOT_COUNT];
        for heir in map.heirs().iter().filter(|heir| is_there(heir, map)) {
            heir.slots.iter().for_each(|slot| heirs[slot.number()] = Some(heir.target));
        }
        for slot in slots {
            if let Some(heir) = heirs[slot.number()] {
                return Err(AssignError::HasHeir(*slot, heir));
            }
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

/// Whether an heir is registered as it was when it was appointed: nobody else may be given its slots.
fn is_there(heir: &Heir, map: &SlotMap) -> bool {
    map.node(&heir.target).is_some_and(|node| node.incarnation == heir.target_incarnation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_engine::topology::{MapNode, SlotRange};

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

    fn heir(life: u32, slots: &[usize], source: (u64, u64), target: (u64, u64)) -> Heir {
        Heir {
            id: HeirId { job: 1, number: 0, life },
            source: id(source.0),
            source_incarnation: source.1,
            target: id(target.0),
            target_incarnation: target.1,
            slots: slots.iter().map(|number| slot(*number)).collect(),
        }
    }

    #[test]
    fn an_heir_needs_both_as_they_are() {
        let good = heir(1, &[10, 19], (1, 10), (2, 20));
        let Ok(Appointed::Next(named)) = appoint(&good, &map()) else { panic!("not named") };
        assert_eq!((named.epoch(), named.owner(slot(19)).unwrap().id), (5, id(1)));
        assert_eq!(appoint(&good, &named), Ok(Appointed::Already));
        assert_eq!(appoint(&heir(2, &[11, 19], (1, 10), (2, 20)), &named), Ok(Appointed::Later));
        for (heir, reason) in [
            (heir(1, &[10, 20], (1, 10), (2, 20)), "the slots have"),
            (heir(1, &[10], (1, 9), (2, 20)), "the source is"),
            (heir(1, &[30], (3, 0), (2, 20)), "the source is"),
            (heir(1, &[10], (1, 10), (2, 21)), "the target is"),
            (heir(1, &[10], (1, 10), (3, 0)), "the target is"),
            (heir(1, &[10], (1, 10), (7, 1)), "the target is"),
        ] {
            assert!(appoint(&heir, &map()).unwrap_err().starts_with(reason), "{heir:?}");
        }
    }

    #[test]
    fn an_appointment_is_concluded_once() {
        let good = heir(1, &[10, 19], (1, 10), (2, 20));
        let Ok(Appointed::Next(named)) = appoint(&good, &map()) else { panic!("not named") };
        for (conclusion, owner) in [(Conclusion::Commit, id(2)), (Conclusion::Withdraw, id(1))] {
            let after = conclusion.apply(&good.id, &named).unwrap();
            assert_eq!((after.epoch(), after.owner(slot(19)).unwrap().id), (6, owner));
            assert!(after.heirs().is_empty());
            assert_eq!(conclusion.apply(&good.id, &after), None);
        }
    }

    #[test]
    fn nobody_takes_slots_from_an_heir_that_is_there() {
        let with_heir = |target, incarnation| {
            let heir = heir(1, &[30, 31], (3, 7), (target, incarnation));
            map().with_heir(heir, 5).unwrap()
        };
        let give = Assignment::Give(id(1), vec![slot(31)]);
        let error = give.apply(&with_heir(2, 20), &NodeId::of_process(1)).unwrap_err();
        assert_eq!(error, AssignError::HasHeir(slot(31), id(2)));
        assert!(error.to_string().starts_with("ERR Slot 31 is being handed over to"));
        // It has registered anew: both are gone, and the slot is its heir's no more.
        let after = give.apply(&with_heir(2, 19), &NodeId::of_process(1)).unwrap().map;
        assert_eq!((after.owner(slot(31)).unwrap().id, after.heirs()[0].slots.len()), (id(1), 1));
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
