//! What everything in a run shares: the agenda, the network, the way to the store, the checks and the story.

use std::collections::BTreeMap;
use std::rc::Rc;

use whimbrel_engine::key::SlotId;

use crate::agenda::Agenda;
use crate::checks::ledger::Ledger;
use crate::checks::model::{difference, held_content};
use crate::checks::orders::Orders;
use crate::checks::resends::Surroundings;
use crate::checks::{Invariant, Violation};
use crate::clock::wall_ms;
use crate::core::Core;
use crate::dice::Dice;
use crate::event::{Event, Input};
use crate::mutation::Mutation;
use crate::network::Network;
use crate::scenario::Scenario;
use crate::store::{Ask, AskId, SlotMap, Wire};
use crate::story::{About, Story};
use crate::totals::Totals;

/// What everything in a run shares.
#[derive(Debug)]
pub struct Env {
    pub scenario: Scenario,
    pub agenda: Agenda<Event>,
    pub network: Network,
    pub wire: Wire,
    pub dice: Dice,
    pub ledger: Ledger,
    pub totals: Totals,
    pub story: Story,
    pub mutation: Option<Mutation>,
    pub violation: Option<Violation>,
    pub is_calm: bool,
    /// What the store holds.
    pub owners: Rc<SlotMap>,
    /// How often each core, as a target, said that it dropped a batch, or that it is its heir no more.
    pub dropped: Vec<u64>,
    /// The life that each process is in.
    pub lives: Vec<u64>,
    pub orders: Orders,
    /// Mailboxes between cores of a process.
    pub mailboxes: Lines,
    /// Connections of clients to cores.
    pub client_lines: Lines,
}

/// Ways on which things are late but stay in order.
#[derive(Default, Debug)]
pub struct Lines {
    last_us: BTreeMap<(usize, usize), u64>,
}

impl Lines {
    /// When what is sent now is delivered.
    pub fn delivery_us(
        &mut self,
        from: usize,
        to: usize,
        longest_us: u64,
        now_us: u64,
        dice: &mut Dice,
    ) -> u64 {
        let last_us = self.last_us.entry((from, to)).or_default();
        *last_us = (*last_us).max(now_us + dice.skewed(1..longest_us + 2));
        *last_us
    }
}

impl Env {
    /// The true time.
    pub fn now_us(&self) -> u64 {
        self.agenda.now_us()
    }

    /// Whether a deliberate fault is in force.
    pub fn has(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Notes that something did not hold. The first thing that did not ends the run.
    pub fn violated(&mut self, invariant: Invariant, slots: &[SlotId], text: String) {
        if self.violation.is_none() {
            let at_us = self.now_us();
            self.tell(slots, || format!("*** {}: {text}", invariant.name()));
            self.violation = Some(Violation { invariant, at_us, slots: slots.to_vec(), key: None, text });
        }
    }

    /// The same, of one key.
    pub fn violated_key(&mut self, invariant: Invariant, slot: SlotId, key: &[u8], text: String) {
        if self.violation.is_none() {
            self.violated(invariant, &[slot], text);
            if let Some(violation) = &mut self.violation {
                violation.key = Some(key.to_vec());
            }
        }
    }

    /// Tells the story of some slots.
    pub fn tell(&mut self, slots: &[SlotId], text: impl FnOnce() -> String) {
        self.story.tell(self.agenda.now_us(), || About::Slots(slots.to_vec()), text);
    }

    /// Tells what concerns everything.
    pub fn tell_all(&mut self, text: impl FnOnce() -> String) {
        self.story.tell(self.agenda.now_us(), || About::All, text);
    }

    /// Tells what concerns one key.
    pub fn tell_key(&mut self, slot: SlotId, key: &[u8], text: impl FnOnce() -> String) {
        self.story.tell(self.agenda.now_us(), || About::Key(slot, key.to_vec()), text);
    }

    /// Tells a core something, a little later.
    pub fn tell_core(&mut self, core: usize, life: u64, input: Input) {
        let delay_us = self.dice.skewed(1..self.scenario.mailbox_delay_us + 2);
        self.agenda.after(delay_us, Event::Tell { core, life, input });
    }

    /// When what goes into a mailbox now is delivered.
    pub fn mailbox_us(&mut self, from: usize, to: usize) -> u64 {
        let longest_us = self.scenario.mailbox_delay_us;
        self.mailboxes.delivery_us(from, to, longest_us, self.agenda.now_us(), &mut self.dice)
    }

    /// What the taps are told of the world.
    pub fn surroundings(&self, target: usize) -> Surroundings {
        Surroundings {
            forgotten: self.lives[self.scenario.process_of(target)] + self.dropped[target],
            window_bytes: self.scenario.window_bytes,
        }
    }

    /// A word was given by one process to another. Now and then it is lost, and its giver stands still until its lease may have
    /// run out.
    pub fn aim_at_word(&mut self, source: usize, target: usize) {
        // In a million; oftener where only this can show the fault.
        let aimed = if self.has(Mutation::TakesFromHeirs) { 500_000 } else { 40_000 };
        if source != target && self.scenario.mischief_us > 0 && self.dice.happens(aimed) {
            let lease_us = self.scenario.lease_us;
            let until_us = self.now_us() + self.dice.within(lease_us / 2..lease_us * 5 / 2);
            let after_us = self.dice.below(20);
            self.agenda.after(after_us, Event::Strand { source, target, until_us });
        }
    }

    /// I3: slots that have become a core's hold there what they must.
    pub fn check_handed_over(&mut self, core: &mut Core, slots: &[SlotId]) {
        let now_ms = wall_ms(self.now_us());
        for slot in slots {
            self.totals.slots_compared += 1;
            let held = held_content(&mut core.shard, *slot, now_ms);
            if let Some(text) = difference(&held, &self.ledger.slot(*slot), now_ms) {
                let text = format!("core {} is given slot {}: {text}", core.index, slot.number());
                self.violated(Invariant::OnePlace, &[*slot], text);
            }
        }
    }

    /// Asks the store.
    pub fn ask(&mut self, process: usize, ask: Ask) -> AskId {
        self.wire.ask(process, ask, &mut self.agenda, &mut self.totals)
    }
}
