//! Between the commit and the first command at the new owner, without cluster mode: the target says when it serves the
//! slots, and each origin waits for the map that says so too.

use std::sync::Arc;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::topology::SlotMap;

use super::super::CoreService;
use super::super::message::Message;

/// Slots whose owner has changed and whose commands still wait.
#[derive(Default)]
pub struct Settling {
    /// Of this core as the source: with the epoch from which on they are the target's.
    given: Vec<(Arc<[SlotId]>, u64)>,
    /// Of this core as the target: who is to be told.
    asked: Vec<(usize, Arc<[SlotId]>)>,
    /// Of this core as an origin: holds that end with the map of an epoch.
    due: Vec<(Arc<[SlotId]>, u64)>,
}

impl Settling {
    /// Whether there is nothing to look after.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.given.is_empty() & self.asked.is_empty() & self.due.is_empty()
    }
}

impl CoreService {
    /// Slots of this core are another core's now: commands go on when that core serves them.
    pub(super) fn settle_at(&mut self, core: usize, slots: Arc<[SlotId]>, map: &SlotMap) {
        self.moves.settling.given.push((Arc::clone(&slots), map.epoch()));
        self.outbox.message(core, Message::Settle { slots });
    }

    /// A source asks when this core serves what came from it.
    pub(in super::super) fn take_settle(&mut self, core: usize, slots: Arc<[SlotId]>) {
        self.moves.settling.asked.push((core, slots));
    }

    /// The target serves them.
    pub(in super::super) fn take_settled(&mut self, slots: &Arc<[SlotId]>) {
        let given = &mut self.moves.settling.given;
        let Some(place) = given.iter().position(|(given, _)| Arc::ptr_eq(given, slots)) else { return };
        let (slots, epoch) = given.swap_remove(place);
        self.release_holds(None, &slots, epoch);
    }

    /// A hold ends, by the map of this epoch or a later one.
    pub(in super::super) fn take_release(&mut self, slots: Arc<[SlotId]>, epoch: u64) {
        self.moves.settling.due.push((slots, epoch));
        self.look_after_settling();
    }

    /// Answers and ends what can be. Called in every turn while there is something.
    pub(super) fn look_after_settling(&mut self) {
        let arrivals = &self.moves.arrivals;
        let asked = self.moves.settling.asked.extract_if(.., |(_, slots)| !arrivals.has(slots));
        for (core, slots) in asked.collect::<Vec<_>>() {
            self.outbox.message(core, Message::Settled { slots });
        }
        let known = self.core.topology.epoch();
        let due = self.moves.settling.due.extract_if(.., |(_, epoch)| *epoch <= known);
        for (slots, _) in due.collect::<Vec<_>>() {
            self.end_hold(&slots);
        }
    }
}
