//! What a core keeps of one connection: input that has not run, and replies that wait in line.

use std::collections::VecDeque;

use whimbrel_engine::resp::{OwnedArguments, Parser, ProtocolError};
use whimbrel_engine::session::SessionIndex;
use whimbrel_net::ConnectionId;

use super::replies::Replies;

/// Replies of one connection that may wait in line before its next command runs.
const REPLIES_WAITING_MAX: usize = 1024;

/// The same for a connection that has not shown yet how large its replies are.
const REPLIES_WAITING_FIRST: usize = 16;

/// Bytes of replies that one connection may have other cores make before it has taken the last of them, as far as its
/// latest replies tell.
const REPLIES_WAITING_BYTES: usize = 1024 * 1024;

/// Why a connection's next command does not run yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    /// It may run.
    None,
    /// A command over several cores is under way.
    Transaction,
    /// The slot of the next command is locked by such a command.
    Slot,
    /// Clients are paused.
    Pause,
    /// A slot of the next command changes hands.
    Move,
    /// The next command has a part on several cores, and one before it has not been answered by its own.
    Line,
}

/// One connection.
pub struct Connection {
    pub id: ConnectionId,
    pub session: SessionIndex,
    pub parser: Parser,
    /// Received bytes that no command has consumed, from `input_start` on.
    pub input: Vec<u8>,
    pub input_start: usize,
    /// Parsed commands that wait because one before them is held.
    pub backlog: VecDeque<OwnedArguments>,
    pub replies: Replies,
    /// Replies that may wait in line. 1 <= window <= REPLIES_WAITING_MAX.
    window: usize,
    pub hold: Hold,
    pub reading_paused: bool,
    /// The client reads slowly: its next commands wait until output has drained.
    pub draining: bool,
    pub input_ended: bool,
    /// What is wrong with the request behind the backlog; told when everything before it has run.
    pub malformed: Option<ProtocolError>,
    /// So many replies wait in line that the next command waits too.
    pub line_full: bool,
    /// Another node sends slots on it; no command comes any more.
    pub is_link: bool,
    /// No further command runs; closed when the replies before are in the output.
    pub closing: bool,
    /// Bytes of all replies so far.
    pub bytes_out: u64,
    /// When output first stood above the soft limit, in monotonic microseconds.
    pub soft_limit_since_us: Option<u64>,
}

impl Connection {
    pub fn new(id: ConnectionId, session: SessionIndex) -> Connection {
        Connection {
            id,
            session,
            parser: Parser::new(),
            input: Vec::new(),
            input_start: 0,
            backlog: VecDeque::new(),
            replies: Replies::default(),
            window: REPLIES_WAITING_FIRST,
            hold: Hold::None,
            reading_paused: false,
            draining: false,
            input_ended: false,
            malformed: None,
            line_full: false,
            is_link: false,
            closing: false,
            bytes_out: 0,
            soft_limit_since_us: None,
        }
    }

    /// Whether commands have to wait.
    pub fn waits(&self) -> bool {
        self.hold != Hold::None || self.draining || self.closing || self.is_link || self.is_line_full()
    }

    /// Another core has made a reply of so many bytes: the larger they are, the fewer are asked for ahead.
    pub fn note_reply(&mut self, bytes: usize) {
        self.bytes_out += bytes as u64;
        let fitting = REPLIES_WAITING_BYTES / bytes.max(1);
        self.window = fitting.clamp(1, self.window * 2).min(REPLIES_WAITING_MAX);
    }

    /// Whether so many replies wait in line that the next command waits too.
    pub fn is_line_full(&self) -> bool {
        self.replies.len() >= self.window
    }

    /// Whether commands that waited for room in line go on: when half of the line is free, not one by one.
    pub fn has_room_again(&self) -> bool {
        self.replies.len() <= self.window / 2
    }

    /// Bytes received that have not run.
    pub fn pending_input(&self) -> usize {
        self.input.len() - self.input_start
    }

    /// Whether everything that was parsed is answered.
    fn is_done(&self) -> bool {
        self.hold == Hold::None
            && self.backlog.is_empty()
            && self.malformed.is_none()
            && self.replies.is_empty()
    }

    /// Whether nothing will come of the connection any more. Asked after its commands ran: what input is left then is a
    /// command that waits for its turn, or one that is not complete and at the end of the input never will be.
    pub fn is_over(&self) -> bool {
        self.is_done() && (self.closing || (self.input_ended && !self.draining))
    }

    /// Forgets what has not run, because nothing more will.
    pub fn forget_input(&mut self) {
        self.backlog.clear();
        self.malformed = None;
        self.input = Vec::new();
        self.input_start = 0;
    }

    /// Adds received bytes behind those that wait.
    pub fn keep(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if self.input_start > 0 && self.input_start >= self.input.len() / 2 {
            self.input.drain(..self.input_start);
            self.input_start = 0;
        }
        self.input.extend_from_slice(bytes);
    }

    /// Gives the memory of consumed input back: an idle connection holds none.
    pub fn consume(&mut self, count: usize) {
        self.input_start += count;
        if self.input_start == self.input.len() {
            self.input = Vec::new();
            self.input_start = 0;
        }
    }
}
