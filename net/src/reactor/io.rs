//! What a service may do with its connections and mailboxes.

use std::os::fd::OwnedFd;
use std::time::Duration;

use super::accept::Acceptor;
use super::arrivals::Arrivals;
use super::connection::{Phase, ReadState};
use super::deadlines::Deadlines;
use super::options::ReactorOptions;
use super::table::Table;
use crate::buffers::OutputPool;
use crate::clock::Monotonic;
use crate::connection_id::ConnectionId;
use crate::gauges::Gauges;
use crate::mailbox::Mailboxes;
use crate::ring::Ring;

/// The reactor as its service sees it. Calls with a stale id, or for a connection that is closing, do nothing.
pub struct Io<M> {
    // First: the ring goes before the memory its requests name.
    pub(super) ring: Ring,
    pub(super) options: ReactorOptions,
    pub(super) now: Monotonic,
    pub(super) table: Table,
    pub(super) pool: OutputPool,
    pub(super) acceptor: Acceptor,
    pub(super) mailboxes: Mailboxes<M>,
    pub(super) arrivals: Arrivals,
    pub(super) gauges: Gauges,
    /// Connections to flush, each once.
    pub(super) dirty: Vec<ConnectionId>,
    /// Connections whose receive is to start, if they still want it.
    pub(super) to_receive: Vec<ConnectionId>,
    /// Connections whose multishot receive is to be cancelled, if they still do not want it.
    pub(super) to_cancel: Vec<ConnectionId>,
    /// Connections with held input that is wanted again.
    pub(super) resumed: Vec<ConnectionId>,
    /// Connections the service aborted.
    pub(super) aborted: Vec<ConnectionId>,
    /// Connections the service must be told are closed.
    pub(super) closed: Vec<ConnectionId>,
    /// Connections the service must be told have drained.
    pub(super) drained: Vec<ConnectionId>,
    /// Sends whose silence will mean success.
    pub(super) optimistic: Vec<ConnectionId>,
    pub(super) flushing: Deadlines,
    pub(super) lingering: Deadlines,
    /// Something waits for an optimistic send, whose silence wakes nobody: the next loop must come at once.
    pub(super) is_restless: bool,
    pub(super) is_stopping: bool,
    /// Takes output for connections that are gone.
    scratch: Vec<u8>,
}

impl<M: Send> Io<M> {
    pub(super) fn new(ring: Ring, options: ReactorOptions, mailboxes: Mailboxes<M>) -> Self {
        Self {
            ring,
            options,
            now: Monotonic::now(),
            table: Table::new(options.connections_max),
            pool: OutputPool::default(),
            acceptor: Acceptor::default(),
            mailboxes,
            arrivals: Arrivals::default(),
            gauges: Gauges::default(),
            dirty: Vec::new(),
            to_receive: Vec::new(),
            to_cancel: Vec::new(),
            resumed: Vec::new(),
            aborted: Vec::new(),
            closed: Vec::new(),
            drained: Vec::new(),
            optimistic: Vec::new(),
            flushing: Deadlines::new(options.close_flush_max),
            lingering: Deadlines::new(options.linger_max),
            is_restless: false,
            is_stopping: false,
            scratch: Vec::new(),
        }
    }

    /// The buffer that replies to `id` are appended to. All of a loop's output goes out as one send at its end.
    pub fn output(&mut self, id: ConnectionId) -> &mut Vec<u8> {
        match self.table.get_mut(id) {
            Some(connection) if connection.is_open() => {
                if !connection.is_dirty {
                    connection.is_dirty = true;
                    self.dirty.push(id);
                }
                let outgoing = connection.outgoing.get_or_insert_with(|| self.pool.outgoing());
                outgoing.output(&mut self.pool)
            }
            _ => {
                self.scratch.clear();
                self.scratch.shrink_to(crate::buffers::OUTPUT_KEPT_BYTES_MAX);
                &mut self.scratch
            }
        }
    }

    /// Sends `bytes` where they lie, after all output so far and before all output to come. They are dropped on this thread
    /// when the kernel is done with them. Worth its allocation from about 16 KiB.
    pub fn send_pinned(&mut self, id: ConnectionId, bytes: Box<dyn AsRef<[u8]>>) {
        let Some(connection) = self.table.get_mut(id).filter(|connection| connection.is_open()) else {
            return;
        };
        if !connection.is_dirty {
            connection.is_dirty = true;
            self.dirty.push(id);
        }
        connection.outgoing.get_or_insert_with(|| self.pool.outgoing()).pin(bytes);
    }

    /// Bytes for `id` that the kernel has not taken yet, those of this turn included.
    pub fn output_pending_bytes(&self, id: ConnectionId) -> usize {
        self.table.get(id).map_or(0, |connection| connection.pending_bytes())
    }

    /// Asks for one `output_drained` when the pending output is at or below `output_resume_bytes`, at the earliest after
    /// this turn.
    pub fn notify_drained(&mut self, id: ConnectionId) {
        let Some(connection) = self.table.get_mut(id).filter(|connection| connection.is_open()) else {
            return;
        };
        connection.notify_drained = true;
        if !connection.is_dirty {
            connection.is_dirty = true;
            self.dirty.push(id);
        }
    }

