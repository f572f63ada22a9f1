//! Commands whose keys lie on several cores: atomic, serialisable, without a lock for anybody else's slots.
//!
//! The coordinating core asks for the slots core by core in ascending order (`locks`). When all are held, either every core
//! runs its share of the command (`Route::Split`), or the keys are brought together in a scratch core, the command runs
//! there as it is, and what it did goes back as effects. A core unlocks when its share is done: all locks were held by
//! then, so the whole is as if it had happened at one instant.

use std::collections::{BTreeMap, HashMap};

use whimbrel_engine::commands::{
    CommandError, Merge, Resolved, Route, Spec, SplitPart, execute_resolved, for_each_key, join,
    settle_reply_mode, split,
};
use whimbrel_engine::core::Core;
use whimbrel_engine::key::SlotId;
use whimbrel_engine::resp::{Arguments, OwnedArguments, Protocol, Reply};
use whimbrel_engine::session::Session;
use whimbrel_engine::shard::WatchId;
use whimbrel_net::{ConnectionId, Io};

use super::CoreService;
use super::connection::{Connection, Hold};
use super::input::flush;
use super::locks::LockOwner;
use super::message::{Effects, Message};

/// What a command does with one core.
#[derive(Default)]
struct Share {
    slots: Vec<SlotId>,
    /// Its keys, if they are brought together.
    keys: Vec<Vec<u8>>,
    /// Its part, if the command is cut.
    part: Option<SplitPart>,
    reply: Vec<u8>,
    effects: Effects,
}

impl Share {
    fn add_slot(&mut self, key: &[u8]) {
        let slot = SlotId::of(key);
        if !self.slots.contains(&slot) {
            self.slots.push(slot);
        }
    }
}

/// A command over several cores under way.
struct Transaction {
    connection: ConnectionId,
    command: Resolved,
    arguments: OwnedArguments,
    protocol: Protocol,
    /// How the shares' replies become one, if the command is cut.
    merge: Option<Merge>,
    shares: BTreeMap<usize, Share>,
    /// Cores whose locks are held, in the order of `shares`.
    locked: usize,
    /// Cores whose answer is awaited.
    missing: usize,
    reply: Vec<u8>,
}

/// Commands over several cores that this core coordinates.
#[derive(Default)]
pub struct Transactions {
    last: u64,
    open: HashMap<u64, Transaction>,
    /// Where keys of several cores are brought together; made on first use.
    scratch: Option<Box<Core>>,
}

impl Transactions {
    /// What is under way: the command, and the slots that it touches.
    pub fn open_ones(&self) -> impl Iterator<Item = (&'static Spec, impl Iterator<Item = SlotId>)> {
        self.open.values().map(|transaction| {
            let slots = transaction.shares.values().flat_map(|share| share.slots.iter().copied());
            (transaction.command.spec, slots)
        })
    }
}

impl CoreService {
    /// Begins to lock. The connection waits until the command is done.
    pub(super) fn begin_transaction(
        &mut self,
        io: &mut Io<Message>,
        connection: &mut Connection,
        session: &Session,
        command: Resolved,
        arguments: &Arguments<'_>,
    ) -> Result<(), CommandError> {
        let merge = match command.spec.route {
            Route::Split(merge) => Some(merge),
            _ => None,
        };
        let shares = match merge {
            Some(_) => self.cut(command, arguments)?,
            None => self.bring_together(command, arguments),
        };
        self.transactions.last += 1;
        let number = self.transactions.last;
        let transaction = Transaction {
            connection: connection.id,
            command,
            arguments: OwnedArguments::copy(arguments),
            protocol: session.protocol,
            merge,
            shares,
            locked: 0,
            missing: 0,
            reply: Vec::new(),
        };
        self.transactions.open.insert(number, transaction);
        connection.hold = Hold::Transaction;
        self.lock_next(io, number);
        Ok(())
    }

    fn cut(
        &self,
        command: Resolved,
        arguments: &Arguments<'_>,
    ) -> Result<BTreeMap<usize, Share>, CommandError> {
        let parts = split(command.spec, arguments, |key| self.owner(SlotId::of(key)) as u16)?;
        let mut shares = BTreeMap::new();
        for part in parts {
            let mut share = Share::default();
            for position in key_positions(command, &part.arguments.view()) {
                share.add_slot(part.arguments.view().at(position));
            }
            let core = usize::from(part.core);
            share.part = Some(part);
            shares.insert(core, share);
        }
        Ok(shares)
    }

