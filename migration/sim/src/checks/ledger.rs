//! The ledger: the model, and what is lost by right when processes die.
//!
//! A cache without persistence loses what a core held when its process dies. By right is lost what the map, at that moment,
//! says is the dead core's, and nothing else. Two cases need care. A commit that was under way when its source died may still
//! take effect, since the source's registration outlives it by its lease: then the target has everything, and nothing was
//! lost after all (*limbo*). And a commit may take effect after the target it names has died: that is as if the target had
//! died right behind the commit.

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
