//! Heirs at a core: slots that were given away or taken by a word, before the map says so.
//!
//! The map wins. A word counts as long as the map names the heir that it was given to; once it does not, slots are whose it
//! says they are.

use std::rc::Rc;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::topology::HeirId;
use whimbrel_migration::{BatchId, Outcome};

use super::Core;
use crate::env::Env;
use crate::event::{Event, Input, Order};
use crate::mutation::Mutation;
use crate::process::Process;
use crate::scenario::Port;
use crate::store::View;

impl Core {
    /// Who has a slot: by the map, or by a word that is known here.
    pub(super) fn owner_of(&self, slot: SlotId) -> Option<usize> {
        match self.map.heir_of(slot) {
            Some((id, heir)) if self.followed.contains(&id) => Some(heir.target),
            _ => self.map.owner(slot),
        }
    }

    /// Whether a slot that the core has may be served by what the map says of its heir.
    pub(super) fn may_serve_heir(&self, slot: SlotId, process: &Process) -> bool {
        let Some((id, heir)) = self.map.heir_of(slot) else { return true };
        match self.followed.contains(&id) {
            // Somebody else may have been given the slots while the process was not registered.
            true => process.registration == Some(heir.target_incarnation),
            // An earlier life of the process may have given its word.
            false => process.is_of_this_life(heir.source_incarnation),
        }
    }

    /// Whether a slot has come here by a word.
    pub(super) fn has_obeyed(&self, slot: SlotId) -> bool {
        self.obeyed.values().any(|slots| slots.contains(&slot))
    }

    /// Whether a slot is coming here, or has come by a word that the map does not tell of yet.
    pub fn has_come(&self, slot: SlotId) -> bool {
        self.has_obeyed(slot) || self.arrivals.values().any(|arrival| arrival.has(slot))
    }

    /// Whether all that this heir is to have is here.
    pub fn has_come_as(&self, heir: HeirId) -> bool {
        let is_kept = |arrival: &super::Arrival| {
            arrival.machine.heir() == heir && arrival.machine.is_kept() && arrival.has_all()
        };
        self.obeyed.contains_key(&heir) || self.arrivals.values().any(is_kept)
    }

    pub(super) fn order(&mut self, process: &Process, order: Order, env: &mut Env) {
        let delay_us = env.dice.skewed(1..env.scenario.mailbox_delay_us + 2);
        env.agenda.after(delay_us, Event::Ordered { core: self.index, life: process.life, order });
    }

    /// The target obeys the word: what came is its own from now on, if the map names it as heir.
    pub(super) fn obey_word(&mut self, id: HeirId, slots: &Rc<[SlotId]>, process: &Process, env: &mut Env) {
        let is_named = self.map.heirs.contains_key(&id);
        if is_named || env.has(Mutation::ObeysWithdrawnWord) {
            self.followed.insert(id);
            self.obeyed.insert(id, Rc::clone(slots));
        }
        if let Some(heir) = env.owners.heirs.get(&id) {
            let (source, target, slots) = (heir.source, heir.target, heir.slots.clone());
            env.ledger.taken(&slots, self.index);
            env.check_handed_over(self, &slots);
            self.order(process, Order::Commit { id, source, target }, env);
            if env.scenario.port == Port::Shared {
                let at_us = env.mailbox_us(self.index, source);
                let input = Input::Settled(id);
                env.agenda.at(at_us, Event::Tell { core: source, life: process.life, input });
            }
        }
        self.empty_strangers(slots, env);
    }

    /// What lies in slots that are not the core's is worth nothing.
    fn empty_strangers(&mut self, slots: &[SlotId], env: &mut Env) {
        for slot in slots {
            let is_mine = self.owner_of(*slot) == Some(self.index) || self.has_obeyed(*slot);
            if !is_mine && !self.shard.is_staged(*slot) && self.shard.slot_keys(*slot) > 0 {
                env.tell(&[*slot], || format!("core {} empties slot {}", self.index, slot.number()));
                self.shard.flush_slot(*slot);
            }
        }
    }

    /// Forgets words about heirs that the map does not name any more.
    pub(super) fn forget_heirs(&mut self, env: &mut Env) {
        if env.has(Mutation::ObeysWithdrawnWord) {
            return;
        }
        let map = Rc::clone(&self.map);
        self.followed.retain(|id| map.heirs.contains_key(id));
        let ended: Vec<HeirId> =
            self.obeyed.keys().filter(|id| !map.heirs.contains_key(id)).copied().collect();
        for id in ended {
            let slots = self.obeyed.remove(&id).expect("it was just seen");
            self.empty_strangers(&slots, env);
        }
    }

    /// Has the store hear of words, and name nobody as heir who is none any more.
    pub(super) fn tend_heirs(&mut self, view: &View, process: &Process, env: &mut Env) {
        let map = Rc::clone(&self.map);
        for (id, heir) in &map.heirs {
            let (id, source, target) = (*id, heir.source, heir.target);
            let is_given = self.followed.contains(&id) && source == self.index;
            if self.obeyed.contains_key(&id) || is_given {
                self.order(process, Order::Commit { id, source, target }, env);
            } else if source == self.index && self.is_stray_departure(id, heir, view, process, env) {
                self.order(process, Order::Withdraw { id }, env);
            } else if target == self.index && process.is_of_this_life(heir.target_incarnation) {
                let is_kept = self.arrivals.values().any(|arrival| arrival.keeps(id));
                if !is_kept {
                    self.order(process, Order::Withdraw { id }, env);
                }
            }
        }
    }

    /// Whether an heir of this core's slots is not wanted any more.
    fn is_stray_departure(
        &self,
        id: HeirId,
        heir: &crate::store::Heir,
        view: &View,
        process: &Process,
        env: &Env,
    ) -> bool {
        if !process.is_of_this_life(heir.source_incarnation) {
            // An earlier life may have given its word: that is its heir's, as long as it is there.
            let target = env.scenario.process_of(heir.target);
            return view.registrations.get(&target) != Some(&heir.target_incarnation);
        }
        let is_wanted =
            |departure: &super::Departure| departure.machine.heir() == id && departure.machine.has_heir();
        !self.departures.values().any(is_wanted)
    }

    /// The map does not name the heir any more that the word of a batch was given to.
    pub(super) fn word_settled(&mut self, batch: BatchId, process: &Process, env: &mut Env) {
        let slots = self.departures[&batch].slots();
        let outcome = match self.map.owns_any(self.index, &slots) {
            true => {
                env.totals.words_refused += 1;
                Outcome::Refused { reason: "the target had dropped the slots".to_owned() }
            }
            false => Outcome::Committed,
        };
        self.outcome(batch, outcome, process, env);
    }

    /// A deliberate fault: a word is taken back.
    pub(super) fn take_back(&mut self, heir: HeirId, process: &Process, env: &mut Env) {
        let is_it =
            |departure: &super::Departure| departure.machine.is_given() && departure.machine.heir() == heir;
        let batch = self.departures.iter().find(|(_, departure)| is_it(departure)).map(|(batch, _)| *batch);
        if let Some(batch) = batch {
            self.followed.remove(&heir);
            let outcome = Outcome::Refused { reason: "the store has not answered".to_owned() };
            self.outcome(batch, outcome, process, env);
        }
    }
}
