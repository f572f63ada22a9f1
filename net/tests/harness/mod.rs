//! A reactor on its own thread with an echo service, for the tests.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a test harness fails by panicking")]

use std::collections::HashMap;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use whimbrel_net::{
    ConnectionId, Gauges, Io, ListenerId, Mailboxes, Monotonic, PeerAddress, Reactor, ReactorOptions,
    Service, TcpOptions, Wake, listen_tcp, listen_unix, mailbox_mesh,
};

/// What the test asks of the echo service.
pub enum Ask {
    Stop,
    Gauges,
    Pause,
    Resume,
    Open,
    Stale,
    /// Do nothing until the other end is dropped.
    Wait(Receiver<()>),
    /// Report what was received in bulk.
    Bulk,
    /// Say `1` to the older of two connections and close the other, whose end makes the service say `2`.
    Farewell,
}

/// What the echo service does besides echoing.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Manner {
    /// Stop reading above this much pending output, until it has drained.
    pub pending_max: Option<usize>,
    /// Close after a line that is `QUIT`, abort after `ABORT`.
    pub obeys: bool,
    /// Bytes answered to `QUIT`, before `BYE`.
    pub last_bytes: usize,
    /// Serve this many connections and refuse all later ones.
    pub connections_max: Option<usize>,
    /// Receive in bulk from a connection's first bytes on.
    pub is_bulk: bool,
    /// Answer each byte `p` with that many pinned bytes, and everything else as it is.
    pub pinned_bytes: usize,
}

pub struct Echo {
    manner: Manner,
    events: Sender<Event>,
    /// By connection: whether the peer has finished while output is pending.
    connections: HashMap<ConnectionId, bool>,
    /// Connections not refused, ever.
    served: usize,
    stale: Vec<ConnectionId>,
    farewell: Option<ConnectionId>,
    bulk: Bulk,
    /// Chunks of this turn.
    chunks: usize,
}

/// What was received in bulk.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Bulk {
    /// Bytes of the largest chunk.
    pub largest: usize,
    /// The most chunks in a turn, from the first one on that no other buffer could have held.
    pub chunks_a_turn: usize,
}

/// What the service reports to the test.
#[derive(Debug, PartialEq)]
pub enum Event {
    Opened(ConnectionId, PeerAddress),
    Ended(ConnectionId),
    Closed(ConnectionId),
    Drained(ConnectionId, usize),
    PausedAt(usize),
    Gauges(Gauges),
    OpenConnections(usize),
    StaleIgnored(bool),
    /// The next chunks, before the first of them.
    Foreseen(Vec<Vec<u8>>),
    Bulk(Bulk),
}

impl Service for Echo {
    type Message = Ask;

    fn opened(&mut self, io: &mut Io<Ask>, id: ConnectionId, listener: ListenerId, peer: &PeerAddress) {
        assert_eq!(listener, ListenerId(7));
        assert!(self.connections.insert(id, false).is_none());
        if self.manner.connections_max.is_some_and(|max| self.served == max) {
            io.refuse(id, b"-ERR max number of clients reached\r\n");
            return;
        }
        self.served += 1;
        self.events.send(Event::Opened(id, *peer)).unwrap();
    }

    fn foresee<'a>(&mut self, inputs: impl Iterator<Item = &'a [u8]>) {
        self.events.send(Event::Foreseen(inputs.map(<[u8]>::to_vec).collect())).unwrap();
    }

    fn received(&mut self, io: &mut Io<Ask>, id: ConnectionId, bytes: &[u8]) {
        assert!(self.connections.contains_key(&id));
        assert!(!bytes.is_empty());
        if self.manner.is_bulk {
            io.receive_in_bulk(id);
            self.bulk.largest = self.bulk.largest.max(bytes.len());
            self.chunks += 1;
        }
        if self.manner.obeys {
            let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
            if line.starts_with(b"QUIT") {
                io.output(id).extend_from_slice(&vec![b'q'; self.manner.last_bytes]);
                io.output(id).extend_from_slice(b"BYE");
                io.close(id);
                io.output(id).extend_from_slice(b"never seen");
                return;
            }
            if line == b"ABORT" {
                io.output(id).extend_from_slice(b"never seen");
                io.abort(id);
                return;
            }
        }
        if self.manner.pinned_bytes > 0 {
            for byte in bytes {
                match byte {
                    b'p' => io.send_pinned(id, Box::new(vec![b'P'; self.manner.pinned_bytes])),
                    other => io.output(id).push(*other),
                }
            }
        } else {
            io.output(id).extend_from_slice(bytes);
        }
        let pending = io.output_pending_bytes(id);
        if self.manner.pending_max.is_some_and(|max| pending > max) {
            io.pause_reading(id);
            io.notify_drained(id);
            self.events.send(Event::PausedAt(pending)).unwrap();
        }
    }

    fn end_of_input(&mut self, io: &mut Io<Ask>, id: ConnectionId) {
        let ended = self.connections.insert(id, true);
        assert_eq!(ended, Some(false), "told once");
        self.events.send(Event::Ended(id)).unwrap();
        io.close(id);
    }

    fn closed(&mut self, io: &mut Io<Ask>, id: ConnectionId) {
        assert!(self.connections.remove(&id).is_some(), "closed once per opened");
        assert!(!io.is_open(id));
        self.stale.push(id);
        if let Some(other) = self.farewell.take() {
            io.output(other).push(b'2');
            io.close(other);
        }
        let _ = self.events.send(Event::Closed(id));
    }

    fn output_drained(&mut self, io: &mut Io<Ask>, id: ConnectionId) {
        let pending = io.output_pending_bytes(id);
        self.events.send(Event::Drained(id, pending)).unwrap();
        io.resume_reading(id);
    }

    fn message(&mut self, io: &mut Io<Ask>, from: usize, message: Ask) {
        assert_eq!(from, 1);
        match message {
            Ask::Stop => io.stop(),
            Ask::Wait(until) => drop(until.recv()),
            Ask::Gauges => self.events.send(Event::Gauges(io.gauges())).unwrap(),
            Ask::Pause => self.connections.keys().for_each(|id| io.pause_reading(*id)),
            Ask::Resume => self.connections.keys().for_each(|id| io.resume_reading(*id)),
            Ask::Open => {
                let open = self.connections.keys().filter(|id| io.is_open(**id)).count();
                self.events.send(Event::OpenConnections(open)).unwrap();
            }
            Ask::Stale => self.use_stale(io),
            Ask::Bulk => self.events.send(Event::Bulk(self.bulk)).unwrap(),
            Ask::Farewell => {
                let mut ids: Vec<_> = self.connections.keys().copied().collect();
                ids.sort_unstable();
                io.output(ids[0]).push(b'1');
                io.close(ids[1]);
                self.farewell = Some(ids[0]);
            }
        }
    }

    fn turn(&mut self, io: &mut Io<Ask>, _: Monotonic) -> Wake {
        let chunks = std::mem::take(&mut self.chunks);
        if self.bulk.largest > io.options().receive_buffer_bytes as usize {
            self.bulk.chunks_a_turn = self.bulk.chunks_a_turn.max(chunks);
        }
        Wake::Idle
    }
}

