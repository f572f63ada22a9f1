//! What a reply counter reports, whatever the protocol.

use std::fmt;

use crate::traffic::workload::Protocol;
use crate::wire::memcached_replies::MemcachedReplies;
use crate::wire::resp_replies::RespReplies;

/// Longest first line of a reply that is kept; a longer one is not RESP.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// Replies that were completed by one piece of input.
#[derive(Debug, Default)]
pub struct Tally {
    /// Complete replies, errors included.
    pub replies: u64,
    /// Replies that say there is no such key.
    pub nulls: u64,
    /// Error replies, in order.
    pub errors: Vec<ErrorReply>,
}

impl Tally {
    /// Empties it for the next piece of input.
    pub fn clear(&mut self) {
        self.replies = 0;
        self.nulls = 0;
        self.errors.clear();
    }
}

/// An error that stands in a reply's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorReply {
    /// Which reply of the tally it is. `ordinal < replies`.
    pub ordinal: u64,
    /// The error's text without its marker.
    pub text: String,
}

/// Input that is not in the protocol; the connection is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProtocolViolation;

impl fmt::Display for ProtocolViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server sent something that is no reply")
    }
}

impl std::error::Error for ProtocolViolation {}

/// Counts the complete replies in a stream that arrives in pieces.
#[derive(Debug)]
pub enum ReplyCounter {
    /// Redis' protocol, versions 2 and 3.
    Resp(RespReplies),
    /// memcached's text and meta commands.
    Memcached(MemcachedReplies),
}

impl ReplyCounter {
    /// A counter at the start of a stream.
    pub fn new(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Resp => Self::Resp(RespReplies::default()),
            Protocol::Memcached | Protocol::MemcachedMeta => Self::Memcached(MemcachedReplies::default()),
        }
    }

    /// Takes the next piece and adds what it completes to `tally`.
    #[inline]
    pub fn feed(&mut self, input: &[u8], tally: &mut Tally) -> Result<(), ProtocolViolation> {
        match self {
            Self::Resp(replies) => replies.feed(input, tally),
            Self::Memcached(replies) => replies.feed(input, tally),
        }
    }
}