    /// Has `id` received in bulk from now on: one large buffer a turn, so that a peer that sends without pause leaves time for
    /// the others, and a pause finds no more than that in the reactor.
    pub fn receive_in_bulk(&mut self, id: ConnectionId) {
        let Some(connection) = self.table.get_mut(id).filter(|connection| connection.is_open()) else {
            return;
        };
        if !connection.is_bulk {
            connection.is_bulk = true;
            self.to_cancel.push(id);
        }
    }

    /// Stops `received` and `end_of_input` for `id`. What the kernel already received is held back, at most what the
    /// provided buffers held; the rest waits in the socket, where it slows the peer down.
    pub fn pause_reading(&mut self, id: ConnectionId) {
        let Some(connection) = self.table.get_mut(id).filter(|connection| connection.is_open()) else {
            return;
        };
        if !connection.is_paused {
            connection.is_paused = true;
            self.to_cancel.push(id);
        }
    }

    /// Takes `pause_reading` back; held input comes first, in the next loop.
    pub fn resume_reading(&mut self, id: ConnectionId) {
        let Some(connection) = self.table.get_mut(id).filter(|connection| connection.is_open()) else {
            return;
        };
        if !connection.is_paused {
            return;
        }
        connection.is_paused = false;
        if connection.held.is_some() || connection.input_ended {
            self.resumed.push(id);
        }
        if connection.read == ReadState::Idle {
            self.to_receive.push(id);
        }
    }

    /// Whether `id` may still be used: neither gone nor closing.
    pub fn is_open(&self, id: ConnectionId) -> bool {
        self.table.get(id).is_some_and(|connection| connection.is_open())
    }

    /// Closes `id` when its output so far has gone out. No callback but `closed` follows.
    pub fn close(&mut self, id: ConnectionId) {
        let Some(connection) = self.table.get_mut(id).filter(|connection| connection.is_open()) else {
            return;
        };
        connection.phase = Phase::Flushing;
        connection.held = None;
        if !connection.is_dirty {
            connection.is_dirty = true;
            self.dirty.push(id);
        }
    }

    /// Closes like [`Io::close`] after saying `reason`, and counts the connection as refused.
    pub fn refuse(&mut self, id: ConnectionId, reason: &[u8]) {
        if self.is_open(id) {
            self.gauges.refused += 1;
            self.output(id).extend_from_slice(reason);
            self.close(id);
        }
    }

    /// Drops `id` at once with all its output; the peer sees a reset. `closed` follows within this loop.
    pub fn abort(&mut self, id: ConnectionId) {
        let Some(connection) = self.table.get_mut(id) else { return };
        if matches!(connection.phase, Phase::Open | Phase::Flushing) {
            connection.phase = Phase::Aborted;
            self.aborted.push(id);
        }
    }

    /// Takes over a connected stream socket that was made elsewhere; `closed` will be called for it, `opened` is not.
    ///
    /// # Errors
    /// Gives the socket back when the table is full.
    pub fn adopt(&mut self, socket: OwnedFd) -> Result<ConnectionId, OwnedFd> {
        let view = socket2::SockRef::from(&socket);
        // A socket that does not block makes io_uring give up where it should wait.
        let _ = view.set_nonblocking(false);
        let is_tcp = view.local_addr().is_ok_and(|address| address.as_socket().is_some());
        let id = self.table.insert(socket)?;
        let connection = self.table.get_mut(id).expect("just inserted");
        connection.is_tcp = is_tcp;
        self.to_receive.push(id);
        Ok(id)
    }

    /// The number of this core among the participants of the mailboxes.
    pub fn core(&self) -> usize {
        self.mailboxes.index()
    }

    /// Sends a message to another participant. A sleeping one is woken at the end of this loop.
    ///
    /// # Errors
    /// Gives the message back when the mailbox is full: keep it, and ask for the next turn with `Wake::Now`.
    ///
    /// # Panics
    /// When `target` is this core itself.
    pub fn send(&mut self, target: usize, message: M) -> Result<(), M> {
        let outcome = self.mailboxes.send(target, message);
        match outcome {
            Ok(()) => self.gauges.messages_out += 1,
            Err(_) => self.gauges.mailbox_full += 1,
        }
        outcome
    }

    /// The time at the start of this loop's calls; costs nothing.
    pub fn now(&self) -> Monotonic {
        self.now
    }

    /// Keep-alive for connections accepted from now on.
    pub fn set_keepalive(&mut self, keepalive: Option<Duration>) {
        self.acceptor.set_keepalive(keepalive);
    }

    /// Changes the mark of [`Io::notify_drained`].
    pub fn set_output_resume_bytes(&mut self, bytes: usize) {
        self.options.output_resume_bytes = bytes;
    }

    /// Stops the reactor after this loop: listeners close, output is flushed within `stop_grace`, `closed` is called for
    /// every connection, and `run` returns.
    pub fn stop(&mut self) {
        self.is_stopping = true;
    }

    /// The counters as they are now.
    pub fn gauges(&self) -> Gauges {
        Gauges { connections: self.table.used() as u64, enters: self.ring.enters(), ..self.gauges }
    }

    /// The options in force.
    pub fn options(&self) -> &ReactorOptions {
        &self.options
    }
}
