//! Mailboxes: bounded queues from each participant to each other, and a doorbell that only sleepers need.
//!
//! Participants `0..cores` are cores; whoever else takes part (the housekeeping thread) has the numbers after them. A
//! full mailbox gives the message back: the sender keeps it and tries again in a later turn, which is the back-pressure.

mod doorbell;

use std::io;
use std::time::Duration;

use crate::buffers::{SpscReceiver, SpscSender, spsc};
pub use doorbell::Waker;

/// One participant's ends of all mailboxes it takes part in.
pub struct Mailboxes<M> {
    index: usize,
    /// By target; none to oneself.
    senders: Vec<Option<SpscSender<M>>>,
    /// By source; none from oneself.
    receivers: Vec<Option<SpscReceiver<M>>>,
    /// By participant.
    wakers: Vec<Waker>,
    /// Targets that got messages since their doorbells were last looked at, each once.
    touched: Vec<usize>,
    is_touched: Vec<bool>,
    /// The source whose mailbox is read next.
    next_source: usize,
}

/// Connects `participants` with one another by mailboxes for `capacity` messages each (a power of two).
///
/// # Errors
/// When no descriptors are left for the doorbells.
pub fn mailbox_mesh<M: Send>(participants: usize, capacity: usize) -> io::Result<Vec<Mailboxes<M>>> {
    let wakers = (0..participants).map(|_| Waker::new()).collect::<io::Result<Vec<_>>>()?;
    let mut mesh: Vec<Mailboxes<M>> = (0..participants)
        .map(|index| Mailboxes {
            index,
            senders: Vec::new(),
            receivers: (0..participants).map(|_| None).collect(),
            wakers: wakers.clone(),
            touched: Vec::with_capacity(participants),
            is_touched: vec![false; participants],
            next_source: 0,
        })
        .collect();
    for source in 0..participants {
        for target in 0..participants {
            if source == target {
                mesh[source].senders.push(None);
                continue;
            }
            let (sender, receiver) = spsc(capacity);
            mesh[source].senders.push(Some(sender));
            mesh[target].receivers[source] = Some(receiver);
        }
    }
    Ok(mesh)
}

impl<M: Send> Mailboxes<M> {
    /// The number of this participant.
    pub fn index(&self) -> usize {
        self.index
    }

    /// How many take part.
    pub fn participants(&self) -> usize {
        self.wakers.len()
    }

    /// Puts a message into the mailbox of `target`, which sees it at once when awake; who sleeps is woken by
    /// [`Mailboxes::ring_doorbells`].
    ///
    /// # Errors
    /// Gives the message back when the mailbox is full.
    ///
    /// # Panics
    /// When `target` is this participant itself, or none.
    pub fn send(&mut self, target: usize, message: M) -> Result<(), M> {
        let sender = self.senders[target].as_mut().expect("nobody has a mailbox to themselves");
        sender.push(message)?;
        if !self.is_touched[target] {
            self.is_touched[target] = true;
            self.touched.push(target);
        }
        Ok(())
    }

    /// Wakes those among the targets of recent messages that sleep. Answers how many doorbells were rung.
    pub fn ring_doorbells(&mut self) -> u64 {
        if self.touched.is_empty() {
            return 0;
        }
        doorbell::order_messages_before_sleep_flags();
        let mut rung = 0;
        for target in self.touched.drain(..) {
            self.is_touched[target] = false;
            rung += u64::from(self.wakers[target].ring_if_asleep());
        }
        rung
    }

    /// Takes the next message, from all sources in turn. The first number is the source's.
    pub fn receive(&mut self) -> Option<(usize, M)> {
        let participants = self.receivers.len();
        for step in 0..participants {
            let source = (self.next_source + step) % participants;
            let Some(receiver) = &mut self.receivers[source] else { continue };
            if let Some(message) = receiver.pop() {
                // The same source goes first next time: its messages lie in the cache. `fair` ends its turn.
                self.next_source = source;
                return Some((source, message));
            }
        }
        None
    }

