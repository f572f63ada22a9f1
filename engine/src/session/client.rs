//! One client's connection as commands see it.

use super::slab::SessionIndex;
use crate::config::ClientClass;
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
    /// Neither that of the command that runs nor that of the next one.
    SkipNext,
    /// Not that of the command that comes now.
    Skip,
}

/// How a connection ends that is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// When its replies are sent; no further command runs.
    AfterReply,
    /// At once.
    Now,
}

/// What the reactor knows of a connection; it brings this up to date, commands only show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// The socket's file descriptor, or its number among fixed files.
    pub descriptor: i32,
    /// Bytes received so far.
    pub bytes_in: u64,
    /// Bytes sent so far.
    pub bytes_out: u64,
    /// Bytes received that no command has consumed.
    pub query_bytes: usize,
    /// Room behind them.
    pub query_free_bytes: usize,
    /// Bytes of replies that wait to be sent.
    pub output_bytes: usize,
    /// Pieces that they lie in, beyond the first.
    pub output_pieces: usize,
    /// Memory of all of this.
    pub memory_bytes: usize,
}

/// One client's connection. What the kernel knows of it (sockets, buffers) lies with the reactor.
#[derive(Clone, Debug, Default)]
pub struct Session {
    /// The connection's number.
    pub id: ClientId,
    /// Where it lies in its core's slab.
    pub index: SessionIndex,
    /// `CLIENT SETNAME`; empty if there is none.
    pub name: Vec<u8>,
    /// `CLIENT SETINFO lib-name`.
    pub lib_name: Vec<u8>,
    /// `CLIENT SETINFO lib-ver`.
    pub lib_version: Vec<u8>,
    /// The client's address, `127.0.0.1:50000`.
    pub peer: String,
    /// Our address that it connected to.
    pub local: String,
    /// What kind of client it is.
    pub class: ClientClass,
    /// The protocol version that it chose.
    pub protocol: Protocol,
    /// Whether it may run commands that need a password.
    pub authenticated: bool,
    /// Whether it came through the Unix socket.
    pub is_unix: bool,
    /// Whether replies are sent.
    pub reply_mode: ReplyMode,
    /// `CLIENT NO-EVICT`: not closed to save memory.
    pub no_evict: bool,
    /// `CLIENT NO-TOUCH`: its reads do not count as uses of a key.
    pub no_touch: bool,
    /// `READONLY`: reads from a replica's slots are welcome.
    pub readonly: bool,
    /// `ASKING`: the next command may use a slot that is just arriving.
    pub asking: bool,
    /// `CLIENT MAINT_NOTIFICATIONS`: it is told when slots move.
    pub hears_of_moves: bool,
    /// Whether it is a link: another node sends slots on it, and no command comes any more.
    pub is_link: bool,
    /// Whether and how the connection is to end.
    pub closing: Option<Closing>,
    /// When the connection was made.
    pub created: Now,
    /// When the client last sent a command.
    pub active: Now,
    /// Commands that ran for this client.
    pub commands_processed: u64,
    /// The command that ran last, by its full name.
    pub last_command: Option<&'static str>,
    /// What the reactor knows.
    pub traffic: Traffic,
}

/// Ten thousand idle clients are to cost little.
const _: () = assert!(size_of::<Session>() <= 384);

impl Session {
    /// Seconds since the connection was made.
    pub fn age_s(&self, now: Now) -> u64 {
        now.monotonic_us.saturating_sub(self.created.monotonic_us) / 1_000_000
    }

    /// Seconds since its last command.
    pub fn idle_s(&self, now: Now) -> u64 {
        now.monotonic_us.saturating_sub(self.active.monotonic_us) / 1_000_000
    }

    /// Back to the state of a new connection (`RESET`), but for its library's name and its counters.
    pub fn reset(&mut self, authenticated: bool) {
        self.name = Vec::new();
        self.protocol = Protocol::Resp2;
        self.authenticated = authenticated;
        self.reply_mode = ReplyMode::On;
        self.no_evict = false;
        self.no_touch = false;
        self.readonly = false;
        self.asking = false;
        self.hears_of_moves = false;
    }
}
