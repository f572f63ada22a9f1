//! From received bytes to replies: parse a batch, run each command where it belongs, keep the rest.

use std::time::Duration;

use whimbrel_engine::commands::{
    Executed, Resolved, Route, execute, execute_resolved, resolve, settle_reply_mode,
};
use whimbrel_engine::core::Action;
use whimbrel_engine::key::KEY_BYTES_MAX;
use whimbrel_engine::resp::{
    Arguments, Batch, Limits, OwnedArguments, Piece, ProtocolError, Reply, Stop, first_argument,
};
use whimbrel_engine::session::{ReplyMode, Session};
use whimbrel_engine::shard::Key;
use whimbrel_net::{ConnectionId, Io};

use super::CoreService;
use super::connection::{Connection, Hold};
use super::message::{Message, ReturnAddress};
use super::observe;
use super::routing::Destination;
use super::timing::is_quick;

/// Commands parsed before the first of them runs.
const BATCH_COMMANDS_MAX: usize = 64;

/// Input that a connection may hold back while its commands wait; behind that it is not read.
const INPUT_WAITING_BYTES_MAX: usize = 256 * 1024;

/// Output above which a connection's next commands wait for the client to read.
const OUTPUT_WAITING_BYTES_MAX: usize = 1024 * 1024;

impl CoreService {
    pub(super) fn receive(&mut self, io: &mut Io<Message>, id: ConnectionId, bytes: &[u8]) {
        let Some(mut connection) = self.take(id) else { return self.read_link(io, id, bytes) };
        if connection.is_link {
            self.put(connection);
            return self.read_link(io, id, bytes);
        }
        if connection.closing || connection.malformed.is_some() {
            // What follows the end is not looked at.
        } else if connection.waits() || connection.pending_input() > 0 || !connection.backlog.is_empty() {
            connection.keep(bytes);
            self.run_waiting(io, &mut connection);
        } else {
            let consumed = self.run_bytes(io, &mut connection, bytes);
            connection.keep(&bytes[consumed..]);
        }
        self.leave(io, connection);
    }

    /// Lets connections go on whose hold has ended.
    pub(super) fn go_on(&mut self, io: &mut Io<Message>) {
        /// Connections that go on in one turn; the others follow in the next.
        const AT_ONCE: usize = 256;
        for _ in 0..AT_ONCE {
            let Some(id) = self.resumed.pop_front() else { return };
            let Some(mut connection) = self.take(id) else { continue };
            self.run_waiting(io, &mut connection);
            self.leave(io, connection);
        }
    }

    /// Looks whether a connection can go on, or is to be closed, after a reply came in.
    pub(super) fn settle(&mut self, place: usize) {
        let Some(connection) = self.connections[place].as_deref_mut() else { return };
        let line_emptied = connection.line_full && connection.has_room_again();
        if connection.hold == Hold::Line && connection.replies.is_empty() {
            connection.hold = Hold::None;
            self.resumed.push_back(connection.id);
        }
        if connection.is_over() || line_emptied {
            connection.line_full = false;
            self.resumed.push_back(connection.id);
        }
    }

    /// Runs what waits on a connection: parsed commands first, then bytes.
    fn run_waiting(&mut self, io: &mut Io<Message>, connection: &mut Connection) {
        if !connection.backlog.is_empty() || connection.malformed.is_some() {
            let mut session = self.core.sessions.take(connection.session);
            let mut reply = std::mem::take(&mut self.reply);
            reply.set_protocol(session.protocol);
            self.timing.begin();
            while !connection.waits() {
                let Some(command) = connection.backlog.pop_front() else { break };
                self.run(io, connection, &mut session, &mut reply, &command.view());
            }
            if !connection.waits()
                && let Some(error) = connection.malformed.take()
            {
                reply.error(error);
                connection.closing = true;
            }
            self.settle_large_group();
            flush(io, connection, &mut reply);
            self.reply = reply;
            self.core.sessions.put(connection.session, session);
        }
        if connection.pending_input() > 0 && !connection.waits() {
            let input = std::mem::take(&mut connection.input);
            let consumed = self.run_bytes(io, connection, &input[connection.input_start..]);
            connection.input = input;
            connection.consume(consumed);
        }
    }

