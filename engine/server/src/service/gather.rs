//! Commands that every core has a part in: DBSIZE, FLUSHALL, CLIENT LIST.

use std::collections::HashMap;

use whimbrel_engine::commands::{
    CommandError, Context, Executed, Gather, PartContext, Resolved, Route, Spec, resolve, settle_reply_mode,
};
use whimbrel_engine::resp::{Arguments, OwnedArguments, Reply};
use whimbrel_engine::session::{ClientId, Session};
use whimbrel_net::{ConnectionId, Io};

use super::CoreService;
use super::connection::{Connection, Hold};
use super::input::flush;
use super::message::Message;
use super::observe;

/// A gathered command under way.
struct Gathering {
    connection: ConnectionId,
    command: Resolved,
    arguments: OwnedArguments,
    /// By core.
    parts: Vec<Option<Vec<u8>>>,
    error: Option<String>,
    missing: usize,
}

/// Gathered commands that this core coordinates.
#[derive(Default)]
pub struct Gathers {
    last: u64,
    open: HashMap<u64, Gathering>,
}

impl Gathers {
    /// What is under way.
    pub fn open_ones(&self) -> impl Iterator<Item = &'static Spec> {
        self.open.values().map(|gathering| gathering.command.spec)
    }
}

fn gather_of(command: Resolved) -> Gather {
    match command.spec.route {
        Route::Gather(gather) => gather,
        _ => unreachable!("{} is routed as a gather", command.spec.name),
    }
}

impl CoreService {
    /// Runs this core's part and asks the others for theirs. The connection waits.
    pub(super) fn begin_gather(
        &mut self,
        io: &mut Io<Message>,
        connection: &mut Connection,
        session: &mut Session,
        reply: &mut Reply,
        command: Resolved,
        arguments: &Arguments<'_>,
    ) {
        let now = self.now(io);
        self.settle_group();
        self.observe(io);
        self.observe_clients(io);
        observe::note_traffic(io, connection, session);
        let mut part = Vec::new();
        let caller = session.id;
        let mut context = Context { core: &mut self.core, session, reply, now, spec: command.spec };
        let outcome = (gather_of(command).part)(&mut context.part(&mut part), arguments);
        session.commands_processed += 1;
        self.core.stats.commands_processed += 1;
        self.core.stats.command_mut(command.id).calls += 1;
        self.sleep();
        // What the other cores do meanwhile is not this core's time.
        let failed = outcome.is_err();
        self.note(session, now, Executed::Ran { command, failed }, arguments);
        if let Err(error) = outcome {
            self.core.stats.command_mut(command.id).failed_calls += 1;
            self.core.stats.count_error(&error.to_string());
            reply.error(error);
            settle_reply_mode(session, reply, 0);
            return flush(io, connection, reply);
        }
        self.gathers.last += 1;
        let number = self.gathers.last;
        let mut parts = vec![None; self.count];
        parts[self.index] = Some(part);
        let arguments = OwnedArguments::copy(arguments);
        for core in (0..self.count).filter(|core| *core != self.index) {
            self.outbox.message(core, Message::Gather { number, caller, arguments: arguments.clone() });
        }
        let missing = self.count - 1;
        let gathering =
            Gathering { connection: connection.id, command, arguments, parts, error: None, missing };
        self.gathers.open.insert(number, gathering);
        connection.hold = Hold::Transaction;
        self.after_command(io, connection, session);
    }

    /// This core's part of another core's gathered command.
    pub(super) fn run_part(
        &mut self,
        io: &mut Io<Message>,
        from: usize,
        number: u64,
        caller: ClientId,
        arguments: &OwnedArguments,
    ) {
        let now = self.now(io);
        self.observe(io);
        self.observe_clients(io);
        let mut out = Vec::new();
        let arguments = arguments.view();
        let command = resolve(&arguments).expect("the coordinating core has resolved the command");
        let mut context = PartContext { core: &mut self.core, caller, session: None, out: &mut out, now };
        let outcome = (gather_of(command).part)(&mut context, &arguments);
        let outcome = outcome.map(|()| out).map_err(|error: CommandError| error.to_string());
        for action in std::mem::take(&mut self.core.actions) {
            self.act(io, action);
        }
        self.outbox.message(from, Message::Part { number, outcome });
    }

    /// Another core's part has come; the last one makes the reply.
    pub(super) fn take_part(
        &mut self,
        io: &mut Io<Message>,
        from: usize,
        number: u64,
        outcome: Result<Vec<u8>, String>,
    ) {
        let Some(gathering) = self.gathers.open.get_mut(&number) else { return };
        match outcome {
            Ok(part) => gathering.parts[from] = Some(part),
            Err(error) => gathering.error = Some(error),
        }
        gathering.missing -= 1;
        if gathering.missing > 0 {
            return;
        }
        let gathering = self.gathers.open.remove(&number).expect("it is open");
        let Some(mut connection) = self.take(gathering.connection) else { return };
        let mut session = self.core.sessions.take(connection.session);
        let mut reply = std::mem::take(&mut self.reply);
        reply.set_protocol(session.protocol);
        let now = self.now(io);
        let parts: Vec<Vec<u8>> = gathering.parts.into_iter().flatten().collect();
        let mut context = Context {
            core: &mut self.core,
            session: &mut session,
            reply: &mut reply,
            now,
            spec: gathering.command.spec,
        };
        let outcome = match gathering.error {
            Some(error) => Err(CommandError::Text(error)),
            None => (gather_of(gathering.command).merge)(&mut context, &gathering.arguments.view(), &parts),
        };
        if let Err(error) = outcome {
            reply.truncate(0);
            reply.error(error);
        }
        settle_reply_mode(&mut session, &mut reply, 0);
        flush(io, &mut connection, &mut reply);
        connection.hold = Hold::None;
        self.after_command(io, &mut connection, &mut session);
        self.reply = reply;
        self.core.sessions.put(connection.session, session);
        self.resumed.push_back(connection.id);
        self.put(connection);
    }
}
