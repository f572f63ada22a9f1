//! Holds over all cores: from the moment a core has agreed, nothing of the held kind is under way from it.
//!
//! On the shared port a command begins at the core that holds its connection. The core that wants slots still asks every
//! core; each lets new commands for the slots wait and agrees once no command over several cores that touches them is
//! open there. What a core sent on before it agreed lies in the mailbox before its answer. So when all have agreed, all
//! that was under way has run. In cluster mode commands begin at their owner, and it asks itself alone.

use std::collections::HashMap;
use std::sync::Arc;

use whimbrel_engine::commands::{Route, Spec, resolve};
use whimbrel_engine::key::SlotId;
use whimbrel_engine::latency::Sample;
use whimbrel_engine::resp::Arguments;
use whimbrel_engine::shard::ScanCursor;
use whimbrel_net::Monotonic;

use super::super::message::Message;
use super::super::{CoreService, connection, routing};
use super::heirs::Given;
use super::holds::{Level, touches_all};

/// A request of this core that others have still to agree to, or that a parked command stands in the way of.
struct Asked {
    level: Level,
    /// Cores that have not agreed.
    missing: usize,
}

/// A request of another core, or of this one, to which this core has not agreed yet.
struct Owed {
    core: usize,
    number: u64,
    level: Level,
    slots: Arc<[SlotId]>,
}

/// A hold that is in force here.
struct Active {
    slots: Arc<[SlotId]>,
    level: Level,
    since: Monotonic,
}

/// Holds that are being agreed on.
#[derive(Default)]
pub struct Barrier {
    last: u64,
    asked: HashMap<u64, Asked>,
    owed: Vec<Owed>,
    /// What waits here. Two may share slots for a moment: the end of one hold and the begin of the next come from
    /// different cores.
    active: Vec<Active>,
    /// Requests of this core that are in force everywhere, and that nobody was told of yet.
    reached: Vec<u64>,
}

impl Barrier {
    /// Whether some request is not agreed to everywhere.
    #[inline]
    pub fn is_busy(&self) -> bool {
        !(self.asked.is_empty() && self.owed.is_empty())
    }

    /// Slots of a request that another one replaces, or that is taken back, need no answer. A batch's slots are the same
    /// memory in all its requests.
    fn forget_owed(&mut self, slots: &Arc<[SlotId]>) {
        self.owed.retain(|owed| !Arc::ptr_eq(&owed.slots, slots));
    }

    /// A request that has come into force since the last call.
    pub fn reached(&mut self) -> Option<u64> {
        self.reached.pop()
    }
}

impl CoreService {
    /// Cores at which commands for this core's slots begin.
    fn origins(&self) -> std::ops::Range<usize> {
        if self.core.config.cluster_enabled { self.index..self.index + 1 } else { 0..self.count }
    }

    /// Asks every origin to let commands wait. `Barrier::reached` names the request when it is in force everywhere; an
    /// earlier request for the same slots is forgotten.
    pub(super) fn ask_hold(&mut self, earlier: Option<u64>, slots: Arc<[SlotId]>, level: Level) -> u64 {
        self.forget_request(earlier);
        self.moves.barrier.last += 1;
        let number = self.moves.barrier.last;
        let missing = self.origins().len();
        self.moves.barrier.asked.insert(number, Asked { level, missing });
        for core in self.origins() {
            let slots = Arc::clone(&slots);
            if core == self.index {
                self.take_hold(core, number, level, slots);
            } else {
                self.outbox.message(core, Message::Hold { number, level, slots });
            }
        }
        number
    }

    /// Nobody waits for the answers to a request any more; its hold stays.
    pub(super) fn forget_request(&mut self, asked: Option<u64>) {
        if let Some(number) = asked {
            self.moves.barrier.asked.remove(&number);
            self.moves.barrier.reached.retain(|reached| *reached != number);
        }
    }

    /// Lets commands run again everywhere: where they did, or at the heir that was given the slots.
    pub(super) fn release_holds(&mut self, asked: Option<u64>, slots: &Arc<[SlotId]>, given: Option<Given>) {
        self.forget_request(asked);
        for core in self.origins() {
            let slots = Arc::clone(slots);
            if core == self.index {
                self.take_release(slots, given);
            } else {
                self.outbox.message(core, Message::Release { slots, given });
            }
        }
    }

    /// From now on commands of this level wait here; agrees, at once or later.
    pub(in super::super) fn take_hold(
        &mut self,
        core: usize,
        number: u64,
        level: Level,
        slots: Arc<[SlotId]>,
    ) {
        self.moves.barrier.forget_owed(&slots);
        let active = &mut self.moves.barrier.active;
        match active.iter_mut().find(|active| Arc::ptr_eq(&active.slots, &slots)) {
            Some(active) => active.level = level,
            None => active.push(Active { slots: Arc::clone(&slots), level, since: Monotonic::now() }),
        }
        self.sum_up_holds();
        self.moves.barrier.owed.push(Owed { core, number, level, slots });
        self.agree();
    }