    /// Puts a connection back after its commands ran, and keeps its limits.
    fn leave(&mut self, io: &mut Io<Message>, mut connection: Box<Connection>) {
        let id = connection.id;
        if connection.is_link {
            // A node says nothing more before it was answered.
            if connection.pending_input() > 0 || !connection.backlog.is_empty() {
                io.close(id);
            }
            return self.put(connection);
        }
        if connection.closing {
            connection.forget_input();
        }
        if connection.is_over() {
            io.close(id);
        } else {
            self.limit_output(io, &mut connection);
            // From here on only a delivered reply lets the connection go on.
            connection.line_full |= connection.is_line_full();
            let full = connection.waits() && connection.pending_input() >= INPUT_WAITING_BYTES_MAX;
            if full && !connection.reading_paused {
                connection.reading_paused = true;
                io.pause_reading(id);
            } else if connection.reading_paused && !connection.waits() {
                connection.reading_paused = false;
                io.resume_reading(id);
            }
        }
        self.put(connection);
    }

    /// Parses and runs; answers how many bytes were consumed.
    fn run_bytes(&mut self, io: &mut Io<Message>, connection: &mut Connection, bytes: &[u8]) -> usize {
        let mut batch = std::mem::take(&mut self.batch);
        let mut reply = std::mem::take(&mut self.reply);
        let mut session = self.core.sessions.take(connection.session);
        reply.set_protocol(session.protocol);
        self.timing.begin();
        session.traffic.bytes_in += bytes.len() as u64;
        let mut at = 0;
        loop {
            let limits = self.limits(&session);
            let filled = batch.fill(&mut connection.parser, &bytes[at..], &limits, BATCH_COMMANDS_MAX);
            if batch.len() > 1 {
                self.look_ahead(&batch, &bytes[at..]);
            }
            for index in 0..batch.len() {
                self.core.foreknown.at(index);
                let arguments = batch.arguments(&bytes[at..], index);
                if connection.waits() {
                    connection.backlog.push_back(OwnedArguments::copy(&arguments));
                } else {
                    self.run(io, connection, &mut session, &mut reply, &arguments);
                }
            }
            batch.clear();
            self.core.foreknown.clear();
            at += filled.consumed;
            match filled.stop {
                Stop::Full if !connection.waits() => {}
                Stop::Full | Stop::Incomplete { .. } => break,
                Stop::Error(error) => {
                    let is_too_big = error == ProtocolError::TooBigRequest;
                    self.core.stats.request_limit_closed += u64::from(is_too_big);
                    if connection.waits() {
                        connection.malformed = Some(error);
                    } else {
                        reply.error(error);
                        connection.closing = true;
                    }
                    at = bytes.len();
                    break;
                }
            }
        }
        self.settle_large_group();
        flush(io, connection, &mut reply);
        self.batch = batch;
        self.reply = reply;
        self.core.sessions.put(connection.session, session);
        at
    }

    /// Asks for the memory that a batch's commands will touch, step by step, so that their cache misses overlap. The first
    /// argument is a key of most commands; where it is none, the request does no harm.
    fn look_ahead(&mut self, batch: &Batch, bytes: &[u8]) {
        self.ahead.clear();
        for index in 0..batch.len() {
            self.foresee(batch.arguments(bytes, index).opt(1));
        }
        self.prefetch_ahead();
    }

