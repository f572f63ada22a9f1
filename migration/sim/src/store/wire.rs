//! The way to the store and back: what is asked may be lost, late, or done after the one who asked has given up.

use crate::agenda::Agenda;
use crate::dice::Dice;
use crate::event::Event;
use crate::store::Ask;
use crate::totals::Totals;

/// Names a request. Numbers are never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct AskId(pub u64);

/// What may go wrong on the way. Chances are in a million.
#[derive(Clone, Debug)]
pub struct WireNature {
    /// Usual time there, and back, at most.
    pub delay_us: u64,
    /// The request never arrives.
    pub losses: u64,
    /// The answer never arrives.
    pub lost_answers: u64,
    /// The request arrives, but late.
    pub late: u64,
    /// How late, at most.
    pub late_us: u64,
    /// After how long the one who asked gives up.
    pub timeout_us: u64,
}

/// The way to the store.
#[derive(Debug)]
pub struct Wire {
    nature: WireNature,
    dice: Dice,
    last: u64,
    /// The store cannot be reached until then.
    out_until_us: u64,
    is_calm: bool,
    /// The next request is late.
    delays_next: bool,
}

impl Wire {
    /// A way of this nature.
    pub fn new(nature: WireNature, dice: Dice) -> Wire {
        Wire { nature, dice, last: 0, out_until_us: 0, is_calm: false, delays_next: false }
    }

    /// From now on nothing goes wrong.
    pub fn calm(&mut self) {
        self.is_calm = true;
        self.out_until_us = 0;
    }

    /// Nothing reaches the store for a while.
    pub fn interrupt(&mut self, until_us: u64) {
        self.out_until_us = self.out_until_us.max(until_us);
    }

    /// Sends a request: `Event::Asked` when it arrives, `Event::Unanswered` when it is given up.
    pub fn ask(
        &mut self,
        process: usize,
        ask: Ask,
        agenda: &mut Agenda<Event>,
        totals: &mut Totals,
    ) -> AskId {
        self.last += 1;
        let id = AskId(self.last);
        agenda.after(self.nature.timeout_us, Event::Unanswered { process, id });
        let is_out = agenda.now_us() < self.out_until_us;
        if !self.is_calm && (is_out || self.dice.happens(self.nature.losses)) {
            totals.faults.lost_requests += 1;
            return id;
        }
        let mut delay_us = 20 + self.dice.skewed(1..self.nature.delay_us + 2);
        if !self.is_calm && (std::mem::take(&mut self.delays_next) || self.dice.happens(self.nature.late)) {
            totals.faults.late_requests += 1;
            delay_us += self.dice.below(self.nature.late_us + 1);
        }
        agenda.after(delay_us, Event::Asked { process, id, ask });
        id
    }

    /// Makes the next request late.
    pub fn delay_next(&mut self) {
        self.delays_next = true;
    }

    /// How long an answer takes; nothing if it never arrives.
    pub fn answer_delay_us(&mut self, now_us: u64, totals: &mut Totals) -> Option<u64> {
        let is_out = now_us < self.out_until_us;
        if !self.is_calm && (is_out || self.dice.happens(self.nature.lost_answers)) {
            totals.faults.lost_answers += 1;
            return None;
        }
        Some(20 + self.dice.skewed(1..self.nature.delay_us + 2))
    }

    /// How long news of a change takes to those who watch; nothing if they get it only when they look.
    pub fn news_delay_us(&mut self, now_us: u64, totals: &mut Totals) -> Option<u64> {
        let is_out = now_us < self.out_until_us;
        if !self.is_calm && (is_out || self.dice.happens(self.nature.lost_answers)) {
            totals.faults.lost_news += 1;
            return None;
        }
        let late = !self.is_calm && self.dice.happens(self.nature.late);
        let longest_us = if late { self.nature.late_us } else { self.nature.delay_us };
        Some(20 + self.dice.skewed(1..longest_us + 2))
    }
}
