//! The ledger: the model, and what is lost by right when processes die.
//!
//! A cache without persistence loses what a core held when its process dies. By right is lost what was the dead core's at that
//! moment, and nothing else: by the map, or by a word that it has obeyed, of which the map has not heard yet. Two cases need
//! care. A word that was under way when its source died may still be obeyed: then the target has everything, and nothing was
//! lost after all (*limbo*). And a word may be given to a target that has died: that is as if the target had died right behind
//! it.

use std::collections::BTreeMap;

use whimbrel_engine::key::SlotId;

use super::model::{Content, Model};
use crate::clients::{Answer, Command};

/// The model and its losses.
#[derive(Default, Debug)]
pub struct Ledger {
    model: Model,
    /// What slots held whose owner died, until it is certain that they are lost.
    limbo: BTreeMap<SlotId, Content>,
    /// Who has taken slots by their owner's word, as long as the map does not say so.
    taken: BTreeMap<SlotId, usize>,
}

impl Ledger {
    /// A command was executed; says what it must be answered.
    pub fn serve(&mut self, command: &Command, now_ms: u64) -> Answer {
        self.limbo.remove(&command.slot);
        self.model.serve(command, now_ms)
    }

    /// What a slot must hold.
    pub fn slot(&self, slot: SlotId) -> Content {
        self.model.slot(slot).cloned().unwrap_or_default()
    }

    /// The owner of slots died.
    pub fn owner_died(&mut self, slots: impl Iterator<Item = SlotId>) {
        for slot in slots {
            let content = self.model.lose(slot);
            // A second death of an owner that held nothing does not make the first one's data appear.
            self.limbo.entry(slot).or_insert(content);
        }
    }

    /// Who has taken a slot by its owner's word.
    pub fn taken_by(&self, slot: SlotId) -> Option<usize> {
        self.taken.get(&slot).copied()
    }

    /// A core has obeyed the word that slots are its own.
    pub fn taken(&mut self, slots: &[SlotId], core: usize) {
        self.handed_over(slots);
        self.taken.extend(slots.iter().map(|slot| (*slot, core)));
    }

    /// The map says who owns slots, whatever was said before.
    pub fn settled(&mut self, slots: &[SlotId]) {
        for slot in slots {
            self.taken.remove(slot);
        }
    }

    /// Nobody can obey a word about these slots any more: what was in limbo is gone.
    pub fn withdrawn(&mut self, slots: &[SlotId]) {
        for slot in slots {
            self.limbo.remove(slot);
        }
    }

    /// Slots were handed over to a target that lives: what was in limbo is there.
    pub fn handed_over(&mut self, slots: &[SlotId]) {
        for slot in slots {
            if let Some(content) = self.limbo.remove(slot) {
                self.model.restore(*slot, content);
            }
        }
    }

    /// Slots were given to a core that has nothing of them.
    pub fn lost(&mut self, slots: &[SlotId]) {
        for slot in slots {
            self.limbo.remove(slot);
            self.model.lose(*slot);
        }
    }

    /// A process has registered anew: what was in limbo of its slots is gone.
    pub fn registered(&mut self, slots: impl Iterator<Item = SlotId>) {
        for slot in slots {
            self.limbo.remove(&slot);
        }
    }
}