impl Echo {
    fn use_stale(&mut self, io: &mut Io<Ask>) {
        for id in &self.stale {
            io.output(*id).extend_from_slice(b"for nobody");
            io.send_pinned(*id, Box::new(*b"for nobody"));
            io.receive_in_bulk(*id);
            io.pause_reading(*id);
            io.resume_reading(*id);
            io.notify_drained(*id);
            io.close(*id);
            io.abort(*id);
        }
        let ignored = self.stale.iter().all(|id| io.output_pending_bytes(*id) == 0 && !io.is_open(*id));
        self.events.send(Event::StaleIgnored(ignored)).unwrap();
    }
}

/// The reactor under test.
pub struct Server {
    pub address: SocketAddr,
    pub events: Receiver<Event>,
    housekeeping: Mailboxes<Ask>,
    thread: Option<JoinHandle<Gauges>>,
}

/// A wait that only a defect makes this long.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn serve(manner: Manner, options: ReactorOptions) -> Server {
    start(manner, options, None)
}

pub fn serve_unix(path: &std::path::Path) -> Server {
    start(Manner::default(), ReactorOptions::default(), Some(path.to_path_buf()))
}

fn start(manner: Manner, options: ReactorOptions, unix: Option<std::path::PathBuf>) -> Server {
    let listener = match &unix {
        Some(path) => listen_unix(path, 0o700, 128).unwrap(),
        None => listen_tcp(
            SocketAddr::from(([127, 0, 0, 1], 0)),
            &TcpOptions { backlog: 2048, ..Default::default() },
        )
        .unwrap(),
    };
    let address = SocketAddr::from(([127, 0, 0, 1], listener.port().unwrap_or(0)));
    let mut mesh = mailbox_mesh(2, 16).unwrap();
    let housekeeping = mesh.pop().unwrap();
    let mailboxes = mesh.pop().unwrap();
    let (sender, events) = channel();
    let thread = std::thread::spawn(move || {
        let mut reactor = Reactor::new(options, mailboxes).unwrap();
        reactor.listen(ListenerId(7), listener);
        let mut echo = Echo {
            manner,
            events: sender,
            connections: HashMap::new(),
            served: 0,
            stale: Vec::new(),
            farewell: None,
            bulk: Bulk::default(),
            chunks: 0,
        };
        reactor.run(&mut echo).unwrap();
        assert!(echo.connections.is_empty(), "every opened connection was closed");
        reactor.io().gauges()
    });
    Server { address, events, housekeeping, thread: Some(thread) }
}

impl Server {
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    pub fn ask(&mut self, ask: Ask) {
        assert!(self.housekeeping.send(0, ask).is_ok());
        self.housekeeping.ring_doorbells();
    }

    /// Waits for the first event that `wanted` accepts; drops those before.
    pub fn expect<T>(&self, wanted: impl Fn(Event) -> Option<T>) -> T {
        loop {
            let event = self.events.recv_timeout(PATIENCE).expect("the event comes");
            if let Some(found) = wanted(event) {
                return found;
            }
        }
    }

    pub fn gauges(&mut self) -> Gauges {
        self.ask(Ask::Gauges);
        self.expect(|event| if let Event::Gauges(gauges) = event { Some(gauges) } else { None })
    }

    /// Stops the reactor and answers its last gauges.
    pub fn stop(mut self) -> Gauges {
        self.ask(Ask::Stop);
        let gauges = self.thread.take().unwrap().join().unwrap();
        assert_eq!(gauges.connections, 0);
        gauges
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take()
            && !std::thread::panicking()
        {
            self.ask(Ask::Stop);
            thread.join().unwrap();
        }
    }
}

/// Bytes that differ at every offset modulo a prime, so that shifts are seen.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place % 251) as u8).collect()
}
