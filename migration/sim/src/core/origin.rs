//! The shared port: commands are passed on by the core that holds the connection, and wait there when they have to.
//!
//! Mailboxes keep the order of what goes through them. So once every core has said that it holds such commands, and its word
//! came through the same mailbox as the commands before it, the source has executed all that was under way.

use std::rc::Rc;

use whimbrel_engine::key::SlotId;
use whimbrel_migration::{BatchId, Hold};

use super::{Core, Standing};
use crate::env::Env;
use crate::event::{Event, Input, Request};
use crate::mutation::Mutation;
use crate::process::Process;

/// What waits at a core because a source asked for it.
#[derive(Clone, Debug)]
pub struct OriginHold {
    pub hold: Hold,
    pub slots: Rc<[SlotId]>,
}

impl Core {
    fn origin_hold(&self, slot: SlotId) -> Hold {
        let holds = self.origin_holds.values().filter(|hold| hold.slots.contains(&slot));
        holds.map(|hold| hold.hold).max().unwrap_or(Hold::None)
    }

    /// A client asks the core that holds its connection.
    pub(super) fn asked_at_origin(&mut self, request: Request, process: &Process, env: &mut Env) {
        let slot = request.command.slot;
        let waits = match self.origin_hold(slot) {
            Hold::None => false,
            Hold::Writes => request.command.writes(),
            Hold::All => true,
        };
        if waits || self.is_behind(&request) {
            return self.wait(request, env);
        }
        match self.owner_of(slot) {
            Some(core) if core == self.index => self.forwarded(request, process, env),
            Some(core) => self.forward(request, core, process, env),
            None => self.reply(&request, crate::clients::Reply::Down, env),
        }
    }

    /// A command has come to the core that is to execute it.
    pub(super) fn forwarded(&mut self, request: Request, process: &Process, env: &mut Env) {
        if self.is_behind(&request) {
            return self.wait(request, env);
        }
        match self.standing(request.command.slot, request.command.writes(), process, env) {
            Standing::Serves => self.serve(request, env),
            Standing::Holds => self.wait(request, env),
            Standing::Elsewhere(core) => self.forward(request, core, process, env),
            Standing::Down => self.reply(&request, crate::clients::Reply::Down, env),
        }
    }

    /// A source wants commands to wait at every core: itself at once, the others through their mailboxes.
    pub(super) fn ask_origins(&mut self, batch: BatchId, hold: Hold, process: &Process, env: &mut Env) {
        let Some(departure) = self.departures.get_mut(&batch) else { return };
        departure.hold_number += 1;
        departure.held_by = 0;
        let (number, slots) = (departure.hold_number, departure.slots());
        let map = Rc::clone(&self.map);
        let given = Some(departure.machine.heir()).filter(|heir| self.followed.contains(heir));
        for core in process.cores.clone() {
            let (slots, map) = (Rc::clone(&slots), Rc::clone(&map));
            let input = Input::HoldAtOrigin { source: self.index, batch, number, hold, slots, map, given };
            if core == self.index {
                self.take(input, process, env);
            } else {
                let at_us = env.mailbox_us(self.index, core);
                env.agenda.at(at_us, Event::Tell { core, life: process.life, input });
            }
        }
        if hold != Hold::None && env.has(Mutation::HeldTooEarly) {
            self.say_held(batch, hold, process, env);
        }
    }

    pub(super) fn hold_at_origin(
        &mut self,
        source: usize,
        batch: BatchId,
        number: u64,
        hold: OriginHold,
        process: &Process,
        env: &mut Env,
    ) {
        env.tell(&hold.slots, || format!("core {} holds {:?} for {batch}", self.index, hold.hold));
        if hold.hold == Hold::None {
            self.origin_holds.remove(&(source, batch));
        } else {
            self.origin_holds.insert((source, batch), hold);
        }
        let input = Input::HeldAtOrigin { batch, number };
        if source == self.index {
            return self.held_at_origin(batch, number, process, env);
        }
        let at_us = env.mailbox_us(self.index, source);
        env.agenda.at(at_us, Event::Tell { core: source, life: process.life, input });
    }

    pub(super) fn held_at_origin(&mut self, batch: BatchId, number: u64, process: &Process, env: &mut Env) {
        let Some(departure) = self.departures.get_mut(&batch) else { return };
        if departure.hold_number != number {
            return;
        }
        departure.held_by += 1;
        let hold = departure.hold;
        if departure.held_by == process.cores.len() && hold != Hold::None && !env.has(Mutation::HeldTooEarly)
        {
            self.say_held(batch, hold, process, env);
        }
    }

    fn say_held(&mut self, batch: BatchId, hold: Hold, process: &Process, env: &mut Env) {
        if let Some(departure) = self.departures.get_mut(&batch) {
            departure.machine.held(hold, process.local_us(env));
        }
    }
}
