//! Which connection a command takes: any of the only node, or one of the node that owns the key's slot.

use std::collections::VecDeque;

use crate::cluster::slot::SLOTS;
use crate::cluster::slot_map::SlotMap;
use crate::wire::socket::Address;

/// Commands that were drawn for a node by connections of other nodes and wait for it, before those draw no more.
const SPILL_MAX: usize = 16 * 1024;

/// A command that has been drawn: its template and its key.
pub type Drawn = (u16, u64);

/// Nodes and the slots that they own.
#[derive(Debug)]
pub struct Router {
    nodes: Vec<Node>,
    /// Owner of every slot; empty when slots play no part.
    owners: Vec<Option<usize>>,
}

/// One node of the cluster, or the only one.
#[derive(Debug)]
pub struct Node {
    /// Where it listens.
    pub address: Address,
    /// Its connections, as indices of the worker's.
    pub connections: Vec<usize>,
    /// Takes turns over `connections`.
    turn: usize,
    spill: VecDeque<Drawn>,
    /// Slots that it owns.
    owned: usize,
}

impl Router {
    /// One node takes every command.
    pub fn single(address: Address) -> Self {
        Self { nodes: vec![Node::new(address)], owners: Vec::new() }
    }

    /// Commands go to the owners of their slots.
    pub fn cluster(map: SlotMap) -> Self {
        let mut router = Self { nodes: Vec::new(), owners: vec![None; SLOTS] };
        router.apply(map);
        router
    }

    /// Slots decide where commands go.
    pub fn by_slot(&self) -> bool {
        !self.owners.is_empty()
    }

    /// Every node that is known.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// One node.
    pub fn node_mut(&mut self, node: usize) -> &mut Node {
        &mut self.nodes[node]
    }

    /// The owner of a slot; a slot without one is left to whoever asks.
    #[inline]
    pub fn owner(&self, slot: u16) -> Option<usize> {
        self.owners[usize::from(slot)]
    }

    /// Some connection of a node, in turn.
    #[inline]
    pub fn next_connection(&mut self, node: usize) -> Option<usize> {
        let node = &mut self.nodes[node];
        node.turn = if node.turn + 1 < node.connections.len() { node.turn + 1 } else { 0 };
        node.connections.get(node.turn).copied()
    }

    /// The index of the node at this address, which is added when it is new.
    pub fn node_at(&mut self, address: &Address) -> usize {
        self.nodes.iter().position(|n| n.address == *address).unwrap_or_else(|| {
            self.nodes.push(Node::new(address.clone()));
            self.nodes.len() - 1
        })
    }

    /// A slot has a new owner.
    pub fn moved(&mut self, slot: u16, node: usize) {
        let Some(owner) = self.owners.get_mut(usize::from(slot)) else { return };
        if let Some(before) = owner.replace(node) {
            self.nodes[before].owned -= 1;
        }
        self.nodes[node].owned += 1;
    }

    /// Takes over a whole map.
    pub fn apply(&mut self, map: SlotMap) {
        let indices: Vec<usize> = map.nodes.iter().map(|address| self.node_at(address)).collect();
        self.nodes.iter_mut().for_each(|node| node.owned = 0);
        for (slot, owner) in map.owners.into_iter().enumerate() {
            let node = owner.map(|index| indices[index]);
            self.owners[slot] = node;
            if let Some(node) = node {
                self.nodes[node].owned += 1;
            }
        }
    }
}

impl Node {
    fn new(address: Address) -> Self {
        Self { address, connections: Vec::new(), turn: 0, spill: VecDeque::new(), owned: 0 }
    }

    /// It owns slots, so commands can be drawn for it.
    pub fn owns_slots(&self) -> bool {
        self.owned > 0
    }

    /// A command that was drawn for it elsewhere.
    #[inline]
    pub fn take_spilled(&mut self) -> Option<Drawn> {
        self.spill.pop_front()
    }

    /// Leaves it a command; false when it has so many now that it should get no more.
    #[inline]
    pub fn spill(&mut self, drawn: Drawn) -> bool {
        self.spill.push_back(drawn);
        self.spill.len() < SPILL_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Address {
        Address::Tcp("h".into(), port)
    }

    fn two_nodes() -> Router {
        let mut owners = vec![Some(0); SLOTS];
        owners[100..].fill(Some(1));
        Router::cluster(SlotMap { nodes: vec![address(1), address(2)], owners })
    }

    #[test]
    fn a_moved_slot_changes_hands_and_may_bring_a_node() {
        let mut router = two_nodes();
        assert_eq!((router.nodes[0].owned, router.nodes[1].owned), (100, SLOTS - 100));
        let third = router.node_at(&address(3));
        assert!(!router.nodes[third].owns_slots());
        router.moved(5, third);
        assert_eq!((router.owner(5), router.nodes[0].owned, router.nodes[third].owned), (Some(2), 99, 1));
    }

    #[test]
    fn a_fresh_map_replaces_the_old() {
        let mut router = two_nodes();
        let mut owners = vec![Some(0); SLOTS];
        owners[7] = None;
        router.apply(SlotMap { nodes: vec![address(2)], owners });
        assert_eq!((router.owner(0), router.owner(7)), (Some(1), None));
        assert_eq!((router.nodes[0].owned, router.nodes[1].owned), (0, SLOTS - 1));
    }

    #[test]
    fn connections_take_turns() {
        let mut router = Router::single(address(1));
        assert_eq!(router.next_connection(0), None);
        router.node_mut(0).connections = vec![7, 8, 9];
        let turns: Vec<_> = (0..4).filter_map(|_| router.next_connection(0)).collect();
        assert_eq!(turns, [8, 9, 7, 8]);
    }

    #[test]
    fn spill_says_when_it_is_full_and_loses_nothing() {
        let mut router = two_nodes();
        let node = router.node_mut(0);
        assert!((1..SPILL_MAX).all(|n| node.spill((0, n as u64 - 1))));
        assert!(!node.spill((0, 0)));
        assert_eq!(node.take_spilled(), Some((0, 0)));
    }
}
