//! Between the word and the first command at the new owner, without cluster mode: the target says when it serves the slots, and
//! each origin goes by the word from then on.

use std::sync::Arc;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::topology::HeirId;

use super::super::CoreService;
use super::heirs::Given;

/// Slots whose owner has changed and whose commands still wait.
#[derive(Default)]
pub struct Settling {
    /// Of this core as the source: those that an heir was given and does not serve yet.
    given: Vec<(Arc<[SlotId]>, Given)>,
    /// Of this core as an origin: holds that end with a map that is new enough.
    due: Vec<(Arc<[SlotId]>, Given)>,
}

impl Settling {
    /// Whether there is nothing to look after.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.given.is_empty() & self.due.is_empty()
    }
}

impl CoreService {
    /// Slots of this core were given to another core: commands go on when that core serves them.
    pub(super) fn settle_given(&mut self, slots: Arc<[SlotId]>, given: Given) {
        self.moves.settling.given.push((slots, given));
    }

    /// The target serves them, or it is known that it never will.
    pub(in super::super) fn take_settled(&mut self, heir: &HeirId) {
        let waiting = &mut self.moves.settling.given;
        let Some(place) = waiting.iter().position(|(_, given)| given.heir == *heir) else { return };
        let (slots, mut given) = waiting.swap_remove(place);
        if self.core.topology.heir(heir).is_none() {
            // The map has said whose they are: it is what the origins go by.
            given.epoch = self.core.topology.epoch();
        }
        self.release_holds(None, &slots, Some(given));
    }

    /// A hold ends: where commands ran before, or at an heir, once the map that names it is here.
    pub(in super::super) fn take_release(&mut self, slots: Arc<[SlotId]>, given: Option<Given>) {
        match given {
            Some(given) => {
                self.moves.settling.due.push((slots, given));
                self.look_after_settling();
            }
            None => self.end_hold(&slots),
        }
    }

    /// Ends what can be. Called in every turn while there is something.
    pub(super) fn look_after_settling(&mut self) {
        let known = self.core.topology.epoch();
        let due = self.moves.settling.due.extract_if(.., |(_, given)| given.epoch <= known);
        for (slots, given) in due.collect::<Vec<_>>() {
            // If it is not named any more, the map says whose the slots are.
            self.core.topology.follow(&given.heir);
            self.end_hold(&slots);
        }
    }
}
