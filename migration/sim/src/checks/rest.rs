//! At rest: once nothing goes wrong any more, every job ends, every slot is served, and nothing of any move is left.

use whimbrel_engine::key::SlotId;

use crate::checks::Invariant;
use crate::checks::model::{difference, served_content};
use crate::clock::wall_ms;
use crate::core::Standing;
use crate::world::World;

impl World {
    /// What is not at rest yet, with the slots that it concerns.
    pub fn unsettled(&mut self) -> Option<(Vec<SlotId>, String)> {
        if let Some(client) = self.clients.iter().position(|client| !client.is_at_rest()) {
            return Some((Vec::new(), format!("client {client} still waits")));
        }
        for core in &self.cores {
            if let Some((batch, departure)) = core.departures.first_key_value() {
                let phase = departure.machine.progress().phase;
                return Some((
                    departure.slots().to_vec(),
                    format!("core {}: {batch} is {phase}", core.index),
                ));
            }
            if let Some((batch, arrival)) = core.arrivals.first_key_value() {
                let slots = arrival.machine.batch().slots.clone();
                return Some((slots, format!("core {} still has {batch} arriving", core.index)));
            }
            if !core.is_at_rest() {
                return Some((Vec::new(), format!("core {} still has something to do", core.index)));
            }
        }
        for slot in self.env.owners.owners.keys().copied().collect::<Vec<_>>() {
            if let Some(text) = self.unserved(slot) {
                return Some((vec![slot], text));
            }
        }
        self.check_rest();
        None
    }

    /// Why a slot is not served by its owner alone, and staged nowhere.
    fn unserved(&self, slot: SlotId) -> Option<String> {
        let owner = self.env.owners.owner(slot)?;
        for core in &self.cores {
            let process = &self.processes[self.env.scenario.process_of(core.index)];
            let standing = core.standing(slot, true, process, &self.env);
            let wanted = if core.index == owner { Standing::Serves } else { Standing::Elsewhere(owner) };
            if standing != wanted {
                let number = slot.number();
                return Some(format!(
                    "core {} is {standing:?} with slot {number} of core {owner}",
                    core.index
                ));
            }
        }
        None
    }

    /// What must be true of what is left.
    fn check_rest(&mut self) {
        let now_ms = wall_ms(self.env.now_us());
        for (slot, owner) in self.env.owners.owners.clone() {
            for core in 0..self.cores.len() {
                let shard = &self.cores[core].shard;
                let number = slot.number();
                if shard.is_staged(slot) {
                    let text = format!("core {core} has slot {number} staged, and no move is under way");
                    self.env.violated(Invariant::NoTrace, &[slot], text);
                } else if core == owner.core {
                    self.env.totals.slots_compared += 1;
                    let content = served_content(shard, slot, now_ms);
                    if let Some(text) = difference(&content, &self.env.ledger.slot(slot), now_ms) {
                        let text = format!("core {core}, slot {number} at rest: {text}");
                        self.env.violated(Invariant::OnePlace, &[slot], text);
                    }
                } else if shard.slot_keys(slot) > 0 || shard.slot_bytes(slot) > 0 {
                    let text =
                        format!("core {core} has keys of slot {number}, which is core {}'s", owner.core);
                    self.env.violated(Invariant::OnePlace, &[slot], text);
                }
            }
        }
        for core in 0..self.cores.len() {
            self.cores[core].check_no_forks(&[], &mut self.env);
            self.check_memory(core);
        }
    }

    /// I4: memory returns: what is allocated is what the slots hold.
    fn check_memory(&mut self, core: usize) {
        let shard = &self.cores[core].shard;
        let slots = self.env.owners.owners.keys();
        let of_slots: u64 = slots.map(|slot| shard.slot_bytes(*slot)).sum();
        let allocated = shard.memory().allocated_bytes();
        if allocated != of_slots {
            let text = format!("core {core} has {allocated} bytes allocated, and its slots hold {of_slots}");
            self.env.violated(Invariant::NoTrace, &[], text);
        }
    }
}
