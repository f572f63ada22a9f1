//! What is known of the cluster's keys at one revision of the store: the owners, and who is registered.
//!
//! Whoever reads the store hands in what it read; what is older than what is known already is left out. So a view is
//! always what the store held at one revision, whichever way it was learned.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use whimbrel_engine::topology::{MapNode, NodeId, SlotMap};

use super::keys::Keys;
use super::wire::KeyValue;
use crate::control::codec;
use crate::log;

/// What was read of the store.
#[derive(Clone, Debug)]
pub enum Update {
    /// All keys of the cluster at a revision.
    All {
        /// The revision.
        revision: u64,
        /// The keys.
        pairs: Vec<KeyValue>,
    },
    /// What has changed up to a revision, in order. A key that was deleted has a value of `None`.
    Changes {
        /// The revision.
        revision: u64,
        /// The changes.
        changes: Vec<(KeyValue, bool)>,
    },
}

/// A registered process.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Registration {
    nodes: Vec<MapNode>,
}

/// What is known of the cluster.
#[derive(Clone, Debug, Default)]
pub struct View {
    revision: u64,
    /// The owners, and the revision in which the map was last changed.
    map: Option<(Arc<SlotMap>, u64)>,
    /// The revision of a map that cannot be read: nothing is changed as long as it stands.
    unreadable: Option<u64>,
    /// By process.
    registered: BTreeMap<String, Registration>,
}

impl View {
    /// Takes in what was read; whether it was news.
    pub fn apply(&mut self, keys: &Keys, update: Update) -> bool {
        match update {
            Update::All { revision, pairs } => {
                if revision <= self.revision {
                    return false;
                }
                (self.registered, self.unreadable) = (BTreeMap::new(), None);
                if !pairs.iter().any(|pair| pair.key == keys.map) {
                    self.map = None;
                }
                pairs.into_iter().for_each(|pair| self.put(keys, pair));
                self.revision = revision;
            }
            Update::Changes { revision, changes } => {
                let known = self.revision;
                if revision <= known {
                    return false;
                }
                for (pair, deleted) in changes.into_iter().filter(|(pair, _)| pair.mod_revision > known) {
                    if deleted { self.delete(keys, &pair) } else { self.put(keys, pair) }
                }
                self.revision = revision;
            }
        }
        true
    }

    fn put(&mut self, keys: &Keys, pair: KeyValue) {
        if pair.key == keys.map {
            match codec::decode(&pair.value) {
                Ok(map) => (self.map, self.unreadable) = (Some((Arc::new(map), pair.mod_revision)), None),
                Err(error) => {
                    log::warning(format_args!(
                        "The slot map in etcd cannot be read, so slots stay where they are: {error}"
                    ));
                    self.unreadable = Some(pair.mod_revision);
                }
            }
        } else if let Some(process) = keys.process(&pair.key) {
            match read_registration(&process, pair.create_revision, &pair.value) {
                Some(nodes) => {
                    self.registered.insert(pair.key, Registration { nodes });
                }
                None => log::warning(format_args!("The registration {} cannot be read", pair.key)),
            }
        }
    }

    fn delete(&mut self, keys: &Keys, pair: &KeyValue) {
        if pair.key == keys.map {
            (self.map, self.unreadable) = (None, None);
        } else {
            self.registered.remove(&pair.key);
        }
    }

    /// The revision that this view shows.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The revision in which the map was last changed, 0 if there is none: what a change of it compares. `None` while the
    /// map cannot be read.
    pub fn map_changed(&self) -> Option<u64> {
        match self.unreadable {
            Some(_) => None,
            None => Some(self.map.as_ref().map_or(0, |(_, changed)| *changed)),
        }
    }

    /// The number of a process' registration; 0 if it has none.
    pub fn incarnation(&self, keys: &Keys, process: &NodeId) -> u64 {
        let registration = self.registered.get(&keys.registration(process));
        registration.and_then(|registration| registration.nodes.first()).map_or(0, |node| node.incarnation)
    }