    fn bring_together(&self, command: Resolved, arguments: &Arguments<'_>) -> BTreeMap<usize, Share> {
        let mut shares: BTreeMap<usize, Share> = BTreeMap::new();
        for position in key_positions(command, arguments) {
            let key = arguments.at(position);
            let share = shares.entry(self.owner(SlotId::of(key))).or_default();
            share.add_slot(key);
            share.keys.push(key.to_vec());
        }
        shares
    }

    /// Asks the next core for its locks, or goes on when all are held.
    fn lock_next(&mut self, io: &mut Io<Message>, number: u64) {
        loop {
            let transaction = &self.transactions.open[&number];
            let Some((core, share)) = transaction.shares.iter().nth(transaction.locked) else {
                return self.run_transaction(io, number);
            };
            let (core, slots) = (*core, share.slots.clone());
            if core != self.index {
                return self.outbox.message(core, Message::Lock { number, slots });
            }
            if !self.locks.request(LockOwner { core, number }, slots) {
                return;
            }
            self.transaction(number).locked += 1;
        }
    }

    fn transaction(&mut self, number: u64) -> &mut Transaction {
        self.transactions.open.get_mut(&number).expect("a transaction is open until its last answer")
    }

    /// All locks are held.
    fn run_transaction(&mut self, io: &mut Io<Message>, number: u64) {
        let transaction = self.transaction(number);
        transaction.missing = transaction.shares.len();
        let protocol = transaction.protocol;
        let messages: Vec<(usize, Message)> = transaction
            .shares
            .iter_mut()
            .map(|(core, share)| match &share.part {
                Some(part) => (*core, Message::Run { number, arguments: part.arguments.clone(), protocol }),
                None => (*core, Message::Fetch { number, keys: std::mem::take(&mut share.keys) }),
            })
            .collect();
        for (core, message) in messages {
            self.say(io, core, message);
        }
    }

    /// Sends a message of a transaction, also to this core itself.
    fn say(&mut self, io: &mut Io<Message>, core: usize, message: Message) {
        if core == self.index {
            self.step_transaction(io, core, message)
        } else {
            self.outbox.message(core, message)
        }
    }

    /// Takes one step: as a core that has a share, or as the coordinator.
    pub(super) fn step_transaction(&mut self, io: &mut Io<Message>, from: usize, message: Message) {
        match message {
            Message::Lock { number, slots } => {
                if self.locks.request(LockOwner { core: from, number }, slots) {
                    self.outbox.message(from, Message::Locked { number });
                }
            }
            Message::Locked { number } => {
                self.transaction(number).locked += 1;
                self.lock_next(io, number);
            }
            Message::Run { number, arguments, protocol } => {
                let mut reply = Reply::new(protocol);
                self.visit(io, &arguments.view(), &mut reply);
                self.unlock(io, LockOwner { core: from, number });
                self.say(io, from, Message::Ran { number, reply: reply.into_bytes() });
            }
            Message::Fetch { number, keys } => {
                let now_ms = self.now(io).unix_ms;
                let mut effects = Effects::new();
                for key in keys {
                    let key = self.core.shard.key(&key);
                    let mut run = Vec::new();
                    self.core.shard.describe(&key, now_ms, &mut run);
                    effects.push((key.slot(), run));
                }
                self.say(io, from, Message::Fetched { number, effects });
            }
            Message::Apply { number, effects } => {
                apply(&mut self.core, &effects);
                self.unlock(io, LockOwner { core: from, number });
                self.say(io, from, Message::Applied { number });
            }
            Message::Ran { number, reply } => {
                self.share(number, from).reply = reply;
                self.answered(io, number, Self::merge_replies);
            }
            Message::Fetched { number, effects } => {
                self.share(number, from).effects = effects;
                self.answered(io, number, Self::run_in_scratch);
            }
            Message::Applied { number } => self.answered(io, number, Self::end_transaction),
            _ => unreachable!("the other messages are not a transaction's"),
        }
    }

    fn share(&mut self, number: u64, core: usize) -> &mut Share {
        self.transaction(number).shares.get_mut(&core).expect("only cores with a share answer")
    }

