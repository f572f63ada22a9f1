//! A client: it asks, waits for a while, goes where it is sent, and never learns what became of some commands.

use std::collections::{BTreeMap, VecDeque};

use whimbrel_engine::key::SlotId;

use super::command::{Answer, Command};
use super::keyspace::Keyspace;
use crate::env::Env;
use crate::event::{Event, Input, Request};
use crate::scenario::Port;

/// What a client hears.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// The answer to its command.
    Answer(Answer),
    /// Another core has the slot.
    Moved(usize),
    /// Nobody can serve it now.
    Down,
}

/// A client.
#[derive(Debug)]
pub struct Client {
    index: usize,
    /// Where it believes that slots are.
    map: BTreeMap<SlotId, usize>,
    /// On the shared port, the core that holds its connection.
    home: usize,
    /// Counts its connections: after a time-out it begins a new one.
    connection: u64,
    last: u64,
    under_way: VecDeque<(u64, Command)>,
    is_hushed: bool,
    /// Redirections since the last answer.
    redirections: u32,
}

/// Redirections after which a client gives a command up.
const REDIRECTIONS_MAX: u32 = 32;

impl Client {
    /// A client that knows nothing.
    pub fn new(index: usize, home: usize) -> Client {
        Client {
            index,
            map: BTreeMap::new(),
            home,
            connection: 1,
            last: 0,
            under_way: VecDeque::new(),
            is_hushed: false,
            redirections: 0,
        }
    }

    /// Asks no more.
    pub fn hush(&mut self) {
        self.is_hushed = true;
    }

    /// Whether nothing of it is under way.
    pub fn is_at_rest(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Asks the next thing, if it may.
    pub fn step(&mut self, keyspace: &mut Keyspace, env: &mut Env) {
        if !self.is_hushed && self.under_way.len() < env.scenario.pipeline {
            let command = keyspace.command(&mut env.dice);
            self.send(command, env);
        }
        if !self.is_hushed {
            let think_us = 50 + env.dice.below(env.scenario.think_us);
            env.agenda.after(think_us, Event::Client { client: self.index });
        }
    }

    fn send(&mut self, command: Command, env: &mut Env) {
        let core = match env.scenario.port {
            Port::Shared => self.home,
            Port::OfEachCore => match self.map.get(&command.slot) {
                Some(core) => *core,
                None => env.dice.index(env.scenario.cores()),
            },
        };
        self.last += 1;
        let number = self.last;
        self.under_way.push_back((number, command.clone()));
        let request =
            Request { client: self.index, connection: self.connection, number, command, origin: core };
        env.agenda.after(env.scenario.client_timeout_us, Event::GiveUp { client: self.index, number });
        self.deliver(core, Input::Request(request), env);
    }

    /// What a client sends to a core arrives in order.
    fn deliver(&mut self, core: usize, input: Input, env: &mut Env) {
        let longest_us = env.scenario.client_delay_us;
        let at_us =
            env.client_lines.delivery_us(self.index, core, longest_us, env.agenda.now_us(), &mut env.dice);
        let life = env.lives[env.scenario.process_of(core)];
        env.agenda.at(at_us, Event::Tell { core, life, input });
    }

    /// It is answered.
    pub fn replied(&mut self, number: u64, reply: Reply, env: &mut Env) {
        let Some(place) = self.under_way.iter().position(|(other, _)| *other == number) else { return };
        let (_, command) = self.under_way.remove(place).expect("the place was just found");
        match reply {
            Reply::Answer(_) | Reply::Down => self.redirections = 0,
            Reply::Moved(core) => {
                self.map.insert(command.slot, core);
                self.redirections += 1;
                if self.redirections < REDIRECTIONS_MAX && !self.is_hushed {
                    self.send(command, env);
                }
            }
        }
    }

    /// It has waited long enough: it closes its connection and will never know.
    pub fn give_up(&mut self, number: u64, env: &mut Env) {
        if !self.under_way.iter().any(|(other, _)| *other == number) {
            return;
        }
        self.connection += 1;
        for (number, command) in std::mem::take(&mut self.under_way) {
            env.totals.unanswered += 1;
            env.tell_key(command.slot, &command.key, || {
                format!("client {} gives up waiting for {command}", self.index)
            });
            for core in 0..env.scenario.cores() {
                if !env.dice.happens(300_000) {
                    self.deliver(core, Input::Forget { client: self.index, number }, env);
                }
            }
            self.map.remove(&command.slot);
        }
    }
}
