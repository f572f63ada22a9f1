//! Deadlines that all lie equally far ahead: a queue instead of a heap.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Monotonic;
use crate::connection_id::ConnectionId;

/// Connections that must be done with something within `delay`, in the order in which their time ends.
pub(super) struct Deadlines {
    delay: Duration,
    queue: VecDeque<(Monotonic, ConnectionId)>,
}

impl Deadlines {
    pub fn new(delay: Duration) -> Self {
        Self { delay, queue: VecDeque::new() }
    }

    pub fn start(&mut self, id: ConnectionId, now: Monotonic) {
        self.queue.push_back((now.after(self.delay), id));
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Monotonic> {
        self.queue.front().map(|(deadline, _)| *deadline)
    }

    /// A connection whose time is up; its id may be stale by now.
    pub fn expired(&mut self, now: Monotonic) -> Option<ConnectionId> {
        let (deadline, id) = *self.queue.front()?;
        if deadline > now {
            return None;
        }
        self.queue.pop_front();
        Some(id)
    }
}
