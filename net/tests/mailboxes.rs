//! Messages between reactors: none is lost, whoever sleeps is woken, and whoever idles costs nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::VecDeque;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;

use whimbrel_net::{
    ConnectionId, Gauges, Io, ListenerId, Mailboxes, Monotonic, PeerAddress, Reactor, ReactorOptions,
    Service, Wake, mailbox_mesh,
};

enum Message {
    /// Send this many numbers to `target`, `window` at a time.
    Flood {
        target: usize,
        count: u64,
        window: u64,
    },
    Number(u64),
    /// So many of my numbers have arrived.
    Seen(u64),
    Gauges,
    Stop,
}

#[derive(Debug)]
enum Report {
    Flooded,
    Woken,
    Gauges(Box<Gauges>),
}

struct Core {
    reports: Sender<Report>,
    flood: Option<(usize, u64, u64)>,
    sent: u64,
    acknowledged: u64,
    received: u64,
    unanswered: u64,
    /// What a full mailbox gave back.
    waiting: VecDeque<(usize, Message)>,
    wake: Wake,
}

impl Core {
    fn send(&mut self, io: &mut Io<Message>, target: usize, message: Message) {
        if self.waiting.is_empty() {
            if let Err(message) = io.send(target, message) {
                self.waiting.push_back((target, message));
            }
        } else {
            self.waiting.push_back((target, message));
        }
    }
}

impl Service for Core {
    type Message = Message;

    fn message(&mut self, io: &mut Io<Message>, from: usize, message: Message) {
        match message {
            Message::Flood { target, count, window } => self.flood = Some((target, count, window)),
            Message::Number(number) => {
                assert_eq!(number, self.received, "in order, none lost");
                self.received += 1;
                self.unanswered += 1;
                if self.unanswered == 8 {
                    self.unanswered = 0;
                    self.send(io, from, Message::Seen(8));
                }
            }
            Message::Seen(numbers) => self.acknowledged += numbers,
            Message::Gauges => self.reports.send(Report::Gauges(Box::new(io.gauges()))).unwrap(),
            Message::Stop => io.stop(),
        }
    }

    fn turn(&mut self, io: &mut Io<Message>, now: Monotonic) -> Wake {
        if matches!(self.wake, Wake::At(instant) if instant <= now) {
            self.wake = Wake::Idle;
            self.reports.send(Report::Woken).unwrap();
        }
        while let Some((target, message)) = self.waiting.pop_front() {
            if let Err(message) = io.send(target, message) {
                self.waiting.push_front((target, message));
                return Wake::Now;
            }
        }
        if let Some((target, count, window)) = self.flood {
            while self.sent < count && self.sent - self.acknowledged < window && self.waiting.is_empty() {
                self.send(io, target, Message::Number(self.sent));
                self.sent += 1;
            }
            if self.acknowledged == count {
                self.flood = None;
                self.reports.send(Report::Flooded).unwrap();
            }
        }
        if self.waiting.is_empty() { self.wake } else { Wake::Now }
    }

    fn opened(&mut self, _: &mut Io<Message>, _: ConnectionId, _: ListenerId, _: &PeerAddress) {}
    fn received(&mut self, _: &mut Io<Message>, _: ConnectionId, _: &[u8]) {}
    fn end_of_input(&mut self, _: &mut Io<Message>, _: ConnectionId) {}
    fn closed(&mut self, _: &mut Io<Message>, _: ConnectionId) {}
    fn output_drained(&mut self, _: &mut Io<Message>, _: ConnectionId) {}
}

/// Runs `cores` reactors while `housekeeping` has the last place among the mailboxes.
fn with_cores(
    cores: usize,
    capacity: usize,
    wake: Wake,
    housekeeping: impl FnOnce(&mut Mailboxes<Message>, &std::sync::mpsc::Receiver<Report>),
) -> Vec<Gauges> {
    let mut mesh = mailbox_mesh(cores + 1, capacity).unwrap();
    let mut own = mesh.pop().unwrap();
    let (sender, reports) = channel();
    thread::scope(|scope| {
        let threads: Vec<_> = mesh
            .into_iter()
            .map(|mailboxes| {
                let reports = sender.clone();
                scope.spawn(move || {
                    let mut reactor = Reactor::new(ReactorOptions::default(), mailboxes).unwrap();
                    let mut core = Core {
                        reports,
                        flood: None,
                        sent: 0,
                        acknowledged: 0,
                        received: 0,
                        unanswered: 0,
                        waiting: VecDeque::new(),
                        wake,
                    };
                    reactor.run(&mut core).unwrap();
                    reactor.io().gauges()
                })
            })
            .collect();
        housekeeping(&mut own, &reports);
        for core in 0..cores {
            say(&mut own, core, Message::Stop);
        }
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn say(own: &mut Mailboxes<Message>, core: usize, message: Message) {
    assert!(own.send(core, message).is_ok());
    own.ring_doorbells();
}

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn hundreds_of_thousands_both_ways_and_none_is_lost() {
    const COUNT: u64 = 400_000;
    let gauges = with_cores(2, 64, Wake::Idle, |own, reports| {
        say(own, 0, Message::Flood { target: 1, count: COUNT, window: 1 << 20 });
        say(own, 1, Message::Flood { target: 0, count: COUNT, window: 1 << 20 });
        for _ in 0..2 {
            assert!(matches!(reports.recv_timeout(PATIENCE).unwrap(), Report::Flooded));
        }
    });
    for core in gauges {
        assert!(core.messages_in >= COUNT && core.messages_out >= COUNT);
        assert!(core.mailbox_full > 0, "a small mailbox pushes back");
    }
}

#[test]
fn sleepers_are_woken_every_time() {
    // A window of eight makes each core wait for the other again and again.
    const COUNT: u64 = 80_000;
    let gauges = with_cores(2, 16, Wake::Idle, |own, reports| {
        say(own, 0, Message::Flood { target: 1, count: COUNT, window: 8 });
        assert!(matches!(reports.recv_timeout(PATIENCE).unwrap(), Report::Flooded));
    });
    assert!(gauges[0].doorbells > 0);
}

#[test]
fn a_busy_core_needs_no_doorbell() {
    const COUNT: u64 = 10_000;
    let gauges = with_cores(2, 64, Wake::Now, |own, reports| {
        say(own, 0, Message::Flood { target: 1, count: COUNT, window: 8 });
        assert!(matches!(reports.recv_timeout(PATIENCE).unwrap(), Report::Flooded));
    });
    assert_eq!(gauges.iter().map(|core| core.doorbells).sum::<u64>(), 0);
}

#[test]
fn an_idle_core_makes_no_system_calls() {
    with_cores(1, 16, Wake::Idle, |own, reports| {
        let mut ask = || {
            say(own, 0, Message::Gauges);
            match reports.recv_timeout(PATIENCE).unwrap() {
                Report::Gauges(gauges) => gauges.enters,
                other => unreachable!("nobody asked for {other:?}"),
            }
        };
        let before = ask();
        thread::sleep(Duration::from_millis(200));
        // One wait ended by the question, and at most a few for its doorbell.
        assert!(ask() - before <= 3);
    });
}

#[test]
fn a_service_is_woken_at_the_instant_it_named() {
    let at = Monotonic::now().after(Duration::from_millis(30));
    let cores = with_cores(1, 16, Wake::At(at), |_, reports| {
        assert!(matches!(reports.recv_timeout(PATIENCE).unwrap(), Report::Woken));
        assert!(Monotonic::now() >= at);
    });
    assert!(cores[0].turns < 1_000, "it slept until then");
}
