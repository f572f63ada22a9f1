//! Commands of one connection on one slot are executed in the order in which they were sent.

use std::collections::BTreeMap;

use whimbrel_engine::key::SlotId;

/// The last command of each connection and slot that was executed.
#[derive(Default, Debug)]
pub struct Orders {
    last: BTreeMap<(usize, u64, SlotId), u64>,
}

impl Orders {
    /// A command is executed; says what is wrong with that.
    pub fn executed(&mut self, client: usize, connection: u64, slot: SlotId, number: u64) -> Option<String> {
        let last = self.last.entry((client, connection, slot)).or_default();
        if number <= *last {
            return Some(format!(
                "command {number} of client {client} was executed behind its command {last}"
            ));
        }
        *last = number;
        None
    }
}
