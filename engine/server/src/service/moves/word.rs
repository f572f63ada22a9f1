//! The source's word: the heir that the map names before it, the word itself, and what the map says came of it.

use std::sync::Arc;

use whimbrel_engine::topology::{Heir, HeirId};
use whimbrel_migration::{Incarnation, Outcome};
use whimbrel_net::Io;

use super::super::CoreService;
use super::super::message::Message;
use super::departure::Departure;
use super::heirs::Given;
use crate::control::change::Conclusion;
use crate::control::codec;

impl CoreService {
    /// Has the map name the target as the heir of the slots.
    pub(super) fn ask_for_heir(&mut self, departure: &Departure, target: Incarnation) {
        let batch = departure.machine.batch();
        let heir = Heir {
            id: departure.machine.heir(),
            source: batch.source,
            source_incarnation: departure.incarnation.0,
            target: batch.target,
            target_incarnation: target.0,
            slots: batch.slots.clone(),
        };
        // One of an earlier life of the batch would stand in its way.
        self.conclude_heirs(Some(heir.id));
        // The housekeeping thread comes behind the cores.
        self.outbox.message(self.count, Message::Appoint(Box::new(heir)));
    }

    /// Gives the target the word, if this process surely may: from here on nothing of the slots is served by this core, and the
    /// map's keeper is told. Whether it did.
    pub(super) fn give_word(&mut self, io: &mut Io<Message>, departure: &mut Departure) -> bool {
        const REASON: &str = "the lease has run out, or the target is no heir any more";
        let now_us = self.now(io).monotonic_us;
        self.look_at_lease();
        let topology = &self.core.topology;
        let heir = departure.machine.heir();
        let is_as_it_was = topology.node(topology.myself()).incarnation == departure.incarnation.0;
        if !self.core.is_serving || !is_as_it_was || topology.heir(&heir).is_none() {
            departure.machine.cancel(REASON.to_owned(), &mut self.core.shard, now_us);
            return false;
        }
        let is_given = departure.machine.give(now_us);
        if is_given {
            self.core.topology.follow(&heir);
            self.outbox.message(self.count, Message::Conclude(heir, Conclusion::Commit));
            let (epoch, target) = (self.core.topology.epoch(), departure.machine.batch().target);
            self.tell_migrated(io, epoch, &departure.slots, &target);
        }
        is_given
    }

    /// Tells the machine when the map does not name its heir any more.
    pub(super) fn look_at_heir(&mut self, departure: &mut Departure, now_us: u64) {
        let heir = departure.machine.heir();
        if !departure.machine.has_heir() || self.core.topology.heir(&heir).is_some() {
            return;
        }
        if !departure.machine.is_given() {
            // Unless it has not been named yet.
            return departure.machine.withdrawn();
        }
        let outcome = if departure.slots.iter().any(|slot| self.core.topology.owns(*slot)) {
            self.take_settled(&heir);
            Outcome::Refused {
                reason: "the target had dropped the slots before it heard the word".to_owned(),
            }
        } else {
            Outcome::Committed
        };
        departure.machine.outcome(outcome, now_us);
    }

    /// The map names an heir of this core's slots, or does not.
    pub(in super::super) fn take_appointed(&mut self, heir: HeirId, outcome: Result<Vec<u8>, String>) {
        if let Ok(map) = &outcome {
            let map = codec::decode(map).expect("the map's keeper in this process has written it");
            self.adopt(&map);
        }
        if let Some(departure) = &mut self.moves.departures.under_way
            && departure.machine.heir() == heir
        {
            departure.machine.appointed(outcome.as_deref().map_err(Clone::clone));
        }
        self.tend_heirs();
    }

    /// Lets commands go on: at the new owner when it serves the slots, or here.
    pub(super) fn end_departure_hold(&mut self, departure: &mut Departure) {
        let asked = departure.asked.take().map(|(number, _)| number);
        let (heir, epoch) = (departure.machine.heir(), self.core.topology.epoch());
        let given = departure.machine.is_given().then_some(Given { heir, epoch });
        match given {
            Some(given) if !self.core.config.cluster_enabled => {
                self.forget_request(asked);
                self.settle_given(Arc::clone(&departure.slots), given);
            }
            given => self.release_holds(asked, &departure.slots, given),
        }
    }
}
