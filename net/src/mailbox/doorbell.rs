//! The doorbell of one participant: a flag that says "asleep", and an event counter that wakes it.
//!
//! No wake-up is lost: the sleeper raises its flag, then looks into its mailboxes; the sender puts its message, then looks at
//! the flag. A sequentially consistent fence between the two steps on each side makes sure that at least one of them sees
//! what the other did.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::Duration;

use crate::ring::system;

/// Wakes one participant from any thread.
#[derive(Clone)]
pub struct Waker {
    shared: Arc<Shared>,
}

/// Alone on its cache lines: senders read the flag once a turn.
#[repr(align(128))]
struct Shared {
    asleep: AtomicBool,
    counter: File,
}

/// Between putting messages and looking at their targets' flags.
pub(super) fn order_messages_before_sleep_flags() {
    fence(Ordering::SeqCst);
}

impl Waker {
    pub(super) fn new() -> io::Result<Self> {
        let counter = File::from(system::event_counter()?);
        Ok(Self { shared: Arc::new(Shared { asleep: AtomicBool::new(false), counter }) })
    }

    /// Wakes the participant whether it sleeps or not; its next sleep ends at once if it was awake.
    pub fn wake(&self) {
        self.shared.asleep.store(false, Ordering::Relaxed);
        self.ring();
    }

    /// Rings when the participant sleeps and nobody else is waking it. Messages must be ordered before the call.
    pub(super) fn ring_if_asleep(&self) -> bool {
        let shared = &*self.shared;
        let rings = shared.asleep.load(Ordering::Relaxed) && shared.asleep.swap(false, Ordering::Relaxed);
        if rings {
            self.ring();
        }
        rings
    }

    fn ring(&self) {
        // The only error is a counter at 2^64 − 2, which is readable and therefore wakes anyway.
        let _ = (&self.shared.counter).write(&1_u64.to_ne_bytes());
    }

    pub(super) fn announce_sleep(&self) {
        self.shared.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    pub(super) fn announce_awake(&self) {
        self.shared.asleep.store(false, Ordering::Relaxed);
    }

    /// Waits for a ring and takes it.
    pub(super) fn wait(&self, timeout: Option<Duration>) {
        system::wait_readable(self.counter(), timeout);
        self.drain();
    }

    /// Takes rings that have been heard.
    pub(crate) fn drain(&self) {
        // Empty means that nobody rang: the read does not wait.
        let _ = (&self.shared.counter).read(&mut [0; 8]);
    }

    /// The descriptor that becomes readable.
    pub(crate) fn counter(&self) -> BorrowedFd<'_> {
        self.shared.counter.as_fd()
    }
}
