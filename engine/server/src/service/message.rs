//! What cores send one another, and how several commands or replies are packed into one message.

use std::sync::Arc;

use whimbrel_engine::config::Config;
use whimbrel_engine::key::SlotId;
use whimbrel_engine::resp::{ArgumentRange, Arguments, OwnedArguments, Protocol};
use whimbrel_engine::session::ClientId;
use whimbrel_engine::topology::{Heir, HeirId, NodeId, SlotMap};
use whimbrel_migration::MoveId;

use super::moves::{Given, Level, LinkOutcome, LinkRequest, Part};
use super::replies::Ticket;
use crate::control::change::{Assignment, Conclusion};

/// Runs that bring keys' states about, or say what a command did to them.
pub type Effects = Vec<(SlotId, Vec<u8>)>;

/// What cores send one another.
pub enum Message {
    /// Commands whose keys the receiver owns, packed.
    Commands(Vec<u8>),
    /// Replies to them, packed.
    Replies(Vec<u8>),
    /// The receiver's part in a gathered command.
    Gather { number: u64, caller: ClientId, arguments: OwnedArguments },
    /// What the part came to.
    Part { number: u64, outcome: Result<Vec<u8>, String> },
    /// Lock these slots for a command over several cores.
    Lock { number: u64, slots: Vec<SlotId> },
    /// They are locked.
    Locked { number: u64 },
    /// Run your share of a command that is cut by key, then unlock.
    Run { number: u64, arguments: OwnedArguments, protocol: Protocol },
    /// What the share answered.
    Ran { number: u64, reply: Vec<u8> },
    /// Say what these keys hold.
    Fetch { number: u64, keys: Vec<Vec<u8>> },
    /// What they hold.
    Fetched { number: u64, effects: Effects },
    /// Do this to your keys, then unlock.
    Apply { number: u64, effects: Effects },
    /// It is done.
    Applied { number: u64 },
    /// Let further commands of this level for these slots wait, and say when none is under way.
    Hold { number: u64, level: Level, slots: Arc<[SlotId]> },
    /// None is.
    Held { number: u64 },
    /// Commands for these slots run again: where they did, or at this heir, which has been given them.
    Release { slots: Arc<[SlotId]>, given: Option<Given> },
    /// What came to the sender as this heir is served there.
    Settled(HeirId),
    /// Move these slots of yours.
    BeginMove { id: MoveId, target: NodeId, slots: Vec<SlotId> },
    /// End the move of this name, or all that begin at you.
    CancelMoves { name: Option<String> },
    /// To the housekeeping thread: open a link to another node. Answered by `LinkOpened`.
    OpenLink(Box<LinkRequest>),
    /// From the housekeeping thread: the link, or why there is none.
    LinkOpened(LinkOutcome),
    /// Something on a wire of a move; outward is from the source to the target.
    Wire { number: u64, is_outward: bool, part: Part },
    /// To the housekeeping thread: make the configuration file say this.
    RewriteConfig { to: ReturnAddress, config: Box<Config> },
    /// To the housekeeping thread: have the map name this heir. Answered by `Appointed`.
    Appoint(Box<Heir>),
    /// To the housekeeping thread: have the map name this heir no more. The maps that follow are the answer.
    Conclude(HeirId, Conclusion),
    /// To the housekeeping thread: answer with the map as it is now at its keeper, by `Map`, and then by `MapRead`.
    ReadMap,
    /// From the housekeeping thread: the last `Map` is at least as new as `ReadMap` asked for.
    MapRead,
    /// To the housekeeping thread: an operator gives slots out, or takes them.
    Assign { to: ReturnAddress, change: Assignment },
    /// From the housekeeping thread: the map that names an heir, as it is written, or why there is none.
    Appointed { heir: HeirId, outcome: Result<Vec<u8>, String> },
    /// From the housekeeping thread: who owns what. It may be one that the core knows already.
    Map(Arc<SlotMap>),
    /// End after this loop.
    Stop,
}

/// Where a reply belongs: a connection of the core that forwarded the command, and its place in line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReturnAddress {
    pub connection: u64,
    pub ticket: Ticket,
}

