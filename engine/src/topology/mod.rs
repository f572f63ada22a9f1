//! Who owns which slot: nodes, the slot table, its epoch, and the texts that clients read of them.
//!
//! In cluster mode every core is a node to the outside. Without it the same table says which core a key is forwarded
//! to. Each core holds its own copy, and takes every change from a [`SlotMap`] that the map's keeper hands to all cores.

mod describe;
mod heir;
mod map;
mod node;
mod ranges;

use crate::key::{SLOT_COUNT, SlotId};
pub use heir::{Heir, HeirId};
pub use map::{MapFault, MapNode, SlotMap};
pub use node::{Node, NodeId, NodeIndex};
pub use ranges::{SlotRange, ranges_of};

/// The most nodes that a table can name.
pub const NODES_MAX: usize = 4096;

/// In the slot table: nobody.
const NOBODY: u16 = u16::MAX;

/// Who owns which slot, as one core sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// At most `NODES_MAX`, and this core itself. A node's index holds until the next map is adopted.
    nodes: Vec<Node>,
    /// The index of each slot's node, or `NOBODY`: as the map says, but for slots of heirs that are followed.
    owners: Box<[u16; SLOT_COUNT]>,
    /// The heirs that the map names.
    heirs: Vec<Heir>,
    /// Those of them to whom the word was given: their slots count as theirs as long as the map names them.
    followed: Vec<HeirId>,
    /// One bit for each slot of this core: what the data path asks, in 2 KiB.
    own: Box<[u64; SLOT_COUNT / 64]>,
    /// How many slots have an owner.
    assigned: usize,
    /// This core.
    myself: NodeIndex,
    /// The version of the owners. It only grows.
    epoch: u64,
    /// The version of the table within the epoch.
    revision: u64,
}

impl Topology {
    /// A table in which nobody owns anything, at epoch 1.
    pub fn new(nodes: Vec<Node>, myself: NodeIndex) -> Self {
        assert!(nodes.len() <= NODES_MAX, "more nodes than a table can name");
        assert!(myself.index() < nodes.len(), "the core itself is one of the nodes");
        for (index, node) in nodes.iter().enumerate() {
            assert!(nodes[..index].iter().all(|other| other.id != node.id), "two nodes with one id");
        }
        let own = Box::new([0; SLOT_COUNT / 64]);
        let (heirs, followed) = (Vec::new(), Vec::new());
        Self { nodes, owners: unowned(), heirs, followed, own, assigned: 0, myself, epoch: 1, revision: 0 }
    }

    /// A table in which the nodes own all slots, as evenly and in as long runs as can be.
    pub fn even(nodes: Vec<Node>, myself: NodeIndex) -> Self {
        let mut topology = Self::new(nodes, myself);
        for (index, range) in SlotRange::even(topology.nodes.len()) {
            topology.give(range, Some(NodeIndex::new(index)));
        }
        topology
    }

    /// Gives slots to a node, or takes them from all, and raises the epoch to `epoch`.
    pub fn assign(&mut self, ranges: &[SlotRange], owner: Option<NodeIndex>, epoch: u64) {
        assert!(epoch > self.epoch, "an older table never overwrites a newer one");
        ranges.iter().for_each(|range| self.give(*range, owner));
        self.epoch = epoch;
    }

    fn give(&mut self, range: SlotRange, owner: Option<NodeIndex>) {
        let owner = owner.map_or(NOBODY, |node| {
            assert!(node.index() < self.nodes.len(), "slots go to a node that is known");
            node.index() as u16
        });
        for slot in range.slots() {
            let before = std::mem::replace(&mut self.owners[slot.number()], owner);
            self.assigned = self.assigned + usize::from(owner != NOBODY) - usize::from(before != NOBODY);
            let (word, bit) = (slot.number() / 64, 1 << (slot.number() % 64));
            if owner == self.myself.index() as u16 {
                self.own[word] |= bit;
            } else {
                self.own[word] &= !bit;
            }
        }
    }

