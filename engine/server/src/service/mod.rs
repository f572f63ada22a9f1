//! The service of one core: joins the reactor's bytes with the engine's commands.
//!
//! A connection's commands run in the order in which they came. What runs on another core is forwarded; the replies wait
//! in line (`replies`). A command that needs several cores (`transaction`), a locked slot (`locks`) or a pause holds its
//! connection until it is done; the connection's further commands wait as they came.

mod background;
mod clients;
mod connection;
mod core_clock;
mod forward;
mod gather;
mod input;
mod locks;
pub(crate) mod message;
mod moves;
mod observe;
mod ownership;
mod replies;
mod routing;
mod run;
mod settings;
mod timing;
mod transaction;

use std::collections::VecDeque;
use std::sync::Arc;

use whimbrel_engine::core::{Core, Now};
use whimbrel_engine::key::SlotId;
use whimbrel_engine::resp::{ArgumentRange, Batch, Reply};
use whimbrel_engine::session::Session;
use whimbrel_net::{ConnectionId, Io, ListenerId, Monotonic, PeerAddress, Service, Wake};

use connection::Connection;
use message::Message;
pub use run::serve;

/// What a core stands on besides the engine's state.
pub struct CoreService {
    core: Core,
    /// Which core this is, and of how many.
    index: usize,
    count: usize,
    clock: Clock,
    /// The address of each listener, as CLIENT LIST shows it.
    listeners: Vec<String>,
    /// By the place of the connection in the reactor.
    connections: Vec<Option<Box<Connection>>>,
    /// The place of the connection whose limits were looked at last.
    checked_last: usize,
    /// Parsed commands of one chunk; kept for its memory.
    batch: Batch,
    /// Hashes and slots of a batch's keys; kept for its memory.
    ahead: Vec<(u64, SlotId)>,
    /// Replies of one chunk; kept for its memory.
    reply: Reply,
    /// Runs what other cores forward.
    visitor: Session,
    /// Where the arguments of a forwarded command lie; kept for its memory.
    ranges: Vec<ArgumentRange>,
    timing: timing::Timing,
    locks: locks::SlotLocks,
    /// Forwarded commands whose slots are locked.
    parked: VecDeque<forward::Parked>,
    transactions: transaction::Transactions,
    gathers: gather::Gathers,
    outbox: forward::Outbox,
    moves: moves::Moves,
    /// Connections that may go on, because what held them is done.
    resumed: VecDeque<ConnectionId>,
    /// Connections that wait, and for what.
    held: Vec<(ConnectionId, connection::Hold)>,
    background: background::Due,
    /// Commands sent to other cores, and taken from them.
    forwarded_out: u64,
    forwarded_in: u64,
    looked: ownership::Looked,
    shared: Arc<run::Shared>,
}

/// Turns the reactor's instants into the engine's time.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// Unix time when the monotonic clock was at its origin, in microseconds, to a full millisecond (see `Now`).
    unix_origin_us: u64,
}

impl Clock {
    fn start() -> Clock {
        let unix_us = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| since.as_micros() as u64);
        let unix_origin_us = unix_us - Monotonic::now().microseconds();
        Clock { unix_origin_us: (unix_origin_us + 500) / 1000 * 1000 }
    }

    fn at(&self, instant: Monotonic) -> Now {
        let monotonic_us = instant.microseconds();
        Now { unix_ms: (self.unix_origin_us + monotonic_us) / 1000, monotonic_us }
    }
}

impl CoreService {
    fn now(&self, io: &Io<Message>) -> Now {
        self.clock.at(io.now())
    }

    fn connection(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.connections.get_mut(id.index())?.as_deref_mut().filter(|connection| connection.id == id)
    }

    /// Takes a connection out while its commands run; `put` brings it back.
    fn take(&mut self, id: ConnectionId) -> Option<Box<Connection>> {
        self.connections.get_mut(id.index())?.take_if(|connection| connection.id == id)
    }

    fn put(&mut self, connection: Box<Connection>) {
        let place = connection.id.index();
        self.connections[place] = Some(connection);
    }
}

impl Service for CoreService {
    type Message = Message;

    fn opened(&mut self, io: &mut Io<Message>, id: ConnectionId, listener: ListenerId, peer: &PeerAddress) {
        self.open(io, id, listener, peer);
    }

    fn foresee<'a>(&mut self, inputs: impl Iterator<Item = &'a [u8]>) {
        self.foresee_inputs(inputs);
    }

    fn received(&mut self, io: &mut Io<Message>, id: ConnectionId, bytes: &[u8]) {
        self.look_at_lease_once(io);
        self.receive(io, id, bytes);
    }

    fn end_of_input(&mut self, io: &mut Io<Message>, id: ConnectionId) {
        let Some(connection) = self.connection(id).filter(|connection| !connection.is_link) else {
            return io.close(id);
        };
        connection.input_ended = true;
        self.resumed.push_back(id);
    }

    fn closed(&mut self, io: &mut Io<Message>, id: ConnectionId) {
        let Some(connection) = self.take(id) else { return self.close_link(io, id, false) };
        self.core.sessions.remove(connection.session);
        if connection.is_link {
            return self.close_link(io, id, true);
        }
        self.shared.clients.leave();
    }

    fn output_drained(&mut self, _: &mut Io<Message>, id: ConnectionId) {
        if let Some(connection) = self.connection(id) {
            connection.draining = false;
            self.resumed.push_back(id);
        }
    }

    fn message(&mut self, io: &mut Io<Message>, from: usize, message: Message) {
        self.look_at_lease_once(io);
        self.read_message(io, from, message);
    }

    fn turn(&mut self, io: &mut Io<Message>, now: Monotonic) -> Wake {
        self.look_at_lease_once(io);
        self.note_loop(now);
        self.go_on(io);
        self.settle_group();
        let wake = background::earlier(self.drive_moves(io, now), self.work(io, now));
        self.cut_late_replies(io);
        if self.post(io) && self.resumed.is_empty() { wake } else { Wake::Now }
    }
}
