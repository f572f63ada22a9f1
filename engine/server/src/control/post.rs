//! What one core is to be told, in order, as its mailbox has room.

use std::collections::VecDeque;
use std::sync::Arc;

use whimbrel_engine::topology::SlotMap;
use whimbrel_net::Mailboxes;

use crate::service::message::Message;

/// What one core is to be told. Of maps only the newest is kept; outcomes and replies are bounded by what the core has
/// under way.
#[derive(Default)]
pub struct Post {
    before_map: VecDeque<Message>,
    map_is_due: bool,
    behind_map: VecDeque<Message>,
}

impl Post {
    /// Goes before any map.
    pub fn push(&mut self, message: Message) {
        self.before_map.push_back(message);
    }

    /// Goes behind the map that is newest now.
    pub fn push_behind_map(&mut self, message: Message) {
        self.behind_map.push_back(message);
    }

    /// The core is to be told the newest map.
    pub fn map_is_due(&mut self) {
        self.map_is_due = true;
    }

    /// Sends what has room; whether nothing is left for want of room.
    pub fn send(&mut self, mailboxes: &mut Mailboxes<Message>, core: usize, map: &Arc<SlotMap>) -> bool {
        if !send_all(&mut self.before_map, mailboxes, core) {
            return false;
        }
        if self.map_is_due {
            if mailboxes.send(core, Message::Map(Arc::clone(map))).is_err() {
                return false;
            }
            self.map_is_due = false;
        }
        send_all(&mut self.behind_map, mailboxes, core)
    }
}

fn send_all(queue: &mut VecDeque<Message>, mailboxes: &mut Mailboxes<Message>, core: usize) -> bool {
    while let Some(message) = queue.pop_front() {
        if let Err(message) = mailboxes.send(core, message) {
            queue.push_front(message);
            return false;
        }
    }
    true
}
