//! What this core owns: maps are adopted here, and whether it may serve at all is looked at here.

use whimbrel_engine::key::{SLOT_COUNT, SlotId};
use whimbrel_engine::topology::SlotMap;
use whimbrel_net::{Io, Monotonic};

use super::CoreService;
use super::connection::Connection;
use super::message::{Message, ReturnAddress};
use crate::control::change::Assignment;

/// When this core looked at its lease last.
#[derive(Default)]
pub struct Looked {
    at: Option<Monotonic>,
}

impl CoreService {
    /// Takes over a map if it is newer than what this core knows. What lies in slots that the core has lost is dropped,
    /// before another command runs: it would be stale if the slot ever came back.
    ///
    /// Slots that were given away by a word are lost by that, before any map says so; what gave them drops them, some at a
    /// time.
    pub(super) fn adopt(&mut self, map: &SlotMap) {
        let owned: Vec<SlotId> = self.owned_slots().collect();
        let members = &self.shared.members;
        if !self.core.topology.adopt(map, |id| members.core(id)) {
            return;
        }
        self.empty_lost_slots(&owned);
        self.look_at_lease();
    }

    /// Empties those of these slots that are not this core's.
    pub(super) fn empty_lost_slots(&mut self, slots: &[SlotId]) {
        for slot in slots.iter().copied().filter(|slot| !self.core.topology.owns(*slot)) {
            if self.core.shard.slot_keys(slot) > 0 {
                self.core.shard.flush_slot(slot);
            }
        }
    }

    /// The slots that this core owns.
    pub(super) fn owned_slots(&self) -> impl Iterator<Item = SlotId> {
        (0..SLOT_COUNT).filter_map(SlotId::new).filter(|slot| self.core.topology.owns(*slot))
    }

    /// Has the keeper of the map give slots to this core, or to nobody; the outcome takes its place among the
    /// connection's replies.
    pub(super) fn assign_slots(&mut self, connection: &mut Connection, slots: Vec<SlotId>, gives: bool) {
        let ticket = connection.replies.promise(true);
        let to = ReturnAddress { connection: connection.id.as_u64(), ticket };
        let myself = self.shared.members.id(self.index);
        let change = if gives { Assignment::Give(myself, slots) } else { Assignment::Take(slots) };
        self.outbox.message(self.count, Message::Assign { to, change });
    }

    /// Looks at the lease, once in a loop and before anything of the loop runs.
    #[inline]
    pub(super) fn look_at_lease_once(&mut self, io: &Io<Message>) {
        if self.looked.at != Some(io.now()) {
            self.looked.at = Some(io.now());
            self.look_at_lease();
        }
    }

    /// Ends a loop in which the lease has run out: nobody is told what it answered, because somebody else may own the slots
    /// by now. A thread that the machine has held up for long is the reason for this.
    #[inline]
    pub(super) fn cut_late_replies(&mut self, io: &mut Io<Message>) {
        if !self.core.is_serving || self.shared.members.lease.is_endless() {
            return;
        }
        self.look_at_lease();
        if !self.core.is_serving {
            for connection in self.connections.iter().flatten() {
                if io.output_pending_bytes(connection.id) > 0 {
                    io.abort(connection.id);
                }
            }
        }
    }

    /// Looks at the lease now.
    pub(super) fn look_at_lease(&mut self) {
        let topology = &self.core.topology;
        let incarnation = topology.node(topology.myself()).incarnation;
        self.core.is_serving = self.shared.members.lease.covers(incarnation);
    }
}
