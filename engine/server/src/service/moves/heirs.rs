//! Heirs at a core: who may take slots by a word, and what the map's keeper is told of them.
//!
//! The map names an heir before the pause; the word decides; the keeper hears of it afterwards, from both sides, so that it does
//! whichever of them is gone by then. What is told here may be told twice.

use whimbrel_engine::topology::HeirId;

use super::super::CoreService;
use super::super::message::Message;
use crate::control::change::Conclusion;

/// A word that was given.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// To whom.
    pub heir: HeirId,
    /// Maps of this epoch and later ones name the heir, or tell what came of it.
    pub epoch: u64,
}

impl CoreService {
    /// Has the keeper hear of every word that it does not know of, and name nobody as heir who is none any more.
    pub(in super::super) fn tend_heirs(&mut self) {
        let departing = self.moves.departures.heir();
        self.conclude_heirs(departing);
    }

    /// The same, with the heir that the batch under way is to have.
    pub(super) fn conclude_heirs(&mut self, departing: Option<HeirId>) {
        let topology = &self.core.topology;
        let myself = topology.node(topology.myself()).id;
        let mut conclusions = Vec::new();
        for heir in topology.heirs() {
            let is_mine = heir.source == myself || heir.target == myself;
            let is_wanted = (heir.source == myself && departing == Some(heir.id))
                || (heir.target == myself && self.moves.arrivals.keep(&heir.id));
            if is_mine && topology.follows(&heir.id) {
                conclusions.push((heir.id, Conclusion::Commit));
            } else if is_mine && !is_wanted {
                conclusions.push((heir.id, Conclusion::Withdraw));
            }
        }
        for (heir, conclusion) in conclusions {
            self.outbox.message(self.count, Message::Conclude(heir, conclusion));
        }
    }
}