    /// The same for what several connections have sent, of which most is one command each.
    pub(super) fn foresee_inputs<'a>(&mut self, inputs: impl Iterator<Item = &'a [u8]>) {
        self.ahead.clear();
        for key in inputs.filter_map(first_argument) {
            self.hash_ahead(key);
        }
        self.prefetch_ahead();
    }

    /// Hashes what is probably the key of a command that runs soon.
    #[inline]
    pub(super) fn foresee(&mut self, key: Option<&[u8]>) {
        let hashed = key.and_then(|key| self.hash_ahead(key));
        self.core.foreknown.add(hashed.map(|key| (key.bytes(), key.hash(), key.slot())));
    }

    #[inline]
    fn hash_ahead<'key>(&mut self, key: &'key [u8]) -> Option<Key<'key>> {
        if key.len() > KEY_BYTES_MAX {
            return None;
        }
        let shard = &self.core.shard;
        let key = shard.key(key);
        shard.prefetch_slot(&key);
        self.ahead.push((key.hash(), key.slot()));
        Some(key)
    }

    /// Asks for the buckets of all keys that were foreseen, then for their objects.
    pub(super) fn prefetch_ahead(&self) {
        let shard = &self.core.shard;
        let keys = || self.ahead.iter().map(|(hash, slot)| Key::known(b"", *hash, *slot));
        keys().for_each(|key| shard.prefetch_bucket(&key));
        keys().for_each(|key| shard.prefetch_object(&key));
    }

    fn limits(&self, session: &Session) -> Limits {
        let config = &self.core.config;
        let limits =
            Limits::new(config.proto_max_bulk_len as usize, config.client_query_buffer_limit as usize);
        if session.authenticated || !self.core.needs_password() { limits } else { limits.unauthenticated() }
    }

    /// Runs one command, or sends it to where it runs.
    fn run(
        &mut self,
        io: &mut Io<Message>,
        connection: &mut Connection,
        session: &mut Session,
        reply: &mut Reply,
        arguments: &Arguments<'_>,
    ) {
        let now = self.now(io);
        let Ok(command) = resolve(arguments) else {
            execute(&mut self.core, session, reply, now, arguments);
            self.after_command(io, connection, session);
            return;
        };
        let destination = self.route(session, command, arguments);
        if destination == Destination::Here {
            return self.run_here(io, connection, session, reply, command, arguments);
        }
        if self.core.pause.holds(command.spec, now) {
            return self.hold(connection, Hold::Pause, arguments);
        }
        let is_spread = matches!(destination, Destination::Several | Destination::Gather);
        if is_spread && !connection.replies.is_empty() {
            // A command before it may wait on its core for a lock, and must not come after it.
            connection.hold = Hold::Line;
            return connection.backlog.push_front(OwnedArguments::copy(arguments));
        }
        session.active = now;
        session.last_command = Some(command.spec.name);
        match destination {
            Destination::Here => unreachable!("handled above"),
            Destination::Locked => self.hold(connection, Hold::Slot, arguments),
            Destination::Moving => {
                self.moves.note_held();
                self.hold(connection, Hold::Move, arguments);
            }
            Destination::Core(core) => {
                session.commands_processed += 1;
                self.forwarded_out += 1;
                flush(io, connection, reply);
                let ticket = connection.replies.promise(session.reply_mode == ReplyMode::On);
                settle_reply_mode(session, reply, 0);
                let to = ReturnAddress { connection: connection.id.as_u64(), ticket };
                self.outbox.command(core, to, session.protocol, arguments);
            }
            Destination::Gather => {
                flush(io, connection, reply);
                self.begin_gather(io, connection, session, reply, command, arguments);
            }
            Destination::Several => {
                session.commands_processed += 1;
                flush(io, connection, reply);
                if let Err(error) = self.begin_transaction(io, connection, session, command, arguments) {
                    reply.error(error);
                    settle_reply_mode(session, reply, 0);
                }
            }
        }
    }

    fn run_here(
        &mut self,
        io: &mut Io<Message>,
        connection: &mut Connection,
        session: &mut Session,
        reply: &mut Reply,
        command: Resolved,
        arguments: &Arguments<'_>,
    ) {
        let now = self.now(io);
        if let Route::Gather(_) = command.spec.route {
            self.observe(io);
            self.observe_clients(io);
            observe::note_traffic(io, connection, session);
        }
        let is_quick = is_quick(&self.core.config, command.spec, arguments);
        if !is_quick {
            self.settle_group();
        }
        let executed = execute_resolved(&mut self.core, session, reply, now, command, arguments);
        if let Executed::Held = executed {
            return self.hold(connection, Hold::Pause, arguments);
        }
        if !self.core.actions.is_empty() {
            self.sleep();
        }
        if is_quick {
            self.note_quick(executed);
        } else {
            self.note(session, now, executed, arguments);
        }
        if session.closing.is_some() || !self.core.actions.is_empty() {
            flush(io, connection, reply);
            self.after_command(io, connection, session);
        }
    }

    /// Sleeps if the command that has just run asked for it, before its time is taken.
    pub(super) fn sleep(&mut self) {
        self.core.actions.retain(|action| {
            if let Action::Sleep { microseconds } = action {
                std::thread::sleep(Duration::from_micros(*microseconds));
            }
            !matches!(action, Action::Sleep { .. })
        });
    }

    /// Keeps a command, and with it the connection, until something else is over.
    fn hold(&mut self, connection: &mut Connection, hold: Hold, arguments: &Arguments<'_>) {
        connection.hold = hold;
        connection.backlog.push_front(OwnedArguments::copy(arguments));
        self.held.push((connection.id, hold));
    }

    /// Ends the holds of one kind.
    pub(super) fn release_held(&mut self, ended: Hold) {
        let (free, held) = std::mem::take(&mut self.held).into_iter().partition(|(_, hold)| *hold == ended);
        self.held = held;
        let free: Vec<(ConnectionId, Hold)> = free;
        for (id, _) in free {
            if let Some(connection) = self.connection(id) {
                connection.hold = Hold::None;
                self.resumed.push_back(id);
            }
        }
    }

    /// Carries out what a command asked of the process.
    pub(super) fn after_command(
        &mut self,
        io: &mut Io<Message>,
        connection: &mut Connection,
        session: &mut Session,
    ) {
        if session.closing.is_some() {
            connection.closing = true;
        }
        for action in std::mem::take(&mut self.core.actions) {
            match action {
                Action::RewriteConfig(_) => self.rewrite_config(connection),
                Action::BecomeLink { .. } => self.become_link(io, connection, session),
                Action::AssignSlots { slots, gives } => self.assign_slots(connection, slots, gives),
                action => self.act(io, action),
            }
        }
    }

    pub(super) fn act(&mut self, io: &mut Io<Message>, action: Action) {
        match action {
            Action::Close(session) => {
                if let Some(connection) =
                    self.connections.iter().flatten().find(|connection| connection.session == session)
                {
                    io.close(connection.id);
                }
            }
            Action::Shutdown { .. } => self.shared.stop(),
            Action::ConfigChanged => self.apply_config(io),
            Action::BeginMoves(requests) => self.begin_moves(io, requests),
            Action::CancelMoves(name) => self.cancel_moves_everywhere(io, name),
            _ => {}
        }
    }

    /// Holds or ends a connection whose client reads more slowly than it asks.
    fn limit_output(&mut self, io: &mut Io<Message>, connection: &mut Connection) {
        let pending = io.output_pending_bytes(connection.id);
        if pending < OUTPUT_WAITING_BYTES_MAX {
            connection.soft_limit_since_us = None;
        }
        if pending >= OUTPUT_WAITING_BYTES_MAX && !connection.draining {
            connection.draining = true;
            io.notify_drained(connection.id);
        }
        if self.is_over_output_limit(io, connection, pending) {
            self.core.stats.output_limit_closed += 1;
            io.abort(connection.id);
        }
    }
}

/// Hands the replies so far to the reactor, or puts them in line.
pub(super) fn flush(io: &mut Io<Message>, connection: &mut Connection, reply: &mut Reply) {
    if reply.is_empty() {
        return;
    }
    let id = connection.id;
    connection.bytes_out += reply.len() as u64;
    if connection.replies.is_empty() {
        reply.drain(|piece| match piece {
            Piece::Bytes(bytes) => io.output(id).extend_from_slice(bytes),
            Piece::Pinned(value) => {
                connection.bytes_out += (*value).as_ref().len() as u64;
                io.send_pinned(id, value);
            }
        });
    } else {
        reply.drain(|piece| match piece {
            Piece::Bytes(bytes) => connection.replies.push(bytes),
            Piece::Pinned(value) => connection.replies.push((*value).as_ref()),
        });
    }
}
