//! The slot map: who owns which slot at one epoch, as the map's keeper hands it to every core.
//!
//! A map is made once and shared; a core takes it over into its own table (`Topology::adopt`). Of two maps the one of
//! the higher epoch is the newer, and within an epoch the one of the higher revision: owners change with the epoch,
//! nodes that come and go change the revision alone.

use super::{Heir, HeirId, NOBODY, NODES_MAX, Node, NodeId, NodeIndex, SlotRange, Topology, unowned};
use crate::key::{SLOT_COUNT, SlotId};
use std::fmt;

/// A node as the map knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapNode {
    /// Its id.
    pub id: NodeId,
    /// The process whose core it is.
    pub process: NodeId,
    /// Where clients and other nodes reach it; empty if that is only known from within.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The number of its process' registration, another each time the process registers. 0: it is not registered, so
    /// nobody can tell whether it is still there.
    pub incarnation: u64,
}

/// Who owns which slot at one epoch.
#[derive(Clone, PartialEq, Eq)]
pub struct SlotMap {
    epoch: u64,
    revision: u64,
    /// At most `NODES_MAX`, no id twice.
    nodes: Vec<MapNode>,
    /// The place of each slot's node among `nodes`, or `NOBODY`.
    owners: Box<[u16; SLOT_COUNT]>,
    /// Who may take slots by their owners' word. No slot has two, and each is its source's.
    heirs: Vec<Heir>,
}

/// Why a map cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MapFault {
    /// More nodes than a map can name.
    TooManyNodes,
    /// Two nodes have this id.
    TwiceNode(NodeId),
    /// Two nodes own this slot.
    TwiceOwned(SlotId),
    /// Slots are given to a node that the map does not name.
    UnknownNode(NodeId),
    /// An heir may take this slot that is not its source's, or that has an heir already.
    StrangeHeir(SlotId),
}

impl fmt::Display for MapFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyNodes => write!(f, "the map names more than {NODES_MAX} nodes"),
            Self::TwiceNode(id) => write!(f, "the map names node {id} twice"),
            Self::TwiceOwned(slot) => write!(f, "the map gives slot {} to two nodes", slot.number()),
            Self::UnknownNode(id) => write!(f, "the map gives slots to {id}, which it does not name"),
            Self::StrangeHeir(slot) => write!(f, "slot {} has an heir that it cannot have", slot.number()),
        }
    }
}

