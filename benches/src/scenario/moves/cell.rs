//! The cells: what is moved, under which load, over which link, and what is done to it meanwhile.

use std::ops::RangeInclusive;

use crate::scenario::cell::Dataset;
use crate::scenario::moves::heavy::Heavy;

/// First and last slot of those that move.
pub const MOVING: (u16, u16) = (0, 8191);
/// The slot that moves alone in the cell with a heavy one.
pub const HEAVY_SLOT: u16 = 4000;
/// Keys beside it.
const LIGHT_KEYS: u64 = 100_000;
/// Keys over all slots.
const KEYS: u64 = 1_000_000;
/// Keys where a gigabyte is to move.
const KEYS_OF_A_GIGABYTE: u64 = 4 * KEYS;
/// Bytes of a value.
const VALUE_BYTES: usize = 512;

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub struct MoveCell {
    /// Names it in tables and results.
    pub name: &'static str,
    /// What the nodes hold.
    pub dataset: Dataset,
    /// What its slot holds besides, where a heavy one moves alone, between nodes that both have slots.
    pub heavy: Option<Heavy>,
    /// SETs meanwhile, into moving and staying slots alike.
    pub load: Load,
    /// How the nodes reach each other.
    pub link: Link,
    /// What is watched or done.
    pub purpose: Purpose,
}

/// SETs over all keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Load {
    /// None.
    Idle,
    /// This many a second.
    Rate(f64),
    /// Half of what the source answers in a closed loop.
    Half,
}

/// How source and target reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Over the loopback interface.
    Loopback,
    /// Over a link that carries nothing else, between network namespaces.
    Own,
    /// They are two cores of one process.
    Mailboxes,
}

/// What a cell is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Time and CPU.
    Plain,
    /// Replies of probes in moving and in staying slots.
    Latency,
    /// Memory of the source, which costs too much to read while latency is measured.
    Memory,
    /// The link is cut once when nine tenths have gone over it.
    Cut,
    /// Whimbrel's cap on the link, in bytes a second.
    Cap(u64),
    /// The longest turns of the nodes' cores.
    Turns,
}

/// All cells, in the order in which they are measured; `rate` is the load's SETs a second.
pub fn cells(rate: f64) -> Vec<MoveCell> {
    let cell = |name, load, link, purpose| MoveCell {
        name,
        dataset: Dataset::strings(KEYS, VALUE_BYTES),
        heavy: None,
        load,
        link,
        purpose,
    };
    let gigabyte =
        |cell: MoveCell| MoveCell { dataset: Dataset { keys: KEYS_OF_A_GIGABYTE, ..cell.dataset }, ..cell };
    vec![
        cell("idle", Load::Idle, Link::Loopback, Purpose::Plain),
        cell("load", Load::Rate(rate), Link::Loopback, Purpose::Latency),
        cell("memory", Load::Rate(rate), Link::Loopback, Purpose::Memory),
        gigabyte(cell("cores", Load::Idle, Link::Mailboxes, Purpose::Plain)),
        gigabyte(cell("cores-load", Load::Rate(rate), Link::Mailboxes, Purpose::Latency)),
        gigabyte(cell("uncut", Load::Idle, Link::Own, Purpose::Plain)),
        gigabyte(cell("cut", Load::Idle, Link::Own, Purpose::Cut)),
        cell("cap10", Load::Half, Link::Own, Purpose::Cap(10_000_000)),
        cell("cap50", Load::Half, Link::Own, Purpose::Cap(50_000_000)),
        cell("cap200", Load::Half, Link::Own, Purpose::Cap(200_000_000)),
        MoveCell {
            dataset: Dataset::strings(LIGHT_KEYS, VALUE_BYTES),
            heavy: Some(Heavy::FULL),
            ..cell("heavy", Load::Idle, Link::Loopback, Purpose::Turns)
        },
    ]
}

impl MoveCell {
    /// Only Whimbrel can be measured in it.
    pub fn is_for_whimbrel_alone(&self) -> bool {
        self.link == Link::Mailboxes || matches!(self.purpose, Purpose::Cap(_) | Purpose::Turns)
    }

    /// First and last slot of those that move.
    pub fn moving(&self) -> (u16, u16) {
        if self.heavy.is_some() { (HEAVY_SLOT, HEAVY_SLOT) } else { MOVING }
    }

    /// Last slot of those that the source owns before.
    pub fn source_last(&self) -> u16 {
        if self.heavy.is_some() { MOVING.1 } else { 16_383 }
    }

    /// Slots of the probe that sees the move, and of the one beside it.
    pub fn probed(&self) -> [RangeInclusive<u16>; 2] {
        let (first, last) = self.moving();
        // Beside a slot that moves alone, some of the slots of both nodes, of which it is none.
        [first..=last, if self.heavy.is_some() { 0..=16_383 } else { last + 1..=16_383 }]
    }

    /// Bytes that users have handed over and that change hands with so many keys.
    pub fn moved_bytes(&self, keys: f64) -> f64 {
        match self.heavy {
            Some(heavy) => heavy.payload_bytes() as f64,
            None => keys * self.dataset.payload_bytes() as f64,
        }
    }

    /// Probes run beside the load. Where it is the load's own replies that count, they would take a quarter of the client's CPU for nothing.
    pub fn has_probes(&self) -> bool {
        self.purpose == Purpose::Latency
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_peers_take_part_where_they_can() {
        let cells = cells(25_000.0);
        let names: BTreeSet<&str> = cells.iter().map(|cell| cell.name).collect();
        assert_eq!(names.len(), cells.len());
        let alone: Vec<&str> =
            cells.iter().filter(|cell| cell.is_for_whimbrel_alone()).map(|cell| cell.name).collect();
        assert_eq!(alone, ["cores", "cores-load", "cap10", "cap50", "cap200", "heavy"]);
    }
}
