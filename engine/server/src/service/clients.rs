//! Connections that come, and the limits that they are held to.

use std::sync::atomic::{AtomicUsize, Ordering};

use whimbrel_engine::session::Session;
use whimbrel_net::{ConnectionId, Io, ListenerId, PeerAddress};

use super::CoreService;
use super::connection::Connection;
use super::message::Message;
use crate::protection;

/// How many clients all cores have together.
#[derive(Default)]
pub struct ClientCount(AtomicUsize);

impl ClientCount {
    /// Counts one more, unless that would be more than `clients_max`.
    fn enter(&self, clients_max: usize) -> bool {
        let entered = self.0.fetch_add(1, Ordering::Relaxed) < clients_max;
        if !entered {
            self.leave();
        }
        entered
    }

    pub fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl CoreService {
    pub(super) fn open(
        &mut self,
        io: &mut Io<Message>,
        id: ConnectionId,
        listener: ListenerId,
        peer: &PeerAddress,
    ) {
        let config = &self.core.config;
        if let PeerAddress::Tcp(address) = peer
            && !protection::admits(config, address.ip())
        {
            self.core.stats.rejected_connections += 1;
            return io.refuse(id, protection::DENIED.as_bytes());
        }
        if !self.shared.clients.enter(config.maxclients as usize) {
            self.core.stats.rejected_connections += 1;
            return io.refuse(id, b"-ERR max number of clients reached\r\n");
        }
        let local = self.listeners[listener.0 as usize].clone();
        let is_unix = *peer == PeerAddress::Unix;
        let now = self.now(io);
        let session = Session {
            peer: if is_unix { format!("{local}:0") } else { peer.to_string() },
            local: if is_unix { format!("{local}:0") } else { local },
            is_unix,
            authenticated: !self.core.needs_password(),
            created: now,
            active: now,
            ..Session::default()
        };
        self.core.stats.connections_received += 1;
        let session = self.core.sessions.insert(session);
        let place = id.index();
        if place >= self.connections.len() {
            self.connections.resize_with(place + 1, || None);
        }
        self.connections[place] = Some(Box::new(Connection::new(id, session)));
    }

    /// Whether a connection's output is above the hard limit, or was above the soft one for too long.
    pub(super) fn is_over_output_limit(
        &self,
        io: &Io<Message>,
        connection: &mut Connection,
        pending: usize,
    ) -> bool {
        let class =
            self.core.sessions.at(connection.session).map_or_else(Default::default, |session| session.class);
        let limit = self.core.config.client_output_buffer_limit.of(class);
        let pending = pending as u64;
        if limit.hard_bytes > 0 && pending >= limit.hard_bytes {
            return true;
        }
        if limit.soft_bytes == 0 || pending < limit.soft_bytes {
            connection.soft_limit_since_us = None;
            return false;
        }
        let now_us = io.now().microseconds();
        let since_us = *connection.soft_limit_since_us.get_or_insert(now_us);
        now_us - since_us >= limit.soft_seconds * 1_000_000
    }

    /// Closes connections that were idle for longer than `timeout`, or whose output stands above its limit: a few of
    /// them in each call, all of them in turn.
    pub(super) fn check_clients(&mut self, io: &mut Io<Message>) {
        /// Connections looked at in one call.
        const AT_ONCE: usize = 512;
        let now = self.now(io);
        let timeout_s = u64::from(self.core.config.timeout);
        for _ in 0..AT_ONCE.min(self.connections.len()) {
            self.checked_last = (self.checked_last + 1) % self.connections.len();
            let connection = self.connections[self.checked_last].take_if(|connection| !connection.is_link);
            let Some(mut connection) = connection else { continue };
            let idle_s = self.core.sessions.at(connection.session).map_or(0, |session| session.idle_s(now));
            let pending = io.output_pending_bytes(connection.id);
            if timeout_s > 0 && idle_s >= timeout_s && !connection.waits() {
                io.close(connection.id);
            } else if pending > 0 && self.is_over_output_limit(io, &mut connection, pending) {
                self.core.stats.output_limit_closed += 1;
                io.abort(connection.id);
            }
            self.put(connection);
        }
    }
}