impl SlotMap {
    /// A map in which nobody owns anything.
    pub fn new(epoch: u64, revision: u64, nodes: Vec<MapNode>) -> Result<Self, MapFault> {
        if nodes.len() > NODES_MAX {
            return Err(MapFault::TooManyNodes);
        }
        let mut ids: Vec<NodeId> = nodes.iter().map(|node| node.id).collect();
        ids.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
        if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(MapFault::TwiceNode(pair[0]));
        }
        Ok(Self { epoch, revision, nodes, owners: unowned(), heirs: Vec::new() })
    }

    /// A map in which the nodes own all slots, as evenly and in as long runs as can be.
    pub fn even(epoch: u64, revision: u64, nodes: Vec<MapNode>) -> Result<Self, MapFault> {
        let mut map = Self::new(epoch, revision, nodes)?;
        let count = map.nodes.len();
        for (place, range) in SlotRange::even(count) {
            map.fill(range, place as u16);
        }
        Ok(map)
    }

    /// The same map with slots given to a node, or taken from all, at another epoch. They have no heirs in it.
    pub fn with(
        &self,
        slots: impl IntoIterator<Item = SlotId>,
        owner: Option<&NodeId>,
        epoch: u64,
    ) -> Result<Self, MapFault> {
        let mut map = Self { epoch, ..self.clone() };
        let owner = match owner {
            Some(id) => map.place(id).ok_or(MapFault::UnknownNode(*id))?,
            None => NOBODY,
        };
        let mut is_given = vec![false; SLOT_COUNT];
        for slot in slots {
            map.owners[slot.number()] = owner;
            is_given[slot.number()] = true;
        }
        map.heirs.iter_mut().for_each(|heir| heir.slots.retain(|slot| !is_given[slot.number()]));
        map.heirs.retain(|heir| !heir.slots.is_empty());
        Ok(map)
    }

    /// The same map with one heir more, at another epoch.
    pub fn with_heir(&self, heir: Heir, epoch: u64) -> Result<Self, MapFault> {
        let mut map = Self { epoch, ..self.clone() };
        map.appoint(heir)?;
        Ok(map)
    }

    /// The same map without this heir, at another epoch.
    pub fn without_heir(&self, id: &HeirId, epoch: u64) -> Self {
        let mut map = Self { epoch, ..self.clone() };
        map.heirs.retain(|heir| heir.id != *id);
        map
    }

    /// Names an heir. For whoever reads a map from bytes.
    pub fn appoint(&mut self, heir: Heir) -> Result<(), MapFault> {
        let source = self.place(&heir.source).ok_or(MapFault::UnknownNode(heir.source))?;
        self.place(&heir.target).ok_or(MapFault::UnknownNode(heir.target))?;
        let mut is_taken = vec![false; SLOT_COUNT];
        self.heirs.iter().flat_map(|heir| &heir.slots).for_each(|slot| is_taken[slot.number()] = true);
        for slot in &heir.slots {
            let has_heir = std::mem::replace(&mut is_taken[slot.number()], true);
            if has_heir || self.owners[slot.number()] != source {
                return Err(MapFault::StrangeHeir(*slot));
            }
        }
        self.heirs.push(heir);
        Ok(())
    }

    /// Gives slots that nobody owns to a node. For whoever reads a map from bytes.
    pub fn give(&mut self, range: SlotRange, owner: &NodeId) -> Result<(), MapFault> {
        let place = self.place(owner).ok_or(MapFault::UnknownNode(*owner))?;
        match range.slots().find(|slot| self.owners[slot.number()] != NOBODY) {
            Some(slot) => Err(MapFault::TwiceOwned(slot)),
            None => {
                self.fill(range, place);
                Ok(())
            }
        }
    }

    fn fill(&mut self, range: SlotRange, place: u16) {
        range.slots().for_each(|slot| self.owners[slot.number()] = place);
    }

    fn place(&self, id: &NodeId) -> Option<u16> {
        self.nodes.iter().position(|node| node.id == *id).map(|place| place as u16)
    }

    /// The version of the owners.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The version of the map within its epoch.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// All nodes.
    pub fn nodes(&self) -> &[MapNode] {
        &self.nodes
    }

    /// The node with this id.
    pub fn node(&self, id: &NodeId) -> Option<&MapNode> {
        self.nodes.iter().find(|node| node.id == *id)
    }

    /// The node that owns a slot.
    pub fn owner(&self, slot: SlotId) -> Option<&MapNode> {
        self.nodes.get(usize::from(self.owners[slot.number()]))
    }

    /// Whether one node owns all of these slots.
    pub fn owns_all(&self, id: &NodeId, slots: &[SlotId]) -> bool {
        let place = self.place(id);
        place.is_some() && slots.iter().all(|slot| Some(self.owners[slot.number()]) == place)
    }

    /// Who may take slots by their owners' word.
    pub fn heirs(&self) -> &[Heir] {
        &self.heirs
    }

    /// The heir of this name.
    pub fn heir(&self, id: &HeirId) -> Option<&Heir> {
        self.heirs.iter().find(|heir| heir.id == *id)
    }

    /// How many slots have an owner.
    pub fn assigned(&self) -> usize {
        self.owners.iter().filter(|owner| **owner != NOBODY).count()
    }

    /// The longest runs of slots with one owner, in order of slots.
    pub fn ranges(&self) -> impl Iterator<Item = (SlotRange, &MapNode)> {
        self.ranges_by_place().map(|(range, place)| (range, &self.nodes[place]))
    }

    /// The same with the place of the owner among the nodes.
    pub fn ranges_by_place(&self) -> impl Iterator<Item = (SlotRange, usize)> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let first = (next..SLOT_COUNT).find(|slot| self.owners[*slot] != NOBODY)?;
            let owner = self.owners[first];
            next = (first..SLOT_COUNT).find(|slot| self.owners[*slot] != owner).unwrap_or(SLOT_COUNT);
            Some((SlotRange::new(first, next - 1)?, usize::from(owner)))
        })
    }

    /// Whether this map is newer than one of this epoch and revision.
    pub fn is_newer_than(&self, epoch: u64, revision: u64) -> bool {
        (self.epoch, self.revision) > (epoch, revision)
    }
}

