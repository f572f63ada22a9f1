//! Commands on their way to the core that owns their keys, and replies on their way back.

use std::collections::VecDeque;

use whimbrel_engine::commands::{Executed, execute_resolved, finish, resolve};
use whimbrel_engine::resp::{ArgumentRange, Arguments, OwnedArguments, Protocol, Reply};
use whimbrel_net::Io;

use super::CoreService;
use super::message::{Message, ReturnAddress, pack_command, pack_reply, unpack_command, unpack_reply};
use super::routing;
use super::timing::is_quick;

/// A packed message is sealed when it has grown to this, so that the receiver can begin.
const PACKED_BYTES_MAX: usize = 64 * 1024;

/// What this core has to say to one other core.
#[derive(Default)]
struct Outgoing {
    sealed: VecDeque<Message>,
    commands: Vec<u8>,
    replies: Vec<u8>,
}

/// What this core has to say to the others. Bounded by what connections may have under way (the window of `Connection`).
pub struct Outbox {
    by_core: Vec<Outgoing>,
}

impl Outbox {
    pub fn new(count: usize) -> Outbox {
        Outbox { by_core: (0..count).map(|_| Outgoing::default()).collect() }
    }

    pub fn command(&mut self, core: usize, to: ReturnAddress, protocol: Protocol, arguments: &Arguments<'_>) {
        let outgoing = &mut self.by_core[core];
        pack_command(&mut outgoing.commands, to, protocol, arguments);
        if outgoing.commands.len() >= PACKED_BYTES_MAX {
            outgoing.seal();
        }
    }

    pub fn reply(&mut self, core: usize, to: ReturnAddress, reply: &[u8]) {
        let outgoing = &mut self.by_core[core];
        pack_reply(&mut outgoing.replies, to, reply);
        if outgoing.replies.len() >= PACKED_BYTES_MAX {
            outgoing.seal();
        }
    }

    /// A message that stays behind all commands and replies said before it.
    pub fn message(&mut self, core: usize, message: Message) {
        let outgoing = &mut self.by_core[core];
        outgoing.seal();
        outgoing.sealed.push_back(message);
    }
}

impl Outgoing {
    fn seal(&mut self) {
        if !self.commands.is_empty() {
            self.sealed.push_back(Message::Commands(std::mem::take(&mut self.commands)));
        }
        if !self.replies.is_empty() {
            self.sealed.push_back(Message::Replies(std::mem::take(&mut self.replies)));
        }
    }
}

/// A forwarded command whose slot is locked.
pub struct Parked {
    from: usize,
    to: ReturnAddress,
    protocol: Protocol,
    pub arguments: OwnedArguments,
}

impl CoreService {
    /// Sends what waits; `false` if a mailbox is full and something is left.
    pub(super) fn post(&mut self, io: &mut Io<Message>) -> bool {
        let mut all = true;
        for (core, outgoing) in self.outbox.by_core.iter_mut().enumerate() {
            outgoing.seal();
            while let Some(message) = outgoing.sealed.pop_front() {
                if let Err(message) = io.send(core, message) {
                    outgoing.sealed.push_front(message);
                    all = false;
                    break;
                }
            }
        }
        all
    }

    pub(super) fn read_message(&mut self, io: &mut Io<Message>, from: usize, message: Message) {
        match message {
            Message::Commands(packed) => self.run_forwarded(io, from, &packed),
            Message::Replies(packed) => {
                let mut rest = &packed[..];
                while let Some((to, reply)) = unpack_reply(&mut rest) {
                    self.deliver(io, to, reply);
                }
            }
            Message::Gather { number, caller, arguments } => {
                self.run_part(io, from, number, caller, &arguments)
            }
            Message::Part { number, outcome } => self.take_part(io, from, number, outcome),
            Message::Map(map) => {
                self.adopt(&map);
                self.tell_arrivals_of_map(io, false);
                self.tend_heirs();
            }
            Message::MapRead => self.tell_arrivals_of_map(io, true),
            Message::Hold { number, level, slots } => self.take_hold(from, number, level, slots),
            Message::Held { number } => self.take_agreement(number),
            Message::Release { slots, given } => self.take_release(slots, given),
            Message::Settled(heir) => self.take_settled(&heir),
            Message::BeginMove { id, target, slots } => self.plan_move(io, id, target, slots),
            Message::CancelMoves { name } => self.cancel_moves(io, name.as_deref()),
            Message::Wire { number, is_outward, part } => self.take_wire(io, from, number, is_outward, part),
            Message::LinkOpened(outcome) => self.take_link(io, outcome),
            Message::Appointed { heir, outcome } => self.take_appointed(heir, outcome),
            Message::Stop => io.stop(),
            message => self.step_transaction(io, from, message),
        }
    }