    /// Replaces all owners.
    fn take_owners(&mut self, owners: &[u16; SLOT_COUNT]) {
        self.owners.copy_from_slice(owners);
        self.assigned = owners.iter().filter(|owner| **owner != NOBODY).count();
        let myself = self.myself.index() as u16;
        for (word, owners) in self.own.iter_mut().zip(owners.chunks_exact(64)) {
            let bits = owners.iter().enumerate();
            *word = bits.fold(0, |word, (bit, owner)| word | u64::from(*owner == myself) << bit);
        }
    }

    /// The slots of this heir count as its own from now on: its word was given, or taken. `false` if the map does not name it.
    /// The map wins: once it names the heir no more, slots are whose it says they are.
    pub fn follow(&mut self, heir: &HeirId) -> bool {
        let is_known = self.heir(heir).is_some();
        if is_known && !self.followed.contains(heir) {
            self.followed.push(*heir);
            self.give_to_heirs();
        }
        is_known
    }

    /// Whether this heir is followed, and the map still names it.
    pub fn follows(&self, heir: &HeirId) -> bool {
        self.followed.contains(heir)
    }

    /// The heirs that the map names.
    pub fn heirs(&self) -> &[Heir] {
        &self.heirs
    }

    /// The heir of this name, if the map names it.
    pub fn heir(&self, id: &HeirId) -> Option<&Heir> {
        self.heirs.iter().find(|heir| heir.id == *id)
    }

    /// Takes the map's heirs over, and forgets the followed ones that it does not name any more.
    fn take_heirs(&mut self, heirs: &[Heir]) {
        self.heirs = heirs.to_vec();
        self.followed.retain(|id| heirs.iter().any(|heir| heir.id == *id));
        self.give_to_heirs();
    }

    fn give_to_heirs(&mut self) {
        let heirs = std::mem::take(&mut self.heirs);
        for heir in &heirs {
            if !self.followed.contains(&heir.id) {
                continue;
            }
            let target = self.find(&heir.target);
            // Under another registration somebody else may have been given the slots while this core had none: it serves
            // them when the map says that they are its own.
            let is_other = |node| self.node(node).incarnation != heir.target_incarnation;
            if !target.is_some_and(|node| node == self.myself && is_other(node)) {
                heir.slots.iter().for_each(|slot| self.give(SlotRange::of(*slot), target));
            }
        }
        self.heirs = heirs;
    }

    /// Adds a node without slots.
    pub fn add(&mut self, node: Node) -> NodeIndex {
        assert!(self.nodes.len() < NODES_MAX, "more nodes than a table can name");
        assert!(self.find(&node.id).is_none(), "two nodes with one id");
        self.nodes.push(node);
        NodeIndex::new(self.nodes.len() - 1)
    }

    /// The node that owns a slot.
    #[inline]
    pub fn owner(&self, slot: SlotId) -> Option<NodeIndex> {
        match self.owners[slot.number()] {
            NOBODY => None,
            index => Some(NodeIndex::new(usize::from(index))),
        }
    }

    /// Whether this core owns a slot.
    #[inline]
    pub fn owns(&self, slot: SlotId) -> bool {
        self.own[slot.number() / 64] >> (slot.number() % 64) & 1 == 1
    }

    /// The core of this process that owns a slot, if it is one of this process.
    #[inline]
    pub fn local_core(&self, slot: SlotId) -> Option<u16> {
        self.node(self.owner(slot)?).core
    }

    /// A node.
    #[inline]
    pub fn node(&self, index: NodeIndex) -> &Node {
        &self.nodes[index.index()]
    }

