//! What a reactor counts: plain numbers of its own thread, no atomics.

/// Counters of one reactor since it started, and its present sizes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Gauges {
    /// Connections handed to the service by `opened`.
    pub accepted: u64,
    /// Connections refused: by the service, or by the reactor at `connections_max`.
    pub refused: u64,
    /// Accepts that failed because the process or the system had no descriptors left.
    pub accept_no_descriptors: u64,
    /// Accepts that failed for another reason.
    pub accept_errors: u64,
    /// Connections that end by an error of the socket.
    pub connection_errors: u64,
    /// Receives that found every provided buffer in use.
    pub buffer_exhaustions: u64,
    /// Sends given to the kernel.
    pub sends: u64,
    /// Sends that took only a part, or nothing: the peer reads slower than we write.
    pub short_sends: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes that the kernel has taken.
    pub bytes_out: u64,
    /// Connections that hold a place in the table now: open, flushing before a close, or lingering.
    pub connections: u64,
    /// Connections closed for the service whose peer has not acknowledged everything yet.
    pub lingering: u64,
    /// `io_uring_enter` calls.
    pub enters: u64,
    /// Completions reaped.
    pub completions: u64,
    /// Turns of the loop.
    pub turns: u64,
    /// Messages received from mailboxes.
    pub messages_in: u64,
    /// Messages put into mailboxes.
    pub messages_out: u64,
    /// Messages given back to the sender because the mailbox was full.
    pub mailbox_full: u64,
    /// Doorbells rung for sleeping cores.
    pub doorbells: u64,
}
