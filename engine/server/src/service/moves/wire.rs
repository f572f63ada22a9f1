//! Wires: what carries the bytes of a lane, within the process or between nodes.

use whimbrel_migration::Lane;
use whimbrel_net::{ConnectionId, Io};

use super::super::CoreService;
use super::super::message::Message;
use super::buffers::is_of_a_lane;

/// Above this a piece of a lane is handed to the kernel where it lies.
const PINNED_BYTES_MIN: usize = 16 * 1024;

/// What carries the bytes of a lane.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Wire {
    /// The mailbox of another core of this process; the source numbers its wires.
    Core { core: usize, number: u64 },
    /// A connection to another node.
    Socket(ConnectionId),
}

/// What happens on a wire between cores.
pub enum Part {
    /// It begins: what follows is a lane.
    Open,
    /// Bytes of the lane.
    Bytes(Vec<u8>),
    /// A large buffer that came with bytes goes back to where it was filled.
    Spent(Vec<u8>),
    /// The other end is done with it.
    Close,
}

/// At which end of a move this core is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Source,
    Target,
}

/// The wires of a batch.
#[derive(Clone, Copy, Default)]
pub struct Wires {
    by_lane: [Option<Wire>; 2],
}

impl Wires {
    pub fn get(&self, lane: Lane) -> Option<Wire> {
        self.by_lane[lane.index()]
    }

    /// Puts a wire in place; gives the one that was there.
    pub fn put(&mut self, lane: Lane, wire: Wire) -> Option<Wire> {
        self.by_lane[lane.index()].replace(wire)
    }

    /// Which lane a wire carries.
    pub fn lane_of(&self, wire: Wire) -> Option<Lane> {
        Lane::ALL.into_iter().find(|lane| self.get(*lane) == Some(wire))
    }

    /// Takes all wires away.
    pub fn take(&mut self) -> impl Iterator<Item = Wire> + use<> {
        std::mem::take(&mut self.by_lane).into_iter().flatten()
    }

    /// Forgets one.
    pub fn forget(&mut self, lane: Lane) {
        self.by_lane[lane.index()] = None;
    }
}

impl CoreService {
    /// Sends bytes of a lane. `end` is this core's.
    pub(super) fn send_on_wire(&mut self, io: &mut Io<Message>, end: End, wire: Wire, bytes: Vec<u8>) {
        match wire {
            Wire::Core { core, number } => {
                let is_outward = end == End::Source;
                self.outbox.message(core, Message::Wire { number, is_outward, part: Part::Bytes(bytes) });
            }
            Wire::Socket(id) if bytes.len() >= PINNED_BYTES_MIN => {
                io.send_pinned(id, Box::new(self.moves.buffers.lend(bytes)));
            }
            Wire::Socket(id) => {
                io.output(id).extend_from_slice(&bytes);
                self.moves.buffers.put(bytes);
            }
        }
    }

    /// Sends the buffer of a piece back that was read.
    pub(super) fn return_buffer(&mut self, wire: Wire, bytes: Vec<u8>) {
        if let Wire::Core { core, number } = wire
            && is_of_a_lane(&bytes)
        {
            self.outbox.message(core, Message::Wire { number, is_outward: false, part: Part::Spent(bytes) });
        }
    }

    /// Closes a wire when everything that was sent on it has gone out. `end` is this core's.
    pub(super) fn close_wire(&mut self, io: &mut Io<Message>, end: End, wire: Wire) {
        match wire {
            Wire::Core { core, number } => {
                let is_outward = end == End::Source;
                self.outbox.message(core, Message::Wire { number, is_outward, part: Part::Close });
            }
            Wire::Socket(id) => io.close(id),
        }
    }
}
