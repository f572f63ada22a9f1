//! The limits and sizes of a reactor, each with its name.

use std::time::Duration;

/// Collecting completions before waking: fewer wake-ups under load. Only done while requests arrive so densely that several
/// are expected within the wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MinWait {
    /// Wake at once when this many completions are there.
    pub completions: usize,
    /// Otherwise wake after this many microseconds, if there is at least one.
    pub microseconds: u32,
}

/// How a reactor is built. [`Default`] is what the measurements recommend.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReactorOptions {
    /// Requests queued before they are submitted, a power of two. Users: a send per connection and turn, receives and
    /// accepts that start. A full queue is submitted early.
    pub submissions: u32,
    /// Room for completions, a power of two. What does not fit waits in the kernel.
    pub completions: u32,
    /// Provided buffers, a power of two up to 32768. Users: one per chunk received and not yet handed to the service.
    pub receive_buffers: u16,
    /// Bytes of one provided buffer: the largest chunk handed to the service at once.
    pub receive_buffer_bytes: u32,
    /// Bulk buffers, a power of two up to 32768. Users: one per chunk received in bulk and not yet handed to the service.
    pub bulk_buffers: u16,
    /// Bytes of one bulk buffer: what a connection that is received in bulk brings in a turn at most.
    pub bulk_buffer_bytes: u32,
    /// Connections in all states; more are refused without a word.
    pub connections_max: u32,
    /// Accepted connections opened in one turn; the others wait for the next.
    pub accepts_per_turn_max: usize,
    /// Pause before accepting again when the process or the system has no descriptors left.
    pub accept_retry_delay: Duration,
    /// Messages taken from mailboxes in one turn.
    pub messages_per_turn_max: usize,
    /// `output_drained` is called when pending output falls to this.
    pub output_resume_bytes: usize,
    /// How long a closing connection's peer may take to read its last output before the connection is dropped.
    pub close_flush_max: Duration,
    /// How long a closed connection waits for the peer to acknowledge, when the peer still sends.
    pub linger_max: Duration,
    /// How long a stopping reactor flushes output.
    pub stop_grace: Duration,
    /// Collect completions before waking.
    pub min_wait: Option<MinWait>,
}

impl Default for ReactorOptions {
    fn default() -> Self {
        Self {
            submissions: 1024,
            completions: 4096,
            receive_buffers: 256,
            receive_buffer_bytes: 16 << 10,
            bulk_buffers: 8,
            bulk_buffer_bytes: 64 << 10,
            connections_max: 65_536,
            accepts_per_turn_max: 64,
            accept_retry_delay: Duration::from_millis(100),
            messages_per_turn_max: 1024,
            output_resume_bytes: 32 << 10,
            close_flush_max: Duration::from_secs(30),
            linger_max: Duration::from_secs(2),
            stop_grace: Duration::from_secs(1),
            min_wait: None,
        }
    }
}
