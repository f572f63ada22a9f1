//! Links: connections that carry lanes between nodes, as the reactor sees them.
//!
//! The source's are opened elsewhere and adopted; they are no clients. The target's begin as clients, which give a password
//! where one is needed, and become links by CLUSTER LINK.

use whimbrel_engine::session::Session;
use whimbrel_net::{ConnectionId, Io};

use super::super::CoreService;
use super::super::connection::Connection;
use super::super::message::Message;
use super::wire::{Part, Wire};

/// Bytes of a lane that wait to be applied, above which it is not read.
const INBOX_BYTES_MAX: usize = 256 * 1024;

impl CoreService {
    /// A client has become a link: it counts as a client no more.
    pub(in super::super) fn become_link(
        &mut self,
        io: &mut Io<Message>,
        connection: &mut Connection,
        session: &mut Session,
    ) {
        io.receive_in_bulk(connection.id);
        connection.is_link = true;
        session.is_link = true;
        self.shared.clients.leave();
        self.take_arrival_wire(Wire::Socket(connection.id));
    }

    /// Bytes on a connection that is no client's, or no client's any more.
    pub(in super::super) fn read_link(&mut self, io: &mut Io<Message>, id: ConnectionId, bytes: &[u8]) {
        let wire = Wire::Socket(id);
        if self.connection(id).is_some() {
            self.read_wire(io, wire, bytes);
            self.hold_back(io);
        } else {
            self.take_answer(io, wire, Part::Bytes(bytes.to_vec()));
        }
    }

    /// The other end of a link is gone.
    pub(in super::super) fn close_link(&mut self, io: &mut Io<Message>, id: ConnectionId, is_target: bool) {
        let wire = Wire::Socket(id);
        if is_target { self.lose_wire(io, wire) } else { self.take_answer(io, wire, Part::Close) }
    }

    /// Reads lanes whose bytes are applied in time, and no others.
    pub(super) fn hold_back(&mut self, io: &mut Io<Message>) {
        for (id, waiting_bytes) in self.moves.arrivals.sockets() {
            let Some(connection) = self.connection(id) else { continue };
            let is_paused = connection.reading_paused;
            if !is_paused && waiting_bytes >= INBOX_BYTES_MAX {
                connection.reading_paused = true;
                io.pause_reading(id);
            } else if is_paused && waiting_bytes <= INBOX_BYTES_MAX / 2 {
                connection.reading_paused = false;
                io.resume_reading(id);
            }
        }
    }
}