    /// The held commands of these slots go on.
    pub(super) fn end_hold(&mut self, slots: &Arc<[SlotId]>) {
        self.moves.barrier.forget_owed(slots);
        let active = &mut self.moves.barrier.active;
        let Some(place) = active.iter().position(|active| Arc::ptr_eq(&active.slots, slots)) else { return };
        let ended = active.swap_remove(place);
        self.sum_up_holds();
        self.note_hold(ended.since);
        self.release_held(connection::Hold::Move);
    }

    /// A slot's commands wait as the strictest hold on it says.
    fn sum_up_holds(&mut self) {
        self.moves.holds.clear();
        for active in &self.moves.barrier.active {
            self.moves.holds.raise(&active.slots, active.level);
        }
    }

    /// Counts how long commands waited.
    fn note_hold(&mut self, since: Monotonic) {
        let now = Monotonic::now();
        let length = now.since(since);
        self.moves.tally.note_hold(length.as_micros() as u64);
        let threshold_ms = self.core.config.latency_monitor_threshold;
        let unix_seconds = self.clock.at(now).unix_s();
        let sample = Sample { unix_seconds, latency_ms: length.as_millis() as u64 };
        self.core.latency.add("slot-hold", threshold_ms, sample);
    }

    /// Another core has agreed.
    pub(in super::super) fn take_agreement(&mut self, number: u64) {
        if let Some(asked) = self.moves.barrier.asked.get_mut(&number) {
            asked.missing -= 1;
        }
    }

    /// Agrees to what nothing stands in the way of any more, and notices what all have agreed to. Called in every turn
    /// while something is open.
    pub(in super::super) fn agree(&mut self) {
        for owed in std::mem::take(&mut self.moves.barrier.owed) {
            if self.is_under_way(owed.level) {
                self.moves.barrier.owed.push(owed);
            } else if owed.core == self.index {
                self.take_agreement(owed.number);
            } else {
                self.outbox.message(owed.core, Message::Held { number: owed.number });
            }
        }
        let asked = &self.moves.barrier.asked;
        let complete = asked.iter().filter(|(_, asked)| asked.missing == 0 && !self.is_parked(asked.level));
        for number in complete.map(|(number, _)| *number).collect::<Vec<u64>>() {
            self.moves.barrier.asked.remove(&number);
            self.moves.barrier.reached.push(number);
        }
    }

    /// Whether a command over several cores that this core coordinates touches slots that are held.
    fn is_under_way(&self, level: Level) -> bool {
        let gathered = self.gathers.open_ones().any(|spec| touches_all(spec) && level.holds(spec));
        gathered
            || self
                .transactions
                .open_ones()
                .any(|(spec, mut slots)| level.holds(spec) && slots.any(|slot| self.is_held_at(level, slot)))
    }

    /// Whether a forwarded command that touches slots that are held waits here for a lock on some other slot.
    fn is_parked(&self, level: Level) -> bool {
        self.parked.iter().any(|parked| {
            let arguments = parked.arguments.view();
            resolve(&arguments).is_ok_and(|command| {
                level.holds(command.spec)
                    && routing::slots(command.spec, &arguments)
                        .is_some_and(|slots| slots.iter().any(|slot| self.is_held_at(level, *slot)))
            })
        })
    }

    fn is_held_at(&self, level: Level, slot: SlotId) -> bool {
        self.moves.holds.level(slot) >= level
    }

    /// Whether a command has to wait for slots that change hands. Asked only while there are some.
    #[cold]
    pub(in super::super) fn waits_for_move(&self, spec: &Spec, arguments: &Arguments<'_>) -> bool {
        let (holds, arriving) = (&self.moves.holds, &self.moves.arriving);
        if touches_all(spec) {
            return holds.strictest().holds(spec);
        }
        if matches!(spec.route, Route::Cursor) {
            // A scan goes on where its slot is: the old owner would show nothing of it, and end a scan that begins there.
            let cursor = arguments.opt(1).and_then(ScanCursor::parse);
            let slot = cursor.and_then(|cursor| SlotId::new(cursor.slot()));
            return slot
                .is_some_and(|slot| holds.level(slot).holds(spec) || arriving.level(slot).holds(spec));
        }
        routing::slots(spec, arguments).is_some_and(|slots| {
            slots.iter().any(|slot| holds.level(*slot).holds(spec) || arriving.level(*slot).holds(spec))
        })
    }
}
