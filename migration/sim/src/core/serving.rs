//! Serving commands: who may serve a slot, who waits, who is sent elsewhere. Everything that is served is checked.

use whimbrel_engine::key::SlotId;
use whimbrel_migration::Hold;

use super::Core;
use crate::checks::Invariant;
use crate::clients::Reply;
use crate::clock::wall_ms;
use crate::env::Env;
use crate::event::{Event, Input, Request};
use crate::mutation::Mutation;
use crate::process::Process;
use crate::scenario::Port;

/// What a core does with a command on a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It serves it.
    Serves,
    /// It lets it wait.
    Holds,
    /// It says that another core has the slot.
    Elsewhere(usize),
    /// It says that nobody can serve it.
    Down,
}

impl Core {
    /// What the core would do with a command on a slot at this instant.
    pub fn standing(&self, slot: SlotId, writes: bool, process: &Process, env: &Env) -> Standing {
        if !process.is_up || self.map.epoch == 0 {
            return Standing::Down;
        }
        let arrival = self.arrivals.values().find(|arrival| arrival.has(slot));
        let has_heard = self.heard_of == process.registration || env.has(Mutation::ServesBeforeMap);
        let may_serve = (process.local_us(env) < process.serve_until_us && has_heard)
            || (env.has(Mutation::ServesAfterLease) && process.serve_until_us > 0);
        let serves_withdrawn = env.has(Mutation::ObeysWithdrawnWord) && self.has_obeyed(slot);
        if self.owner_of(slot) == Some(self.index) || serves_withdrawn {
            if !may_serve || !(self.may_serve_heir(slot, process) || serves_withdrawn) {
                return Standing::Down;
            }
            if self.shard.is_staged(slot) {
                return Standing::Holds;
            }
            return match self.hold_here(slot, env) {
                Hold::None => Standing::Serves,
                Hold::Writes if !writes => Standing::Serves,
                Hold::Writes | Hold::All if writes && env.has(Mutation::ServesHeldWrites) => Standing::Serves,
                Hold::Writes | Hold::All => Standing::Holds,
            };
        }
        if !writes
            && may_serve
            && env.has(Mutation::ServesReadsBehindWord)
            && self.map.owner(slot) == Some(self.index)
        {
            return Standing::Serves;
        }
        match (arrival, self.owner_of(slot)) {
            (Some(arrival), _) if arrival.serves_already(env) && may_serve => Standing::Serves,
            (Some(arrival), _) if arrival.holds => Standing::Holds,
            (_, Some(owner)) => Standing::Elsewhere(owner),
            (_, None) => Standing::Down,
        }
    }

    /// On the shared port commands wait at the core that holds the connection, and what comes here is executed.
    fn hold_here(&self, slot: SlotId, env: &Env) -> Hold {
        match env.scenario.port {
            Port::OfEachCore => self.hold_on(slot),
            Port::Shared => Hold::None,
        }
    }

    /// A client asks this core.
    pub(super) fn asked(&mut self, request: Request, process: &Process, env: &mut Env) {
        if env.scenario.port == Port::Shared {
            return self.asked_at_origin(request, process, env);
        }
        match self.standing(request.command.slot, request.command.writes(), process, env) {
            Standing::Serves => self.serve(request, env),
            Standing::Holds => self.wait(request, env),
            Standing::Elsewhere(core) => {
                env.totals.moved += 1;
                self.reply(&request, Reply::Moved(core), env);
            }
            Standing::Down => self.reply(&request, Reply::Down, env),
        }
    }

    /// Whether something that the same connection asked before waits here: that goes first.
    pub(super) fn is_behind(&self, request: &Request) -> bool {
        self.waiting.iter().any(|other| other.client == request.client)
    }

    pub(super) fn wait(&mut self, request: Request, env: &mut Env) {
        if self.is_retrying {
            return self.waiting.push(request);
        }
        env.tell_key(request.command.slot, &request.command.key, || {
            format!("core {} holds {} of client {}", self.index, request.command, request.client)
        });
        self.waiting.push(request);
    }

    /// Looks at what waits once more.
    pub(super) fn retry_waiting(&mut self, process: &Process, env: &mut Env) {
        self.is_retrying = true;
        for request in std::mem::take(&mut self.waiting) {
            let before = self.waiting.len();
            let is_shared = env.scenario.port == Port::Shared;
            if !is_shared
                && self.standing(request.command.slot, request.command.writes(), process, env)
                    == Standing::Holds
            {
                self.waiting.push(request);
                continue;
            }
            if is_shared && request.origin != self.index {
                self.forwarded(request, process, env);
            } else {
                self.asked(request, process, env);
            }
            if self.waiting.len() == before {
                env.totals.held += 1;
            }
        }
        self.is_retrying = false;
    }

    /// Executes a command, and checks its answer.
    pub(super) fn serve(&mut self, request: Request, env: &mut Env) {
        let Request { command, client, connection, number, .. } = &request;
        let now_ms = wall_ms(env.now_us());
        let answer = match command.serve(&mut self.shard, now_ms) {
            Ok(answer) => answer,
            Err(error) => return env.violated(Invariant::Ceilings, &[command.slot], format!("{error:?}")),
        };
        env.totals.commands += 1;
        self.served.push(command.slot);
        let wanted = env.ledger.serve(command, now_ms);
        env.tell_key(command.slot, &command.key, || {
            format!("core {} serves {command} of client {client}: {answer}", self.index)
        });
        if answer != wanted {
            let text = format!("core {}: {command} was answered {answer}, not {wanted}", self.index);
            env.violated_key(Invariant::NothingLost, command.slot, &command.key, text);
        }
        if let Some(text) = env.orders.executed(*client, *connection, command.slot, *number) {
            env.violated_key(Invariant::NothingLost, command.slot, &command.key, text);
        }
        // On the shared port the way back through the mailbox is part of the answer's delay.
        self.reply(&request, Reply::Answer(answer), env);
    }

    /// Answers a client, unless its connection breaks.
    pub(super) fn reply(&mut self, request: &Request, reply: Reply, env: &mut Env) {
        let (client, number) = (request.client, request.number);
        if !env.is_calm && env.dice.happens(env.scenario.lost_replies) {
            env.totals.faults.lost_replies += 1;
            return;
        }
        let delay_us = 10 + env.dice.skewed(1..env.scenario.client_delay_us + 2);
        env.agenda.after(delay_us, Event::Reply { client, number, reply });
    }

    /// Passes a command on to another core of the process.
    pub(super) fn forward(&mut self, request: Request, to: usize, process: &Process, env: &mut Env) {
        let at_us = env.mailbox_us(self.index, to);
        let input = Input::Forwarded(request);
        env.agenda.at(at_us, Event::Tell { core: to, life: process.life, input });
    }
}
