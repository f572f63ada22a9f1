//! Prepared, promoted or dropped: what the target does about the batch as a whole.
//!
//! From its word that it holds the same as the source until it knows the outcome, the target is prepared: it drops nothing
//! by itself, for the source may say at any instant that the slots are its own. If the source is gone it obeys no word any
//! more and asks to be heir no more; what it has it keeps until the map tells, for the word may have reached the map.

use whimbrel_engine::shard::Shard;

use super::{Incoming, IncomingAction, State};
use crate::frame::{Frame, Seal};
use crate::lane::Lane;

/// Slots that are promoted or dropped in one step.
const STEP_SLOTS: usize = 32;

/// Prepared and without a link for so long, the map is asked.
const ASK_AFTER_US: u64 = 50_000;

/// Prepared and without the outcome for so long, the map is asked even if the link is there.
const ASK_ANYWAY_US: u64 = 5_000_000;

/// The map is asked this often.
const ASK_EVERY_US: u64 = 1_000_000;

impl Incoming {
    /// The source says that this is all: prepares if this side holds the same.
    pub(super) fn sealed(&mut self, seal: &Seal, shard: &Shard, now_us: u64) {
        let (keys, deltas, slots_digest) = self.slots.digest(shard).value();
        let differs = match () {
            () if !self.is_appointed || self.withdraws => Some("no word that it is the heir"),
            () if !self.slots.are_all_complete() => Some("slots that are not complete"),
            () if self.digests.snapshot.value() != seal.snapshot_digest => Some("other baselines"),
            () if self.digests.delta.value() != seal.delta_digest => Some("other deltas"),
            () if deltas != seal.deltas => Some("another number of deltas"),
            () if keys != seal.keys => Some("another number of keys"),
            () if slots_digest != seal.slots_digest => Some("slots that differ"),
            () => None,
        };
        if let Some(differs) = differs {
            return self.give_up(format!("the target holds {differs} at the seal"));
        }
        if !matches!(self.state, State::Prepared { .. }) {
            self.actions.push_back(IncomingAction::Hold);
        }
        self.state =
            State::Prepared { attempt: seal.attempt, since_us: now_us, asked_us: None, is_held: true };
        self.put(Lane::Delta, &Frame::Sealed { attempt: seal.attempt });
    }

    /// The source goes on.
    pub(super) fn unprepare(&mut self) {
        if let State::Prepared { is_held, .. } = self.state {
            if is_held {
                self.actions.push_back(IncomingAction::Release);
            }
            self.state = State::Receiving;
        }
    }

    /// The source says that the map names the target as heir.
    pub(super) fn appointed(&mut self, map: Vec<u8>) {
        self.is_appointed = true;
        self.actions.push_back(IncomingAction::Adopt { map });
    }

    /// The source says that the slots are the target's.
    pub(super) fn given(&mut self, attempt: u32) {
        match self.state {
            // The map decides: the source's word has reached it, or never will.
            State::Prepared { .. } if self.withdraws => {}
            State::Prepared { attempt: sealed, .. } if sealed == attempt => {
                self.state = State::Promoting { next: 0 };
            }
            // A word that comes after the map's changes nothing.
            State::Promoting { .. } | State::Over { .. } => {}
            State::Receiving | State::Prepared { .. } | State::Dropping { .. } => {
                self.give_up("slots were given that were not sealed".to_owned());
            }
        }
    }

    /// Cannot go on: the source is told, and everything is dropped. What is the target's own already stays.
    pub(super) fn give_up(&mut self, reason: String) {
        if matches!(self.state, State::Receiving | State::Prepared { .. }) {
            self.put(Lane::Delta, &Frame::Failed { reason: reason.clone() });
            self.drop_slots(reason);
        }
    }

    /// Drops everything.
    pub(super) fn drop_slots(&mut self, reason: String) {
        if matches!(self.state, State::Receiving | State::Prepared { .. }) {
            self.unprepare();
            self.state = State::Dropping { next: 0, reason };
        }
    }

    /// Promotes or drops some slots.
    pub(super) fn step_slots(&mut self, shard: &mut Shard) -> bool {
        let (next, promotes) = match &mut self.state {
            State::Promoting { next } => (next, true),
            State::Dropping { next, .. } => (next, false),
            _ => return false,
        };
        let end = self.batch.slots.len().min(*next + STEP_SLOTS);
        for slot in &self.batch.slots[*next..end] {
            match promotes {
                true => shard.promote(*slot),
                false => shard.discard(*slot),
            }
        }
        *next = end;
        if end == self.batch.slots.len() {
            let over = State::Over { is_promoted: promotes };
            let action = match std::mem::replace(&mut self.state, over) {
                State::Promoting { .. } => IncomingAction::Promote,
                State::Dropping { reason, .. } => IncomingAction::Dropped { reason },
                _ => unreachable!("slots are promoted or dropped"),
            };
            self.actions.push_back(action);
        }
        true
    }

    /// When the map is to be asked next.
    pub(super) fn asks_at_us(&self) -> Option<u64> {
        let State::Prepared { since_us, asked_us, .. } = self.state else { return None };
        let lost_us = self.link.lost_us().map(|lost_us| lost_us.max(since_us) + ASK_AFTER_US);
        let first_us = lost_us.unwrap_or(u64::MAX).min(since_us + ASK_ANYWAY_US);
        Some(asked_us.map_or(first_us, |asked_us| first_us.max(asked_us + ASK_EVERY_US)))
    }

    /// Asks the map if it is time; lets clients go if it was too long.
    pub(super) fn tend_prepared(&mut self, now_us: u64) {
        if self.asks_at_us().is_some_and(|at_us| now_us >= at_us) {
            self.actions.push_back(IncomingAction::AskMap);
            if let State::Prepared { asked_us, .. } = &mut self.state {
                *asked_us = Some(now_us);
            }
        }
        let is_over = self.link.times_out_at_us().is_some_and(|at_us| now_us >= at_us);
        if let State::Prepared { is_held, .. } = &mut self.state
            && is_over
            && std::mem::take(is_held)
        {
            self.actions.push_back(IncomingAction::Release);
        }
    }
}