    /// The map for cores: the owners and their heirs, everybody who is registered, and `own`, the nodes of this process, whether they are
    /// registered or not.
    pub fn slot_map(&self, own: &[MapNode]) -> SlotMap {
        let mut nodes: Vec<MapNode> =
            self.registered.values().flat_map(|registration| &registration.nodes).cloned().collect();
        let owners = self.map.as_ref().map(|(map, _)| map.nodes()).unwrap_or_default();
        for node in own.iter().chain(owners) {
            if !nodes.iter().any(|known| known.id == node.id) {
                nodes.push(MapNode { incarnation: 0, ..node.clone() });
            }
        }
        nodes.sort_by(|one, other| {
            (&one.host, one.port, one.id.as_str()).cmp(&(&other.host, other.port, other.id.as_str()))
        });
        let epoch = self.map.as_ref().map_or(1, |(map, _)| map.epoch());
        let mut map = match SlotMap::new(epoch, self.revision, nodes) {
            Ok(map) => map,
            Err(fault) => {
                log::warning(format_args!("The nodes of the cluster do not fit into a map: {fault}"));
                let own = own.iter().map(|node| MapNode { incarnation: 0, ..node.clone() }).collect();
                return SlotMap::new(epoch, self.revision, own).expect("a process' own cores fit into a map");
            }
        };
        for (range, node) in self.map.iter().flat_map(|(map, _)| map.ranges()) {
            map.give(range, &node.id).expect("owners were added to the nodes, and own their slots alone");
        }
        for heir in self.map.iter().flat_map(|(map, _)| map.heirs()) {
            map.appoint(heir.clone()).expect("a map that was read names its heirs among its nodes");
        }
        map
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    host: String,
    cores: Vec<WrittenCore>,
}

#[derive(Serialize, Deserialize)]
struct WrittenCore {
    id: String,
    port: u16,
}

/// What a process registers of its nodes, which are all at one address.
pub fn write_registration(own: &[MapNode]) -> Vec<u8> {
    let core = |node: &MapNode| WrittenCore { id: node.id.to_string(), port: node.port };
    let host = own.first().map(|node| node.host.clone()).unwrap_or_default();
    let written = Written { host, cores: own.iter().map(core).collect() };
    serde_json::to_vec(&written).expect("numbers and texts can be written")
}

fn read_registration(process: &NodeId, incarnation: u64, value: &[u8]) -> Option<Vec<MapNode>> {
    let written: Written = serde_json::from_slice(value).ok()?;
    let node = |core: &WrittenCore| {
        let id = NodeId::parse(core.id.as_bytes())?;
        Some(MapNode { id, process: *process, host: written.host.clone(), port: core.port, incarnation })
    };
    written.cores.iter().map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_engine::key::SlotId;
    use whimbrel_engine::topology::SlotRange;

    fn keys() -> Keys {
        Keys::new("test")
    }

    fn nodes(process: u64) -> Vec<MapNode> {
        let node = |core: u16| MapNode {
            id: NodeId::derived(process, core),
            process: NodeId::of_process(process),
            host: format!("10.0.0.{process}"),
            port: 7000 + core,
            incarnation: 0,
        };
        vec![node(0), node(1)]
    }

    fn registration(process: u64, created: u64) -> KeyValue {
        KeyValue {
            key: keys().registration(&NodeId::of_process(process)),
            value: write_registration(&nodes(process)),
            create_revision: created,
            mod_revision: created,
        }
    }

    fn map(epoch: u64, owner: u64, changed: u64) -> KeyValue {
        let mut map = SlotMap::new(epoch, 0, nodes(owner)).unwrap();
        map.give(SlotRange::new(0, 9).unwrap(), &NodeId::derived(owner, 0)).unwrap();
        let value = codec::encode_owners(&map);
        KeyValue { key: keys().map, value, create_revision: 2, mod_revision: changed }
    }

    fn owner(map: &SlotMap) -> Option<(NodeId, u64)> {
        map.owner(SlotId::new(0).unwrap()).map(|node| (node.id, node.incarnation))
    }

    #[test]
    fn a_view_is_the_store_at_one_revision() {
        let (keys, own) = (keys(), nodes(1));
        let mut view = View::default();
        assert_eq!((view.map_changed(), view.slot_map(&own).nodes().len()), (Some(0), 2));
        let pairs = vec![registration(1, 5), registration(2, 6), map(3, 2, 8)];
        assert!(view.apply(&keys, Update::All { revision: 9, pairs }));
        let now = view.slot_map(&own);
        assert_eq!((now.epoch(), now.revision(), now.nodes().len()), (3, 9, 4));
        assert_eq!(owner(&now), Some((NodeId::derived(2, 0), 6)));
        assert_eq!(view.incarnation(&keys, &NodeId::of_process(1)), 5);

        // What came before is known, also when it is heard again.
        let changes = vec![(map(2, 1, 7), false)];
        assert!(!view.apply(&keys, Update::Changes { revision: 9, changes }));
        let changes =
            vec![(map(2, 1, 7), false), (KeyValue { mod_revision: 10, ..registration(2, 6) }, true)];
        assert!(view.apply(&keys, Update::Changes { revision: 10, changes }));
        let now = view.slot_map(&own);
        assert_eq!((owner(&now), now.nodes().len()), (Some((NodeId::derived(2, 0), 0)), 3));
        assert!(!view.apply(&keys, Update::All { revision: 10, pairs: Vec::new() }));
        assert!(view.apply(&keys, Update::All { revision: 11, pairs: Vec::new() }));
        let now = view.slot_map(&own);
        assert_eq!((owner(&now), now.nodes().len(), view.map_changed()), (None, 2, Some(0)));
    }

    #[test]
    fn a_map_that_cannot_be_read_changes_nothing() {
        let (keys, own) = (keys(), nodes(1));
        let mut view = View::default();
        assert!(view.apply(&keys, Update::All { revision: 9, pairs: vec![map(3, 1, 8)] }));
        let broken = KeyValue { value: b"?".to_vec(), mod_revision: 10, ..map(3, 1, 8) };
        for update in [
            Update::Changes { revision: 10, changes: vec![(broken.clone(), false)] },
            Update::All { revision: 11, pairs: vec![broken] },
        ] {
            assert!(view.apply(&keys, update));
            assert_eq!(view.map_changed(), None);
            assert_eq!(owner(&view.slot_map(&own)), Some((NodeId::derived(1, 0), 0)));
        }
        assert!(view.apply(&keys, Update::Changes { revision: 12, changes: vec![(map(4, 2, 12), false)] }));
        assert_eq!((view.map_changed(), view.slot_map(&own).epoch()), (Some(12), 4));
    }

    #[test]
    fn what_is_no_registration_is_left_out() {
        let (keys, mut view) = (keys(), View::default());
        let broken = KeyValue { value: b"{}".to_vec(), ..registration(2, 6) };
        let stranger = KeyValue { key: "/whimbrel/test/else".to_owned(), ..registration(2, 6) };
        assert!(view.apply(&keys, Update::All { revision: 9, pairs: vec![broken, stranger] }));
        assert_eq!(view.slot_map(&nodes(1)).nodes().len(), 2);
    }
}