    fn run_forwarded(&mut self, io: &mut Io<Message>, from: usize, packed: &[u8]) {
        /// Commands that are looked ahead at.
        const AHEAD: usize = 64;
        let mut rest = packed;
        let mut ranges = std::mem::take(&mut self.ranges);
        self.timing.begin();
        while !rest.is_empty() {
            self.look_ahead_at_forwarded(rest, &mut ranges, AHEAD);
            for command in 0..AHEAD {
                let Some((to, protocol, bytes)) = unpack_command(&mut rest, &mut ranges) else { break };
                self.core.foreknown.at(command);
                let arguments = Arguments::new(bytes, &ranges);
                if !self.locks.is_empty() && (self.is_behind_parked(from, to) || self.is_locked(&arguments)) {
                    let arguments = OwnedArguments::copy(&arguments);
                    self.parked.push_back(Parked { from, to, protocol, arguments });
                    continue;
                }
                self.run_visitor(io, from, to, protocol, &arguments);
            }
            self.core.foreknown.clear();
        }
        self.settle_large_group();
        self.ranges = ranges;
    }

    /// Asks for the memory that the next forwarded commands will touch, as for a batch of this core's own clients.
    fn look_ahead_at_forwarded(
        &mut self,
        mut rest: &[u8],
        ranges: &mut Vec<ArgumentRange>,
        commands_max: usize,
    ) {
        self.ahead.clear();
        for _ in 0..commands_max {
            let Some((_, _, bytes)) = unpack_command(&mut rest, ranges) else { break };
            self.foresee(Arguments::new(bytes, ranges).opt(1));
        }
        self.prefetch_ahead();
    }

    /// Runs forwarded commands whose slots are free again, in order.
    pub(super) fn run_parked(&mut self, io: &mut Io<Message>) {
        for parked in std::mem::take(&mut self.parked) {
            if self.is_behind_parked(parked.from, parked.to) || self.is_locked(&parked.arguments.view()) {
                self.parked.push_back(parked);
                continue;
            }
            self.run_visitor(io, parked.from, parked.to, parked.protocol, &parked.arguments.view());
        }
    }

    /// Whether an earlier command of the same connection waits here: commands that share a slot stay in order.
    fn is_behind_parked(&self, from: usize, to: ReturnAddress) -> bool {
        self.parked.iter().any(|parked| parked.from == from && parked.to.connection == to.connection)
    }

    fn is_locked(&self, arguments: &Arguments<'_>) -> bool {
        resolve(arguments).is_ok_and(|command| {
            routing::slots(command.spec, arguments)
                .is_some_and(|slots| slots.iter().any(|slot| self.locks.is_locked(*slot)))
        })
    }

    fn run_visitor(
        &mut self,
        io: &mut Io<Message>,
        from: usize,
        to: ReturnAddress,
        protocol: Protocol,
        arguments: &Arguments<'_>,
    ) {
        let mut reply = std::mem::take(&mut self.reply);
        reply.set_protocol(protocol);
        self.visit(io, arguments, &mut reply);
        let mut pieces = Vec::new();
        if reply.has_pinned() {
            pieces = std::mem::take(&mut reply).into_bytes();
        }
        let bytes = if pieces.is_empty() { reply.bytes() } else { &pieces };
        self.outbox.reply(from, to, bytes);
        reply.truncate(0);
        self.reply = reply;
    }

    /// Runs a command for a client of another core.
    pub(super) fn visit(&mut self, io: &mut Io<Message>, arguments: &Arguments<'_>, reply: &mut Reply) {
        self.forwarded_in += 1;
        let now = self.now(io);
        let Ok(command) = resolve(arguments) else {
            unreachable!("the forwarding core has resolved the command");
        };
        self.visitor.protocol = reply.protocol();
        self.visitor.authenticated = true;
        let executed = execute_resolved(&mut self.core, &mut self.visitor, reply, now, command, arguments);
        if let Executed::Held = executed {
            // A pause that began after the command was let through: it belongs to before the pause.
            let pause = std::mem::take(&mut self.core.pause);
            execute_resolved(&mut self.core, &mut self.visitor, reply, now, command, arguments);
            self.core.pause = pause;
        }
        if is_quick(&self.core.config, command.spec, arguments) {
            self.note_quick(executed);
        } else {
            self.settle_group();
            let elapsed_ns = self.timing.lap_ns();
            finish(&mut self.core, &self.visitor, now, executed, arguments, elapsed_ns);
        }
    }

    /// Puts a reply from another core where its connection expects it.
    pub(super) fn deliver(&mut self, io: &mut Io<Message>, to: ReturnAddress, reply: &[u8]) {
        let place = to.connection as u32 as usize;
        let Some(connection) = self.connections.get_mut(place).and_then(Option::as_deref_mut) else { return };
        if connection.id.as_u64() != to.connection {
            return;
        }
        connection.note_reply(reply.len());
        connection.replies.keep(to.ticket, reply, io.output(connection.id));
        self.settle(place);
    }
}