    /// Counts an answer; the last one goes on with `next`.
    fn answered(&mut self, io: &mut Io<Message>, number: u64, next: fn(&mut Self, &mut Io<Message>, u64)) {
        let transaction = self.transaction(number);
        transaction.missing -= 1;
        if transaction.missing == 0 {
            next(self, io, number);
        }
    }

    fn unlock(&mut self, io: &mut Io<Message>, owner: LockOwner) {
        for granted in self.locks.release(owner) {
            if granted.core != self.index {
                self.outbox.message(granted.core, Message::Locked { number: granted.number });
                continue;
            }
            self.transaction(granted.number).locked += 1;
            self.lock_next(io, granted.number);
        }
        self.release_held(Hold::Slot);
        self.run_parked(io);
    }

    fn merge_replies(&mut self, io: &mut Io<Message>, number: u64) {
        let transaction = self.transaction(number);
        let merge = transaction.merge.expect("only commands that are cut run in shares");
        let parts: Vec<(&[u32], &[u8])> = transaction
            .shares
            .values()
            .filter_map(|share| Some((&share.part.as_ref()?.places[..], &share.reply[..])))
            .collect();
        let mut reply = Reply::new(transaction.protocol);
        join(merge, &parts, &mut reply);
        transaction.reply = reply.into_bytes();
        self.end_transaction(io, number);
    }

    /// Runs the command on the keys of all cores, brought together; what it did goes back.
    fn run_in_scratch(&mut self, io: &mut Io<Message>, number: u64) {
        let mut scratch = self.transactions.scratch.take().unwrap_or_else(|| self.shared.scratch(&self.core));
        let now = self.now(io);
        let Transaction { shares, arguments, command, protocol, .. } = self.transaction(number);
        let mut slots = Vec::new();
        for share in shares.values() {
            apply(&mut scratch, &share.effects);
            slots.extend(share.slots.iter().copied());
        }
        let watches: Vec<WatchId> = slots.iter().map(|slot| scratch.shard.watch(*slot, usize::MAX)).collect();
        let mut session = Session { protocol: *protocol, authenticated: true, ..Session::default() };
        let mut reply = Reply::new(*protocol);
        execute_resolved(&mut scratch, &mut session, &mut reply, now, *command, &arguments.view());
        let mut by_core: BTreeMap<usize, Effects> = BTreeMap::new();
        for (slot, watch) in slots.iter().zip(watches) {
            let mut run = Vec::new();
            if scratch.shard.take_deltas(watch, usize::MAX, &mut run).count > 0 {
                by_core.entry(self.owner(*slot)).or_default().push((*slot, run));
            }
            scratch.shard.unwatch(watch);
        }
        scratch.shard.flush();
        while scratch.shard.reclaim(64) {}
        self.transactions.scratch = Some(scratch);
        let transaction = self.transaction(number);
        transaction.reply = reply.into_bytes();
        transaction.missing = transaction.shares.len();
        let cores: Vec<usize> = transaction.shares.keys().copied().collect();
        for core in cores {
            let effects = by_core.remove(&core).unwrap_or_default();
            self.say(io, core, Message::Apply { number, effects });
        }
    }

    fn end_transaction(&mut self, io: &mut Io<Message>, number: u64) {
        let Some(transaction) = self.transactions.open.remove(&number) else { return };
        let Some(mut connection) = self.take(transaction.connection) else { return };
        let mut session = self.core.sessions.take(connection.session);
        let mut reply = Reply::new(transaction.protocol);
        reply.raw(&transaction.reply);
        settle_reply_mode(&mut session, &mut reply, 0);
        flush(io, &mut connection, &mut reply);
        self.core.sessions.put(connection.session, session);
        connection.hold = Hold::None;
        self.resumed.push_back(connection.id);
        self.put(connection);
    }
}

fn apply(core: &mut Core, effects: &Effects) {
    for (slot, run) in effects {
        // A full arena is the one thing that can stand in the way here; the command has answered by then, and the key
        // stays as it was.
        if let Err(error) = core.shard.apply_run(*slot, run) {
            crate::log::warning(format_args!("A change over several cores could not be kept: {error:?}"));
        }
    }
}

/// Where a command's keys stand among its arguments.
fn key_positions(command: Resolved, arguments: &Arguments<'_>) -> Vec<usize> {
    let mut positions = Vec::new();
    let found = for_each_key(command.spec, arguments, |position, _| positions.push(position));
    debug_assert!(found.is_ok(), "the router has found the keys");
    positions
}
