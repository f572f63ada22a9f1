//! What an operator asks to be moved: `SLOTSRANGE start end [start end ...] NODE id`, any number of times.

use std::fmt;

use super::Moves;
use crate::info::codec::{Reader, put_u64};
use crate::key::{SLOT_COUNT, SlotId};
use crate::number::parse_i64;
use crate::resp::Arguments;
use crate::shard::Shard;
use crate::topology::{NodeId, SlotRange, Topology};

/// Slots that are to go to one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveRequest {
    /// The slots; no two ranges overlap, neither here nor among the requests of one command.
    pub ranges: Vec<SlotRange>,
    /// Where they are to go.
    pub target: NodeId,
}

/// Why a request is refused. `Display` is the error without its code, in Valkey's words where it has some.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RequestError {
    /// Not the words that the command takes.
    Syntax,
    /// No slot has this number.
    Slot,
    /// A range has no end.
    NoEnd,
    /// A range ends before it begins.
    Reversed(usize, usize),
    /// Two ranges for one node share a slot.
    Overlap(SlotRange, SlotRange),
    /// Two nodes are to get the same slot.
    OverlappingMoves,
    /// SLOTSRANGE without a range.
    NoRanges,
    /// Nobody owns this slot.
    Unserved(SlotId),
    /// Another node owns some of the slots.
    Elsewhere,
    /// The slots of one request belong to several nodes.
    SeveralNodes,
    /// The node's name is not 40 digits.
    InvalidName(String),
    /// No node has this name.
    UnknownNode(String),
    /// The slots are to go to where they are.
    TargetIsSource,
    /// This slot moves already.
    Moving(SlotId),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("syntax error"),
            Self::Slot => f.write_str("Invalid or out of range slot"),
            Self::NoEnd => f.write_str("No end slot for final slot range"),
            Self::Reversed(first, last) => {
                write!(f, "Start slot number {first} is greater than end slot number {last}.")
            }
            Self::Overlap(range, before) => {
                let ends = |range: &SlotRange| (range.first().number(), range.last().number());
                let ((first, last), (first_before, last_before)) = (ends(range), ends(before));
                write!(
                    f,
                    "Slot range {first}-{last} overlaps with previous range {first_before}-{last_before}."
                )
            }
            Self::OverlappingMoves => f.write_str("Slot ranges in migrations overlap"),
            Self::NoRanges => f.write_str("No slot ranges specified"),
            Self::Unserved(slot) => write!(f, "Slot {} has no node served.", slot.number()),
            Self::Elsewhere => f.write_str("Slots are not served by this node."),
            Self::SeveralNodes => f.write_str("Requested slots span multiple shards"),
            Self::InvalidName(name) => write!(f, "Invalid node name: {name}"),
            Self::UnknownNode(name) => write!(f, "Unknown node name: {name}"),
            Self::TargetIsSource => f.write_str("Target node can not be this node."),
            Self::Moving(slot) => write!(f, "I am already migrating slot {}.", slot.number()),
        }
    }
}

impl MoveRequest {
    /// Reads the requests of one command, all of its words behind its name.
    pub fn parse(words: &Arguments<'_>) -> Result<Vec<Self>, RequestError> {
        let (mut requests, mut taken) = (Vec::new(), vec![false; SLOT_COUNT]);
        let mut at = 0;
        while at < words.len() {
            if !words.is(at, "SLOTSRANGE") {
                return Err(RequestError::Syntax);
            }
            let (ranges, behind) = parse_ranges(words, at + 1)?;
            for slot in ranges.iter().flat_map(|range| range.slots()) {
                if std::mem::replace(&mut taken[slot.number()], true) {
                    return Err(RequestError::OverlappingMoves);
                }
            }
            let name = words.opt(behind + 1).filter(|_| words.is(behind, "NODE"));
            let name = name.ok_or(RequestError::Syntax)?;
            let target = NodeId::parse(name)
                .ok_or_else(|| RequestError::InvalidName(String::from_utf8_lossy(name).into_owned()))?;
            requests.push(Self { ranges, target });
            at = behind + 2;
        }
        if requests.is_empty() { Err(RequestError::Syntax) } else { Ok(requests) }
    }

    /// Checks what can be known of a request without asking the slots' owners. `speaks_for_all`: this core answers for
    /// all cores of its process, not for itself alone.
    pub fn check(&self, topology: &Topology, speaks_for_all: bool) -> Result<(), RequestError> {
        for slot in self.slots() {
            let owner = topology.owner(slot).ok_or(RequestError::Unserved(slot))?;
            if owner != topology.myself() && !(speaks_for_all && topology.node(owner).core.is_some()) {
                return Err(RequestError::Elsewhere);
            }
            if topology.node(owner).id == self.target {
                return Err(RequestError::TargetIsSource);
            }
        }
        match topology.find(&self.target) {
            Some(_) => Ok(()),
            None => Err(RequestError::UnknownNode(self.target.to_string())),
        }
    }

    /// The slots, in order of the ranges.
    pub fn slots(&self) -> impl Iterator<Item = SlotId> {
        self.ranges.iter().flat_map(|range| range.slots())
    }
}