/// A line that a log can take.
impl fmt::Debug for SlotMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SlotMap {{ epoch: {}, revision: {}", self.epoch, self.revision)?;
        self.ranges().try_for_each(|(range, node)| write!(f, ", {range} {}", node.id))?;
        self.heirs
            .iter()
            .try_for_each(|heir| write!(f, ", {} may take {}", heir.target, heir.slots.len()))?;
        f.write_str(" }")
    }
}

impl Topology {
    /// The table that a map describes, for the core that is node `myself`. `core_of` tells which core of this process a
    /// node is, if it is one.
    ///
    /// # Panics
    /// If the map does not name `myself`.
    pub fn of(map: &SlotMap, myself: &NodeId, core_of: impl Fn(&NodeId) -> Option<u16>) -> Self {
        let nodes: Vec<Node> = map.nodes.iter().map(|node| to_node(node, core_of(&node.id))).collect();
        let place = map.place(myself).expect("a process' own cores are in every map that it makes");
        let mut topology = Self::new(nodes, NodeIndex::new(usize::from(place)));
        topology.take_owners(&map.owners);
        topology.take_heirs(&map.heirs);
        (topology.epoch, topology.revision) = (map.epoch, map.revision);
        topology
    }

    /// Takes a map over if it is newer than this table; whether it was. `is_mine` tells which core of this process a
    /// node is, if it is one.
    ///
    /// A map in which this core itself does not appear is one of a store that has forgotten this process: the core then
    /// owns nothing, and stays known to itself.
    ///
    /// Heirs that are followed (`follow`) stay so as long as the map names them.
    pub fn adopt(&mut self, map: &SlotMap, is_mine: impl Fn(&NodeId) -> Option<u16>) -> bool {
        if !map.is_newer_than(self.epoch, self.revision) {
            return false;
        }
        let myself = self.node(self.myself).clone();
        let mut nodes: Vec<Node> = map.nodes.iter().map(|node| to_node(node, is_mine(&node.id))).collect();
        self.myself = match map.place(&myself.id) {
            Some(place) => NodeIndex::new(usize::from(place)),
            None => {
                // Behind all others, so that the map's places stay what they are.
                nodes.push(Node { incarnation: 0, ..myself });
                NodeIndex::new(nodes.len() - 1)
            }
        };
        self.nodes = nodes;
        self.take_owners(&map.owners);
        self.take_heirs(&map.heirs);
        (self.epoch, self.revision) = (map.epoch, map.revision);
        true
    }
}

