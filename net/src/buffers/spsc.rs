//! A bounded queue from one thread to one other, without locks and without waiting.
//!
//! `head` and `tail` count messages taken and put, and never wrap in practice (2^64). The sender owns the slots from
//! `tail` to `head + capacity`, the receiver those from `head` to `tail`; a Release store of a counter hands slots over,
//! an Acquire load receives them. Each side keeps a copy of the other's counter and reads the shared one only when the copy
//! says full or empty, so a busy pair moves a cache line once a batch.

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Two cache lines: the prefetcher fetches them in pairs.
#[repr(align(128))]
struct Padded<T>(T);

struct Queue<T> {
    /// Messages taken. Written by the receiver.
    head: Padded<AtomicUsize>,
    /// Messages put. Written by the sender. head ≤ tail ≤ head + capacity.
    tail: Padded<AtomicUsize>,
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
}

// SAFETY: a slot is touched by one side at a time, as the module says; messages themselves may cross threads.
unsafe impl<T: Send> Sync for Queue<T> {}

impl<T> Queue<T> {
    fn slot(&self, count: usize) -> *mut MaybeUninit<T> {
        self.slots[count & (self.slots.len() - 1)].get()
    }
}

impl<T> Drop for Queue<T> {
    fn drop(&mut self) {
        let (head, tail) = (*self.head.0.get_mut(), *self.tail.0.get_mut());
        for count in head..tail {
            // SAFETY: nobody else holds the queue any more, and slots from head to tail hold messages.
            let slot = unsafe { &mut *self.slot(count) };
            // SAFETY: as above; each is dropped once.
            unsafe { slot.assume_init_drop() };
        }
    }
}

/// The end that puts messages.
pub(crate) struct SpscSender<T> {
    queue: Arc<Queue<T>>,
    tail: usize,
    /// A copy of `head`. head_seen ≤ head.
    head_seen: usize,
}

/// The end that takes messages.
pub(crate) struct SpscReceiver<T> {
    queue: Arc<Queue<T>>,
    head: usize,
    /// A copy of `tail`. tail_seen ≤ tail.
    tail_seen: usize,
}

/// A queue for `capacity` messages (a power of two). Slots are not touched before they are used.
pub(crate) fn spsc<T: Send>(capacity: usize) -> (SpscSender<T>, SpscReceiver<T>) {
    assert!(capacity.is_power_of_two(), "a mask finds the slot");
    let slots = Box::<[UnsafeCell<MaybeUninit<T>>]>::new_uninit_slice(capacity);
    // SAFETY: a cell of uninitialised memory needs no initialisation.
    let slots = unsafe { slots.assume_init() };
    let queue =
        Arc::new(Queue { head: Padded(AtomicUsize::new(0)), tail: Padded(AtomicUsize::new(0)), slots });
    let sender = SpscSender { queue: Arc::clone(&queue), tail: 0, head_seen: 0 };
    (sender, SpscReceiver { queue, head: 0, tail_seen: 0 })
}

impl<T> SpscSender<T> {
    /// Puts a message.
    ///
    /// # Errors
    /// Gives it back when the queue is full.
    pub fn push(&mut self, message: T) -> Result<(), T> {
        if self.tail - self.head_seen == self.queue.slots.len() {
            self.head_seen = self.queue.head.0.load(Ordering::Acquire);
            if self.tail - self.head_seen == self.queue.slots.len() {
                return Err(message);
            }
        }
        // SAFETY: tail < head + capacity, so the slot is the sender's, and it is empty.
        let slot = unsafe { &mut *self.queue.slot(self.tail) };
        slot.write(message);
        self.tail += 1;
        self.queue.tail.0.store(self.tail, Ordering::Release);
        Ok(())
    }
}

impl<T> SpscReceiver<T> {
    /// Takes the oldest message.
    pub fn pop(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        // SAFETY: head < tail, so the slot is the receiver's and holds a message.
        let slot = unsafe { &*self.queue.slot(self.head) };
        // SAFETY: as above; advancing head makes sure that it is read once.
        let message = unsafe { slot.assume_init_read() };
        self.head += 1;
        self.queue.head.0.store(self.head, Ordering::Release);
        Some(message)
    }

    /// Whether nothing waits.
    pub fn is_empty(&mut self) -> bool {
        if self.head == self.tail_seen {
            self.tail_seen = self.queue.tail.0.load(Ordering::Acquire);
        }
        self.head == self.tail_seen
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_like_a_bounded_queue(
            capacity in 0_u32..5,
            puts in proptest::collection::vec(any::<bool>(), 0..400),
        ) {
            let capacity = 1 << capacity;
            let (mut sender, mut receiver) = spsc(capacity);
            let mut model = VecDeque::new();
            for (number, put) in puts.into_iter().enumerate() {
                // Boxed, so that a message lost or taken twice is an error of memory too.
                let message = Box::new(number);
                if put {
                    let expected = if model.len() < capacity { Ok(()) } else { Err(message.clone()) };
                    prop_assert_eq!(sender.push(message.clone()), expected.clone());
                    if expected.is_ok() {
                        model.push_back(message);
                    }
                } else {
                    prop_assert_eq!(receiver.is_empty(), model.is_empty());
                    prop_assert_eq!(receiver.pop(), model.pop_front());
                }
            }
        }
    }

    #[test]
    fn two_threads_keep_order_and_lose_nothing() {
        const MESSAGES: usize = 50_000;
        for capacity in [1, 2, 64] {
            let (mut sender, mut receiver) = spsc(capacity);
            let putting = thread::spawn(move || {
                for number in 0..MESSAGES {
                    let mut message = Box::new(number);
                    while let Err(back) = sender.push(message) {
                        message = back;
                        thread::yield_now();
                    }
                }
            });
            for expected in 0..MESSAGES {
                let message = loop {
                    match receiver.pop() {
                        Some(message) => break message,
                        None => thread::yield_now(),
                    }
                };
                assert_eq!(*message, expected);
            }
            putting.join().unwrap();
            assert!(receiver.pop().is_none());
        }
    }

    #[test]
    fn messages_left_over_are_dropped_once() {
        let counted = Arc::new(());
        let (mut sender, mut receiver) = spsc(8);
        for _ in 0..5 {
            sender.push(Arc::clone(&counted)).unwrap();
        }
        drop(receiver.pop());
        drop((sender, receiver));
        assert_eq!(Arc::strong_count(&counted), 1);
    }
}