fn parse_ranges(words: &Arguments<'_>, from: usize) -> Result<(Vec<SlotRange>, usize), RequestError> {
    let slot = |at: usize| {
        let number = parse_i64(words.at(at)).and_then(|number| usize::try_from(number).ok());
        number.filter(|number| *number < SLOT_COUNT).ok_or(RequestError::Slot)
    };
    let (mut ranges, mut at) = (Vec::<SlotRange>::new(), from);
    while words.opt(at).is_some_and(|word| parse_i64(word).is_some()) {
        let first = slot(at)?;
        if at + 1 >= words.len() {
            return Err(RequestError::NoEnd);
        }
        let last = slot(at + 1)?;
        let range = SlotRange::new(first, last).ok_or(RequestError::Reversed(first, last))?;
        let overlaps = |other: &&SlotRange| range.first() <= other.last() && other.first() <= range.last();
        if let Some(other) = ranges.iter().find(overlaps) {
            return Err(RequestError::Overlap(range, *other));
        }
        ranges.push(range);
        at += 2;
    }
    if ranges.is_empty() { Err(RequestError::NoRanges) } else { Ok((ranges, at)) }
}

/// What a core has of a request's slots.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// Slots that it owns.
    pub slots: u64,
    /// Keys in them.
    pub keys: u64,
    /// Bytes that they take.
    pub bytes: u64,
    /// One of them that moves already.
    pub moving: Option<SlotId>,
}

impl Estimate {
    /// What this core has of the slots.
    pub fn of(request: &MoveRequest, topology: &Topology, shard: &Shard, moves: &Moves) -> Self {
        let mut estimate = Self::default();
        for slot in request.slots().filter(|slot| topology.owns(*slot)) {
            estimate.slots += 1;
            estimate.keys += shard.slot_keys(slot);
            estimate.bytes += shard.slot_bytes(slot);
            if estimate.moving.is_none() && moves.moving.contains(slot) {
                estimate.moving = Some(slot);
            }
        }
        estimate
    }

    /// Takes in what another core has.
    pub fn merge(&mut self, other: &Self) {
        self.slots += other.slots;
        self.keys += other.keys;
        self.bytes += other.bytes;
        self.moving = self.moving.or(other.moving);
    }

    /// Seconds that it takes at so many bytes a second, rounded up; 0 without a cap.
    pub fn seconds_at(&self, bytes_per_second: u64) -> u64 {
        if bytes_per_second == 0 { 0 } else { self.bytes.div_ceil(bytes_per_second) }
    }

    /// Appends it as bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let moving = self.moving.map_or(0, |slot| slot.number() as u64 + 1);
        [self.slots, self.keys, self.bytes, moving].into_iter().for_each(|number| put_u64(out, number));
    }

    /// Reads what `encode` wrote, one after the other.
    pub fn decode_all(bytes: &[u8]) -> Option<Vec<Self>> {
        let mut reader = Reader(bytes);
        let mut estimates = Vec::new();
        while !reader.0.is_empty() {
            let (slots, keys, bytes, moving) = (reader.u64()?, reader.u64()?, reader.u64()?, reader.u64()?);
            let moving = moving.checked_sub(1).and_then(|slot| SlotId::new(usize::try_from(slot).ok()?));
            estimates.push(Self { slots, keys, bytes, moving });
        }
        Some(estimates)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::OwnedArguments;

    fn parse(line: &str) -> Result<Vec<MoveRequest>, String> {
        let words: OwnedArguments = line.split(' ').collect();
        MoveRequest::parse(&words.view()).map_err(|error| error.to_string())
    }

    #[test]
    fn requests_are_read_whole_or_not_at_all() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let requests = parse(&format!("SLOTSRANGE 0 9 20 29 NODE {a} slotsrange 10 10 node {b}")).unwrap();
        assert_eq!(requests.iter().map(|request| request.slots().count()).collect::<Vec<_>>(), [20, 1]);
        assert_eq!(requests[1].target.as_str(), b);
        for (line, error) in [
            ("", "syntax error".to_owned()),
            ("SLOTSRANGE", "No slot ranges specified".to_owned()),
            ("SLOTSRANGE 0", "No end slot for final slot range".to_owned()),
            ("SLOTSRANGE 0 1", "syntax error".to_owned()),
            ("SLOTSRANGE 0 1 NODE", "syntax error".to_owned()),
            ("SLOTSRANGE 0 1 NODE x", "Invalid node name: x".to_owned()),
            ("SLOTSRANGE 0 16384 NODE x", "Invalid or out of range slot".to_owned()),
            ("SLOTSRANGE -1 5 NODE x", "Invalid or out of range slot".to_owned()),
            ("SLOTSRANGE 5 4 NODE x", "Start slot number 5 is greater than end slot number 4.".to_owned()),
            ("SLOTSRANGE 0 5 5 6 NODE x", "Slot range 5-6 overlaps with previous range 0-5.".to_owned()),
            (
                &format!("SLOTSRANGE 0 5 NODE {a} SLOTSRANGE 5 5 NODE {b}"),
                "Slot ranges in migrations overlap".to_owned(),
            ),
            (&format!("SLOTSRANGE 0 5 NODE {a} x"), "syntax error".to_owned()),
        ] {
            assert_eq!(parse(line), Err(error), "{line}");
        }
    }

    #[test]
    fn estimates_add_up_and_read_back() {
        let mut sum = Estimate { slots: 1, keys: 2, bytes: 300, moving: None };
        sum.merge(&Estimate { slots: 1, keys: 0, bytes: 1, moving: SlotId::new(0) });
        let mut bytes = Vec::new();
        sum.encode(&mut bytes);
        Estimate::default().encode(&mut bytes);
        assert_eq!(Estimate::decode_all(&bytes), Some(vec![sum, Estimate::default()]));
        assert_eq!(Estimate::decode_all(&bytes[..2]), None);
        assert_eq!((sum.seconds_at(0), sum.seconds_at(300), sum.seconds_at(301)), (0, 2, 1));
    }
}
