//! One connection's state, small while it is idle: no buffer, two empty pointers, a few flags.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::buffers::Outgoing;

/// Where a connection is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// The place is free.
    Free,
    /// The service talks to the peer.
    Open,
    /// The service closed it; queued output still goes out.
    Flushing,
    /// Closed for the service; the peer, which still sends, has not acknowledged everything.
    Lingering,
    /// To be ended at once, by the service.
    Aborted,
    /// Ended; the kernel still works on it.
    Ending,
}

/// The receive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ReadState {
    Idle,
    /// Multishot: it goes on until it is cancelled.
    Armed,
    /// One bulk buffer: it ends by itself.
    Bulk,
    /// Cancelled, its last completion is to come.
    Cancelling,
}

/// The send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SendState {
    Idle,
    /// In the kernel; silence means success.
    Optimistic,
    /// In the kernel; its completion is to come.
    Visible,
}

/// Input that arrived while the service did not want it: at most what the provided buffers held.
#[derive(Default)]
pub(super) struct Held {
    pub bytes: Vec<u8>,
}

pub(super) struct Connection {
    pub socket: Option<OwnedFd>,
    pub generation: u32,
    pub phase: Phase,
    pub read: ReadState,
    pub send: SendState,
    pub is_tcp: bool,
    /// The service does not want input.
    pub is_paused: bool,
    /// One bulk buffer a turn is received.
    pub is_bulk: bool,
    /// The peer has finished sending.
    pub input_ended: bool,
    /// The service has been told so.
    pub end_told: bool,
    /// The service has been told that it is closed.
    pub close_told: bool,
    /// In the list of connections to flush.
    pub is_dirty: bool,
    /// The last send found no room: the next one waits for it.
    pub is_blocked: bool,
    /// The service wants to know when output has drained.
    pub notify_drained: bool,
    /// A deadline for flushing runs.
    pub flush_timed: bool,
    pub outgoing: Option<Box<Outgoing>>,
    pub held: Option<Box<Held>>,
}

const _: () = assert!(size_of::<Connection>() <= 40, "10,000 idle connections cost 400 kB");

impl Connection {
    pub fn free(generation: u32) -> Self {
        Self {
            socket: None,
            generation,
            phase: Phase::Free,
            read: ReadState::Idle,
            send: SendState::Idle,
            is_tcp: false,
            is_paused: false,
            is_bulk: false,
            input_ended: false,
            end_told: false,
            close_told: false,
            is_dirty: false,
            is_blocked: false,
            notify_drained: false,
            flush_timed: false,
            outgoing: None,
            held: None,
        }
    }

    pub fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_ref().expect("a connection that is not free has its socket").as_fd()
    }

    pub fn pending_bytes(&self) -> usize {
        self.outgoing.as_ref().map_or(0, |outgoing| outgoing.pending_bytes())
    }

    /// Whether the kernel works on none of its requests.
    pub fn is_quiet(&self) -> bool {
        self.read == ReadState::Idle && self.send == SendState::Idle
    }

    /// Whether a receive should run.
    pub fn wants_input(&self) -> bool {
        let wanted = match self.phase {
            Phase::Open | Phase::Flushing => !self.is_paused,
            Phase::Lingering => true,
            Phase::Free | Phase::Aborted | Phase::Ending => false,
        };
        wanted && !self.input_ended
    }

    /// Whether the service may still use it.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }
}