    /// All nodes with their indexes.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeIndex, &Node)> {
        self.nodes.iter().enumerate().map(|(index, node)| (NodeIndex::new(index), node))
    }

    /// The node that a core of this process is.
    pub fn node_of_core(&self, core: u16) -> Option<&Node> {
        self.nodes.iter().find(|node| node.core == Some(core))
    }

    /// The node with this id.
    pub fn find(&self, id: &NodeId) -> Option<NodeIndex> {
        self.nodes().find(|(_, node)| node.id == *id).map(|(index, _)| index)
    }

    /// This core.
    pub fn myself(&self) -> NodeIndex {
        self.myself
    }

    /// The version of the table.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The version of the table within its epoch.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How many slots have an owner.
    #[inline]
    pub fn assigned(&self) -> usize {
        self.assigned
    }

    /// How many slots a node owns.
    pub fn slots_of(&self, node: NodeIndex) -> u64 {
        self.owners.iter().filter(|owner| usize::from(**owner) == node.index()).count() as u64
    }
}

/// Owners of a table in which nobody owns anything.
fn unowned() -> Box<[u16; SLOT_COUNT]> {
    vec![NOBODY; SLOT_COUNT].into_boxed_slice().try_into().expect("an owner for each slot")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `count` cores of one process, seen by core `myself`.
    pub(super) fn cores(count: u16, myself: usize) -> Topology {
        let node = |core| Node {
            id: NodeId::derived(7, core),
            shard: NodeId::derived(8, core),
            host: String::new(),
            port: 7000 + core,
            core: Some(core),
            incarnation: 1,
        };
        Topology::even((0..count).map(node).collect(), NodeIndex::new(myself))
    }

    fn slot(number: usize) -> SlotId {
        SlotId::new(number).unwrap()
    }

    #[test]
    fn slots_are_split_evenly() {
        for count in [1, 2, 3, 7, 64, 4096] {
            let topology = cores(count, 0);
            let mut sizes = vec![0; usize::from(count)];
            (0..SLOT_COUNT).for_each(|at| sizes[topology.owner(slot(at)).unwrap().index()] += 1);
            let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
            assert!(most - least <= 1, "{count} cores: {least} to {most}");
            assert_eq!(topology.assigned(), SLOT_COUNT);
            assert_eq!(topology.ranges().count(), usize::from(count));
        }
    }

    #[test]
    fn slots_change_hands_under_a_new_epoch() {
        let mut topology = cores(2, 0);
        assert!(topology.owns(slot(100)) && !topology.owns(slot(9000)));
        assert_eq!(topology.local_core(slot(9000)), Some(1));
        topology.assign(&[SlotRange::new(100, 200).unwrap()], Some(NodeIndex::new(1)), 2);
        topology.assign(&[SlotRange::new(9000, 9000).unwrap()], Some(NodeIndex::new(0)), 3);
        topology.assign(&[SlotRange::new(0, 0).unwrap()], None, 4);
        assert!(!topology.owns(slot(100)) && topology.owns(slot(9000)));
        assert_eq!(
            (topology.owner(slot(0)), topology.assigned(), topology.epoch()),
            (None, SLOT_COUNT - 1, 4)
        );
    }

    #[test]
    #[should_panic(expected = "an older table never overwrites a newer one")]
    fn an_old_epoch_is_refused() {
        cores(1, 0).assign(&[], None, 1);
    }

    proptest! {
        #[test]
        fn the_bits_say_what_the_table_says(
            count in 1..5_u16, moves in proptest::collection::vec((0..SLOT_COUNT, 0..SLOT_COUNT, 0..6_usize), 0..20)
        ) {
            let mut topology = cores(count, 0);
            for (index, (one, other, owner)) in moves.into_iter().enumerate() {
                let range = SlotRange::new(one.min(other), one.max(other)).unwrap();
                let owner = (owner < usize::from(count)).then(|| NodeIndex::new(owner));
                topology.assign(&[range], owner, index as u64 + 2);
            }
            let mut rebuilt = vec![None; SLOT_COUNT];
            for (range, owner) in topology.ranges() {
                range.slots().for_each(|slot| rebuilt[slot.number()] = Some(owner));
            }
            prop_assert_eq!(topology.assigned(), rebuilt.iter().flatten().count());
            for (at, owner) in rebuilt.into_iter().enumerate() {
                prop_assert_eq!(topology.owns(slot(at)), owner == Some(NodeIndex::new(0)));
                prop_assert_eq!(topology.owner(slot(at)), owner);
            }
        }
    }
}
