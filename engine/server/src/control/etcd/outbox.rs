//! How the store's threads reach the housekeeping thread.

use std::sync::mpsc::SyncSender;

use whimbrel_net::Waker;

use super::view::Update;
use crate::control::store::Event;

/// What the store's threads have to say.
pub enum Said {
    /// Something was read of the store.
    Read(Update),
    /// Something was decided.
    Decided(Event),
}

/// One thread's way to the housekeeping thread. A full queue makes it wait.
#[derive(Clone)]
pub struct Outbox {
    sender: SyncSender<Said>,
    waker: Waker,
}

impl Outbox {
    /// The waker is the housekeeping thread's.
    pub fn new(sender: SyncSender<Said>, waker: Waker) -> Outbox {
        Outbox { sender, waker }
    }

    /// Says what was read.
    pub fn update(&self, update: Update) {
        self.say(Said::Read(update));
    }

    /// Says what was decided.
    pub fn event(&self, event: Event) {
        self.say(Said::Decided(event));
    }

    fn say(&self, said: Said) {
        // When nobody listens any more the process ends.
        if self.sender.send(said).is_ok() {
            self.waker.wake();
        }
    }
}
