//! A slot map as bytes: JSON that an operator can read in the store, and that a source hands to its target.

use std::fmt;

use serde::{Deserialize, Serialize};
use whimbrel_engine::topology::{MapFault, MapNode, NodeId, SlotMap, SlotRange};

/// The version of the form; another one is refused.
const FORM: u32 = 1;

/// Why bytes are no map.
#[derive(Debug)]
#[non_exhaustive]
pub enum MapError {
    /// They are not of this form.
    Json(serde_json::Error),
    /// They are of a later form: this process is too old for its cluster.
    Form(u32),
    /// An id is not 40 hexadecimal digits.
    Id(String),
    /// A range is not one of slots.
    Range([usize; 2]),
    /// The parts do not fit together.
    Fault(MapFault),
}

impl fmt::Display for MapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "no slot map: {error}"),
            Self::Form(form) => write!(f, "a slot map of form {form}, which this version does not know"),
            Self::Id(text) => write!(f, "{text:?} is no node's id"),
            Self::Range([first, last]) => write!(f, "{first}-{last} is no range of slots"),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    form: u32,
    epoch: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    revision: u64,
    nodes: Vec<WrittenNode>,
}

#[derive(Serialize, Deserialize)]
struct WrittenNode {
    id: String,
    process: String,
    host: String,
    port: u16,
    #[serde(default, skip_serializing_if = "is_zero")]
    incarnation: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    slots: Vec<[usize; 2]>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The whole map.
pub fn encode(map: &SlotMap) -> Vec<u8> {
    written(map, map.revision(), |_| true, |node| node.incarnation)
}

/// What the store keeps of a map: the owners. Who is there, it knows by their registrations.
pub fn encode_owners(map: &SlotMap) -> Vec<u8> {
    written(map, 0, |slots| !slots.is_empty(), |_| 0)
}

fn written(
    map: &SlotMap,
    revision: u64,
    keep: impl Fn(&[[usize; 2]]) -> bool,
    incarnation: impl Fn(&MapNode) -> u64,
) -> Vec<u8> {
    let nodes = map.nodes().iter().map(|node| WrittenNode {
        id: node.id.to_string(),
        process: node.process.to_string(),
        host: node.host.clone(),
        port: node.port,
        incarnation: incarnation(node),
        slots: Vec::new(),
    });
    let mut nodes: Vec<WrittenNode> = nodes.collect();
    for (range, place) in map.ranges_by_place() {
        nodes[place].slots.push([range.first().number(), range.last().number()]);
    }
    nodes.retain(|node| keep(&node.slots));
    let written = Written { form: FORM, epoch: map.epoch(), revision, nodes };
    serde_json::to_vec(&written).expect("numbers and texts can be written")
}

/// Reads a map.
pub fn decode(bytes: &[u8]) -> Result<SlotMap, MapError> {
    let written: Written = serde_json::from_slice(bytes).map_err(MapError::Json)?;
    if written.form != FORM {
        return Err(MapError::Form(written.form));
    }
    let id = |text: &str| NodeId::parse(text.as_bytes()).ok_or_else(|| MapError::Id(text.to_owned()));
    let mut nodes = Vec::with_capacity(written.nodes.len());
    for node in &written.nodes {
        nodes.push(MapNode {
            id: id(&node.id)?,
            process: id(&node.process)?,
            host: node.host.clone(),
            port: node.port,
            incarnation: node.incarnation,
        });
    }
    let ids: Vec<NodeId> = nodes.iter().map(|node| node.id).collect();
    let mut map = SlotMap::new(written.epoch, written.revision, nodes).map_err(MapError::Fault)?;
    for (owner, node) in ids.iter().zip(&written.nodes) {
        for [first, last] in &node.slots {
            let range = SlotRange::new(*first, *last).ok_or(MapError::Range([*first, *last]))?;
            map.give(range, owner).map_err(MapError::Fault)?;
        }
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_engine::key::SlotId;

    fn map() -> SlotMap {
        let node = |number: u16, incarnation| MapNode {
            id: NodeId::derived(1, number),
            process: NodeId::of_process(1),
            host: "10.0.0.1".to_owned(),
            port: 7000 + number,
            incarnation,
        };
        let map = SlotMap::even(4, 77, vec![node(0, 9), node(1, 0)]).unwrap();
        let map = map.with([SlotId::new(3).unwrap()], Some(&NodeId::derived(1, 1)), 5).unwrap();
        map.with([SlotId::new(0).unwrap()], None, 6).unwrap()
    }

    #[test]
    fn a_map_comes_back_as_it_was() {
        let map = map();
        assert_eq!(decode(&encode(&map)).unwrap(), map);
    }

    #[test]
    fn the_store_keeps_the_owners_alone() {
        let map = map();
        let idle = map.with(SlotRange::new(8192, 16383).unwrap().slots(), None, 7).unwrap();
        let idle = idle.with([SlotId::new(3).unwrap()], None, 8).unwrap();
        let kept = decode(&encode_owners(&idle)).unwrap();
        assert_eq!((kept.epoch(), kept.revision(), kept.nodes().len()), (8, 0, 1));
        assert_eq!((kept.nodes()[0].incarnation, kept.assigned()), (0, idle.assigned()));
    }

    #[test]
    fn what_is_no_map_is_told() {
        let id = "a".repeat(40);
        let node = |slots: &str| {
            format!("{{\"id\":\"{id}\",\"process\":\"{id}\",\"host\":\"h\",\"port\":1,\"slots\":{slots}}}")
        };
        let map = |form: u32, nodes: &str| format!("{{\"form\":{form},\"epoch\":1,\"nodes\":[{nodes}]}}");
        let cases = [
            ("".to_owned(), "no slot map"),
            (map(2, ""), "form 2"),
            (map(1, &node("[[5,4]]")), "5-4 is no range"),
            (map(1, &node("[[0,16384]]")), "0-16384 is no range"),
            (map(1, &node("[[0,5],[5,6]]")), "slot 5 to two nodes"),
            (map(1, &format!("{},{}", node("[]"), node("[]"))), "twice"),
            (map(1, &node("[]").replace("\"process\":\"a", "\"process\":\"")), "is no node's id"),
        ];
        for (text, expected) in cases {
            let error = decode(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
