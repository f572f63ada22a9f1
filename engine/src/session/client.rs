//! One client's connection as commands see it.

use crate::core::Now;
use crate::resp::Protocol;

/// The number of a connection, unique in the process and never used again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u64);

/// Whether replies are sent (`CLIENT REPLY`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplyMode {
    /// All of them.
    #[default]
    On,
    /// None, until `CLIENT REPLY ON`.
    Off,
    /// Not the reply of the command that runs, but of the next one `Skip` was asked for.
    SkipNext,
    /// Not the reply of the command that comes now.
    Skip,
}

/// One client's connection. What the kernel knows of it (sockets, buffers) lies with the reactor.
#[derive(Debug, Default)]
pub struct Session {
    /// The connection's number.
    pub id: ClientId,
    /// `CLIENT SETNAME`; empty if there is none.
    pub name: Vec<u8>,
    /// The protocol version that the client chose.
    pub protocol: Protocol,
    /// Whether the client may run commands that need a password.
    pub authenticated: bool,
    /// Whether replies are sent.
    pub reply_mode: ReplyMode,
    /// When the connection was made.
    pub created: Now,
    /// When the client last sent a command.
    pub active: Now,
    /// Commands that ran for this client.
    pub commands_processed: u64,
}
