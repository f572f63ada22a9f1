//! A slot map as bytes: JSON that an operator can read in the store, and that a source hands to its target.

use std::fmt;

use serde::{Deserialize, Serialize};
use whimbrel_engine::topology::{Heir, HeirId, MapFault, MapNode, NodeId, SlotMap, SlotRange, ranges_of};

/// The version of the form; a later one is refused. The first one knew no heirs.
const FORM: u32 = 2;

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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    heirs: Vec<WrittenHeir>,
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

#[derive(Serialize, Deserialize)]
struct WrittenHeir {
    /// The move, in hexadecimal digits; its batch, and the batch's life.
    job: String,
    number: u32,
    life: u32,
    source: String,
    source_incarnation: u64,
    target: String,
    target_incarnation: u64,
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

/// What the store keeps of a map: the owners and their heirs. Who is there, it knows by their registrations.
pub fn encode_owners(map: &SlotMap) -> Vec<u8> {
    written(
        map,
        0,
        |node| !node.slots.is_empty() || map.heirs().iter().any(|heir| heir.target.as_str() == node.id),
        |_| 0,
    )
}

fn written(
    map: &SlotMap,
    revision: u64,
    keep: impl Fn(&WrittenNode) -> bool,
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
    nodes.retain(keep);
    let heirs = map.heirs().iter().map(write_heir).collect();
    let written = Written { form: FORM, epoch: map.epoch(), revision, nodes, heirs };
    serde_json::to_vec(&written).expect("numbers and texts can be written")
}

fn write_heir(heir: &Heir) -> WrittenHeir {
    let ranges = ranges_of(&heir.slots);
    WrittenHeir {
        job: format!("{:x}", heir.id.job),
        number: heir.id.number,
        life: heir.id.life,
        source: heir.source.to_string(),
        source_incarnation: heir.source_incarnation,
        target: heir.target.to_string(),
        target_incarnation: heir.target_incarnation,
        slots: ranges.iter().map(|range| [range.first().number(), range.last().number()]).collect(),
    }
}

fn read_id(text: &str) -> Result<NodeId, MapError> {
    NodeId::parse(text.as_bytes()).ok_or_else(|| MapError::Id(text.to_owned()))
}

fn read_range([first, last]: [usize; 2]) -> Result<SlotRange, MapError> {
    SlotRange::new(first, last).ok_or(MapError::Range([first, last]))
}

fn read_heir(written: &WrittenHeir) -> Result<Heir, MapError> {
    let job = u128::from_str_radix(&written.job, 16).map_err(|_| MapError::Id(written.job.clone()))?;
    let mut slots = Vec::new();
    for range in &written.slots {
        slots.extend(read_range(*range)?.slots());
    }
    Ok(Heir {
        id: HeirId { job, number: written.number, life: written.life },
        source: read_id(&written.source)?,
        source_incarnation: written.source_incarnation,
        target: read_id(&written.target)?,
        target_incarnation: written.target_incarnation,
        slots,
    })
}

/// Reads a map.
pub fn decode(bytes: &[u8]) -> Result<SlotMap, MapError> {
    let written: Written = serde_json::from_slice(bytes).map_err(MapError::Json)?;
    if !(1..=FORM).contains(&written.form) {
        return Err(MapError::Form(written.form));
    }
    let mut nodes = Vec::with_capacity(written.nodes.len());
    for node in &written.nodes {
        nodes.push(MapNode {
            id: read_id(&node.id)?,
            process: read_id(&node.process)?,
            host: node.host.clone(),
            port: node.port,
            incarnation: node.incarnation,
        });
    }
    let ids: Vec<NodeId> = nodes.iter().map(|node| node.id).collect();
    let mut map = SlotMap::new(written.epoch, written.revision, nodes).map_err(MapError::Fault)?;
    for (owner, node) in ids.iter().zip(&written.nodes) {
        for range in &node.slots {
            map.give(read_range(*range)?, owner).map_err(MapError::Fault)?;
        }
    }
    for heir in &written.heirs {
        map.appoint(read_heir(heir)?).map_err(MapError::Fault)?;
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

    fn heir() -> Heir {
        Heir {
            id: HeirId { job: u128::MAX, number: 3, life: 2 },
            source: NodeId::derived(1, 0),
            source_incarnation: 9,
            target: NodeId::derived(1, 1),
            target_incarnation: 8,
            slots: [7, 5, 6, 100].map(|number| SlotId::new(number).unwrap()).to_vec(),
        }
    }

    #[test]
    fn a_map_comes_back_as_it_was() {
        let map = map();
        assert_eq!(decode(&encode(&map)).unwrap(), map);
        let sorted =
            Heir { slots: [5, 6, 7, 100].map(|number| SlotId::new(number).unwrap()).to_vec(), ..heir() };
        let read = decode(&encode(&map.with_heir(heir(), 7).unwrap())).unwrap();
        assert_eq!(read, map.with_heir(sorted, 7).unwrap());
    }

    #[test]
    fn the_store_keeps_the_owners_alone() {
        let map = map();
        let idle = map.with(SlotRange::new(8192, 16383).unwrap().slots(), None, 7).unwrap();
        let idle = idle.with([SlotId::new(3).unwrap()], None, 8).unwrap();
        let kept = decode(&encode_owners(&idle)).unwrap();
        assert_eq!((kept.epoch(), kept.revision(), kept.nodes().len()), (8, 0, 1));
        assert_eq!((kept.nodes()[0].incarnation, kept.assigned()), (0, idle.assigned()));
        let kept = decode(&encode_owners(&idle.with_heir(heir(), 9).unwrap())).unwrap();
        assert_eq!((kept.nodes().len(), kept.heirs()[0].id), (2, heir().id));
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
            (map(3, ""), "form 3"),
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