    /// Lets the next source go first.
    pub(crate) fn fair(&mut self) {
        self.next_source = (self.next_source + 1) % self.receivers.len();
    }

    /// Whether no message waits.
    pub fn is_empty(&mut self) -> bool {
        self.receivers.iter_mut().flatten().all(SpscReceiver::is_empty)
    }

    /// Wakes this participant from anywhere: another thread, a signal handler.
    pub fn waker(&self) -> Waker {
        self.wakers[self.index].clone()
    }

    /// Wakes participant `index` from anywhere.
    pub fn waker_of(&self, index: usize) -> Waker {
        self.wakers[index].clone()
    }

    /// Announces sleep. False, and no sleep, when messages wait: who sends from now on rings the doorbell.
    pub(crate) fn fall_asleep(&mut self) -> bool {
        self.wakers[self.index].announce_sleep();
        if self.is_empty() {
            return true;
        }
        self.wake_up();
        false
    }

    /// Takes the announcement back.
    pub(crate) fn wake_up(&mut self) {
        self.wakers[self.index].announce_awake();
    }

    /// Sleeps until a message arrives, the waker wakes, or the time is up: for participants without a reactor.
    pub fn wait(&mut self, timeout: Option<Duration>) {
        self.ring_doorbells();
        if self.fall_asleep() {
            self.wakers[self.index].wait(timeout);
            self.wake_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn a_full_mailbox_gives_the_message_back() {
        let mut mesh = mailbox_mesh(2, 2).unwrap();
        assert_eq!(mesh[0].send(1, 'a'), Ok(()));
        assert_eq!(mesh[0].send(1, 'b'), Ok(()));
        assert_eq!(mesh[0].send(1, 'c'), Err('c'));
        assert_eq!(mesh[1].receive(), Some((0, 'a')));
        assert_eq!(mesh[0].send(1, 'c'), Ok(()));
        assert_eq!(mesh[1].receive(), Some((0, 'b')));
        assert_eq!(mesh[1].receive(), Some((0, 'c')));
        assert_eq!(mesh[1].receive(), None);
    }

    #[test]
    fn only_sleepers_are_rung_and_once() {
        let mut mesh = mailbox_mesh(3, 8).unwrap();
        mesh[0].send(1, 1).unwrap();
        assert_eq!(mesh[0].ring_doorbells(), 0, "nobody sleeps");
        assert!(!mesh[1].fall_asleep(), "a message waits");
        assert!(mesh[2].fall_asleep());
        mesh[0].send(2, 1).unwrap();
        mesh[0].send(2, 2).unwrap();
        assert_eq!(mesh[0].ring_doorbells(), 1);
        mesh[1].send(2, 3).unwrap();
        assert_eq!(mesh[1].ring_doorbells(), 0, "it is being woken already");
    }

    #[test]
    fn sleepers_lose_no_wake_up() {
        const ROUNDS: usize = 20_000;
        let mut mesh = mailbox_mesh(2, 1).unwrap();
        let mut other = mesh.pop().unwrap();
        let mut here = mesh.pop().unwrap();
        let echo = thread::spawn(move || {
            for _ in 0..ROUNDS {
                let message = receive_asleep(&mut other);
                other.send(0, message + 1).unwrap();
                other.ring_doorbells();
            }
        });
        for round in 0..ROUNDS {
            here.send(1, round).unwrap();
            here.ring_doorbells();
            assert_eq!(receive_asleep(&mut here), round + 1);
        }
        echo.join().unwrap();
    }

    fn receive_asleep(mailboxes: &mut Mailboxes<usize>) -> usize {
        loop {
            match mailboxes.receive() {
                Some((_, message)) => return message,
                None => mailboxes.wait(None),
            }
        }
    }

    #[test]
    fn a_waker_ends_a_wait() {
        let mut mesh = mailbox_mesh::<()>(1, 1).unwrap();
        let waker = mesh[0].waker();
        let waking = thread::spawn(move || waker.wake());
        mesh[0].wait(None);
        waking.join().unwrap();
    }
}