/// Appends a command to a packed message.
pub fn pack_command(into: &mut Vec<u8>, to: ReturnAddress, protocol: Protocol, arguments: &Arguments<'_>) {
    put_address(into, to);
    into.push((protocol == Protocol::Resp3) as u8);
    into.extend((arguments.len() as u32).to_le_bytes());
    for argument in arguments.iter() {
        into.extend((argument.len() as u32).to_le_bytes());
        into.extend_from_slice(argument);
    }
}

/// Takes the next command off a packed message; `ranges` then say where its arguments lie in the answer's bytes.
pub fn unpack_command<'m>(
    rest: &mut &'m [u8],
    ranges: &mut Vec<ArgumentRange>,
) -> Option<(ReturnAddress, Protocol, &'m [u8])> {
    let to = take_address(rest)?;
    let (is_resp3, behind) = rest.split_first()?;
    *rest = behind;
    let count = take_u32(rest)?;
    let bytes = *rest;
    ranges.clear();
    for _ in 0..count {
        let length = take_u32(rest)? as usize;
        let start = bytes.len() - rest.len();
        *rest = rest.get(length..)?;
        ranges.push(ArgumentRange::new(start, start + length));
    }
    let protocol = if *is_resp3 == 1 { Protocol::Resp3 } else { Protocol::Resp2 };
    Some((to, protocol, bytes))
}

/// Appends a reply to a packed message.
pub fn pack_reply(into: &mut Vec<u8>, to: ReturnAddress, reply: &[u8]) {
    put_address(into, to);
    into.extend((reply.len() as u64).to_le_bytes());
    into.extend_from_slice(reply);
}

/// Takes the next reply off a packed message.
pub fn unpack_reply<'m>(rest: &mut &'m [u8]) -> Option<(ReturnAddress, &'m [u8])> {
    let to = take_address(rest)?;
    let (length, behind) = rest.split_first_chunk::<8>()?;
    let (reply, behind) = behind.split_at_checked(u64::from_le_bytes(*length) as usize)?;
    *rest = behind;
    Some((to, reply))
}

fn put_address(into: &mut Vec<u8>, to: ReturnAddress) {
    into.extend(to.connection.to_le_bytes());
    into.extend(to.ticket.to_le_bytes());
}

fn take_address(rest: &mut &[u8]) -> Option<ReturnAddress> {
    let (connection, behind) = rest.split_first_chunk::<8>()?;
    *rest = behind;
    Some(ReturnAddress { connection: u64::from_le_bytes(*connection), ticket: take_u32(rest)? })
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    let (number, behind) = rest.split_first_chunk::<4>()?;
    *rest = behind;
    Some(u32::from_le_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_commands_and_replies_come_back_in_order() {
        let mut packed = Vec::new();
        let commands: Vec<OwnedArguments> = [vec!["get", "k"], vec!["ping"], vec!["set", "", "v"]]
            .into_iter()
            .map(OwnedArguments::from_iter)
            .collect();
        for (ticket, command) in commands.iter().enumerate() {
            let to = ReturnAddress { connection: 7 << 32, ticket: ticket as u32 };
            pack_command(&mut packed, to, Protocol::Resp3, &command.view());
        }
        let (mut rest, mut ranges) = (&packed[..], Vec::new());
        for (ticket, command) in commands.iter().enumerate() {
            let (to, protocol, bytes) = unpack_command(&mut rest, &mut ranges).expect("a command");
            assert_eq!((to.connection, to.ticket, protocol), (7 << 32, ticket as u32, Protocol::Resp3));
            assert_eq!(OwnedArguments::copy(&Arguments::new(bytes, &ranges)), *command);
        }
        assert!(rest.is_empty() && unpack_command(&mut rest, &mut ranges).is_none());

        let mut packed = Vec::new();
        let to = ReturnAddress { connection: 1, ticket: u32::MAX };
        pack_reply(&mut packed, to, b"+OK\r\n");
        pack_reply(&mut packed, to, b"");
        let mut rest = &packed[..];
        assert_eq!(unpack_reply(&mut rest), Some((to, &b"+OK\r\n"[..])));
        assert_eq!(unpack_reply(&mut rest), Some((to, &b""[..])));
        assert_eq!(unpack_reply(&mut rest), None);
    }
}