/// Clients reach the cores of their own process at the address that they connected to.
fn to_node(node: &MapNode, core: Option<u16>) -> Node {
    Node {
        id: node.id,
        shard: node.id.shard(),
        host: if core.is_some() { String::new() } else { node.host.clone() },
        port: node.port,
        core,
        incarnation: node.incarnation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> NodeId {
        NodeId::parse(digit.to_string().repeat(40).as_bytes()).unwrap()
    }

    fn node(digit: char, incarnation: u64) -> MapNode {
        let host = format!("host-{digit}");
        MapNode { id: id(digit), process: id('f'), host, port: 7000, incarnation }
    }

    fn slot(number: usize) -> SlotId {
        SlotId::new(number).unwrap()
    }

    fn core_of(id: &NodeId) -> Option<u16> {
        ["a", "b"].iter().position(|digit| id.as_str().starts_with(digit)).map(|core| core as u16)
    }

    #[test]
    fn maps_are_read_back_in_runs() {
        let mut map = SlotMap::new(3, 9, vec![node('a', 1), node('c', 0)]).unwrap();
        map.give(SlotRange::new(0, 9).unwrap(), &id('c')).unwrap();
        map.give(SlotRange::new(12, 12).unwrap(), &id('a')).unwrap();
        let text: Vec<String> =
            map.ranges().map(|(range, node)| format!("{range}={}", &node.id.as_str()[..1])).collect();
        assert_eq!((text.join(" ").as_str(), map.assigned()), ("0-9=c 12=a", 11));
        assert_eq!(map.owner(slot(12)).map(|node| node.id), Some(id('a')));
        assert_eq!(map.owner(slot(11)), None);
        assert!(map.owns_all(&id('c'), &[slot(0), slot(9)]) && !map.owns_all(&id('c'), &[slot(9), slot(12)]));
        assert!(!map.owns_all(&id('b'), &[]));
    }

    #[test]
    fn faults_are_told() {
        assert_eq!(SlotMap::new(1, 1, vec![node('a', 1), node('a', 2)]), Err(MapFault::TwiceNode(id('a'))));
        let mut map = SlotMap::even(1, 1, vec![node('a', 1)]).unwrap();
        let range = SlotRange::new(5, 6).unwrap();
        assert_eq!(map.give(range, &id('a')), Err(MapFault::TwiceOwned(slot(5))));
        assert_eq!(map.give(range, &id('b')), Err(MapFault::UnknownNode(id('b'))));
        assert_eq!(map.with([slot(5)], Some(&id('b')), 2).unwrap_err(), MapFault::UnknownNode(id('b')));
    }

    #[test]
    fn a_hand_over_changes_its_slots_alone() {
        let map = SlotMap::even(1, 1, vec![node('a', 1), node('b', 1)]).unwrap();
        let after = map.with([slot(0), slot(8000)], Some(&id('b')), 2).unwrap();
        assert_eq!((after.epoch(), after.assigned()), (2, SLOT_COUNT));
        let changed = (0..SLOT_COUNT).map(slot).filter(|slot| map.owner(*slot) != after.owner(*slot));
        assert_eq!(changed.map(SlotId::number).collect::<Vec<_>>(), [0, 8000]);
        assert_eq!(after.with([slot(0)], None, 3).unwrap().owner(slot(0)), None);
    }

    #[test]
    fn the_newest_map_wins() {
        let even =
            |epoch, revision| SlotMap::even(epoch, revision, vec![node('a', 5), node('b', 5)]).unwrap();
        let mut topology = Topology::of(&even(2, 7), &id('b'), core_of);
        assert_eq!((topology.epoch(), topology.node(topology.myself()).core), (2, Some(1)));
        assert!(topology.owns(slot(16_383)) && !topology.owns(slot(0)));
        let given = even(2, 7).with([slot(0)], Some(&id('b')), 3).unwrap();
        assert!(topology.adopt(&given, core_of) && topology.owns(slot(0)));
        for old in [even(2, 9), even(3, 6), given] {
            assert!(!topology.adopt(&old, core_of) && topology.owns(slot(0)));
        }
        assert!(topology.adopt(&even(3, 8), core_of) && !topology.owns(slot(0)));
    }

    #[test]
    fn nodes_come_and_go_with_the_map() {
        let mut topology = Topology::of(&SlotMap::even(1, 1, vec![node('a', 5)]).unwrap(), &id('a'), core_of);
        let two = SlotMap::even(2, 2, vec![node('c', 0), node('a', 6)]).unwrap();
        assert!(topology.adopt(&two, core_of));
        let (far, own) = (topology.find(&id('c')).unwrap(), topology.myself());
        assert_eq!((topology.node(far).host.as_str(), topology.node(own).host.as_str()), ("host-c", ""));
        assert_eq!((topology.node(far).is_live(), topology.node(own).incarnation), (false, 6));
        assert_eq!((topology.owner(slot(0)), topology.slots_of(own)), (Some(far), 8192));
        assert_eq!(topology.node_of_core(0).map(|node| node.id), Some(id('a')));

        assert!(topology.adopt(&SlotMap::new(3, 3, vec![node('c', 4)]).unwrap(), core_of));
        let own = topology.node(topology.myself());
        assert_eq!((own.id, own.is_live(), topology.assigned()), (id('a'), false, 0));
        assert!(!topology.owns(slot(9000)));
    }

    fn heir(life: u32, target_incarnation: u64, slots: &[usize]) -> Heir {
        Heir {
            id: HeirId { job: 1, number: 0, life },
            source: id('a'),
            source_incarnation: 1,
            target: id('b'),
            target_incarnation,
            slots: slots.iter().map(|number| slot(*number)).collect(),
        }
    }

    #[test]
    fn an_heir_is_of_slots_of_its_source_that_have_no_other() {
        let map = SlotMap::even(1, 1, vec![node('a', 1), node('b', 1)]).unwrap();
        let named = map.with_heir(heir(1, 1, &[0, 1]), 2).unwrap();
        assert_eq!((named.epoch(), named.owner(slot(0)), named.heirs().len()), (2, map.owner(slot(0)), 1));
        assert_eq!(named.with_heir(heir(2, 1, &[5, 1]), 3), Err(MapFault::StrangeHeir(slot(1))));
        assert_eq!(map.with_heir(heir(1, 1, &[9000]), 2), Err(MapFault::StrangeHeir(slot(9000))));
        let alone = SlotMap::even(1, 1, vec![node('a', 1)]).unwrap();
        assert_eq!(alone.with_heir(heir(1, 1, &[0]), 2), Err(MapFault::UnknownNode(id('b'))));
        // Slots that are given away leave their heir, the last one ends it.
        let less = named.with([slot(0)], None, 3).unwrap();
        assert_eq!(less.heir(&heir(1, 1, &[]).id), Some(&heir(1, 1, &[1])));
        assert_eq!(less.with([slot(1)], Some(&id('b')), 4).unwrap().heirs(), []);
        assert_eq!(named.without_heir(&heir(1, 1, &[]).id, 3).heirs(), []);
    }

    #[test]
    fn a_followed_heir_has_its_slots_as_long_as_the_map_names_it() {
        let map = |revision| SlotMap::even(1, revision, vec![node('a', 1), node('b', 1)]).unwrap();
        let given = heir(1, 1, &[0, 1]);
        let named = |revision| map(revision).with_heir(given.clone(), 2).unwrap();
        for myself in ['a', 'b'] {
            let mut topology = Topology::of(&map(1), &id(myself), core_of);
            assert!(!topology.follow(&given.id));
            topology.adopt(&named(2), core_of);
            assert_eq!(topology.owns(slot(0)), myself == 'a');
            assert!(topology.follow(&given.id) && topology.follow(&given.id));
            for revision in [2, 3] {
                topology.adopt(&named(revision), core_of);
                assert!(topology.follows(&given.id));
                assert_eq!((topology.owns(slot(0)), topology.owns(slot(2))), (myself == 'b', myself == 'a'));
                assert_eq!((topology.local_core(slot(1)), topology.assigned()), (Some(1), SLOT_COUNT));
            }
            // It was withdrawn.
            topology.adopt(&named(4).without_heir(&given.id, 3), core_of);
            assert_eq!((topology.owns(slot(0)), topology.follows(&given.id)), (myself == 'a', false));
        }
    }

    #[test]
    fn an_heir_that_registered_anew_waits_for_the_map() {
        let map = SlotMap::even(1, 1, vec![node('a', 1), node('b', 2)]).unwrap();
        let given = heir(1, 1, &[0]);
        let named = map.with_heir(given.clone(), 2).unwrap();
        let mut topology = Topology::of(&named, &id('b'), core_of);
        assert!(topology.follow(&given.id) && !topology.owns(slot(0)));
        // Its source serves them no more all the same.
        let mut topology = Topology::of(&named, &id('a'), core_of);
        assert!(topology.follow(&given.id) && !topology.owns(slot(0)));
    }
}
