//! One sending thread: its connections and the loop over them.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Instant;

use rustix::event::{Timespec, epoll};

use crate::cluster::refresher::Refresher;
use crate::cluster::slot_map::SlotMap;
use crate::load::connection::Connection;
use crate::load::in_flight::Sent;
use crate::load::pace::Pace;
use crate::load::plan::{Bound, LoadError, Plan};
use crate::load::recorder::Recorder;
use crate::load::router::Router;
use crate::machine::schedstat;
use crate::traffic::keys::KeyChooser;
use crate::traffic::random::Random;
use crate::traffic::template::Draw;
use crate::traffic::workload::Workload;
use crate::wire::control::Control;
use crate::wire::replies::Tally;
use crate::wire::socket::{Address, Socket};

/// Events taken from the kernel at once.
const EVENTS_MAX: usize = 1024;
/// Bytes read from a socket at once.
const READ_BYTES: usize = 256 * 1024;
/// Longest sleep, so that the end of a run is noticed.
const SLEEP_NS_MAX: u64 = 5_000_000;
/// Longest wait for the last replies of an open loop.
const DRAIN_NS_MAX: u64 = 2_000_000_000;

/// What the run is doing; set by the thread that started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Load without measurement.
    WarmUp,
    /// Load with measurement.
    Measured,
    /// No new commands.
    Ending,
}

/// What workers and the thread that started them share.
#[derive(Debug)]
pub struct Progress {
    /// Time zero of every instant of the run.
    pub origin: Instant,
    phase: AtomicU8,
    answered: Vec<AtomicU64>,
}

impl Progress {
    /// For this many workers.
    pub fn new(workers: usize, phase: Phase) -> Self {
        Self {
            origin: Instant::now(),
            phase: AtomicU8::new(phase as u8),
            answered: (0..workers).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Nanoseconds since time zero.
    #[inline]
    pub fn now_ns(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    /// Moves every worker on.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
    }

    /// Commands answered so far, by all workers.
    pub fn answered(&self) -> u64 {
        self.answered.iter().map(|n| n.load(Ordering::Relaxed)).sum()
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::WarmUp,
            1 => Phase::Measured,
            _ => Phase::Ending,
        }
    }
}

/// One sending thread.
pub struct Worker<'p> {
    pub(super) plan: &'p Plan,
    number: usize,
    /// Connections to each node.
    clients: usize,
    progress: &'p Progress,
    epoll: OwnedFd,
    pub(super) connections: Vec<Connection>,
    pub(super) router: Router,
    pub(super) refresher: Option<Refresher>,
    pub(super) workload: Workload,
    pub(super) draw: Draw,
    pub(super) pace: Pace,
    pub(super) recorder: Recorder,
    /// Commands that may still be sent.
    pub(super) budget: u64,
    /// Commands that may still be drawn; those drawn for other nodes are part of `budget` until they are sent.
    pub(super) undrawn: u64,
    /// Connections that found no command for their node.
    pub(super) starved: Vec<usize>,
    /// Commands sent and not answered, over all connections.
    pub(super) outstanding: u64,
    /// Commands to send again, each when its time has come.
    pub(super) retries: Vec<(u64, Sent)>,
    /// Rendered commands on their way to a socket.
    pub(super) scratch: Vec<u8>,
    /// A command rendered only to see its slot.
    pub(super) probe: Vec<u8>,
    /// Connections with bytes queued since the last flush.
    pub(super) dirty: Vec<usize>,
    buffer: Vec<u8>,
    phase: Phase,
    window_cpu_ns: u64,
}

impl<'p> Worker<'p> {
    /// Connects everything that worker `number` of `plan.threads` needs.
    pub fn new(plan: &'p Plan, progress: &'p Progress, number: usize) -> Result<Self, LoadError> {
        let share = |total: u64| {
            let (threads, number) = (plan.threads as u64, number as u64);
            total / threads + u64::from(number < total % threads)
        };
        let router = router(plan)?;
        let refresher = router.by_slot().then(|| Refresher::start(plan.server.credentials.clone()));
        let mut random = Random::new(plan.seed ^ ((number as u64 + 1) << 32));
        let pace_random = Random::new(random.bits());
        let (key_first, keys) = match (plan.distribution, plan.threads) {
            // Threads that go through the keys in order divide them.
            (crate::traffic::keys::Distribution::Sequential, 2..) => {
                let before: u64 = (0..number as u64)
                    .map(|n| plan.keys / plan.threads as u64 + u64::from(n < plan.keys % plan.threads as u64))
                    .sum();
                (plan.key_first + before, share(plan.keys).max(1))
            }
            _ => (plan.key_first, plan.keys),
        };
        let budget = match plan.bound {
            Bound::Time { .. } => u64::MAX,
            Bound::Requests(requests) => share(requests),
        };
        let mut worker = Self {
            plan,
            number,
            clients: share(plan.clients as u64) as usize,
            progress,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC).map_err(|e| LoadError::System(e.into()))?,
            connections: Vec::new(),
            router,
            refresher,
            workload: Workload::new(&plan.commands, plan.server.protocol, &plan.fillings)?,
            draw: Draw { keys: KeyChooser::new(plan.distribution, key_first, keys), random },
            pace: Pace::new(plan.pace, 1.0 / plan.threads as f64, plan.pipeline, 0, pace_random),
            recorder: Recorder::new(plan.kept_from),
            budget,
            undrawn: budget,
            starved: Vec::new(),
            outstanding: 0,
            retries: Vec::new(),
            scratch: Vec::new(),
            probe: Vec::new(),
            dirty: Vec::new(),
            buffer: vec![0; READ_BYTES],
            phase: Phase::WarmUp,
            window_cpu_ns: 0,
        };
        for node in 0..worker.router.nodes().len() {
            for _ in 0..worker.clients {
                worker.connect(node)?;
            }
        }
        if worker.connections.is_empty() {
            return Err(LoadError::NoOwner(plan.server.address.clone()));
        }
        Ok(worker)
    }

    /// Sends and receives until the run is over.
    pub fn run(mut self) -> Result<Recorder, LoadError> {
        let now_ns = self.progress.now_ns();
        if let Pace::Open(_) = self.pace {
            let random = Random::new(self.draw.random.bits());
            self.pace =
                Pace::new(self.plan.pace, 1.0 / self.plan.threads as f64, self.plan.pipeline, now_ns, random);
        }
        self.enter_phase();
        for index in 0..self.connections.len() {
            self.start(index, now_ns)?;
        }
        let mut events =
            vec![
                epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) };
                EVENTS_MAX
            ];
        let mut ending_since_ns = None;
        loop {
            if self.progress.phase() != self.phase {
                self.enter_phase();
            }
            let now_ns = self.progress.now_ns();
            if self.phase == Phase::Ending {
                let since = *ending_since_ns.get_or_insert(now_ns);
                let drained = self.outstanding == 0 || now_ns - since > DRAIN_NS_MAX;
                if matches!(self.pace, Pace::Closed) || drained {
                    break;
                }
            } else if self.budget == 0 && self.outstanding == 0 && self.retries.is_empty() {
                break;
            } else {
                self.send_due(now_ns)?;
                self.start_starved(now_ns)?;
            }
            self.send_retries(now_ns)?;
            let ready = self.wait(&mut events, now_ns)?;
            let now_ns = self.progress.now_ns();
            for event in &events[..ready] {
                let (index, flags) = (event.data.u64() as usize, event.flags);
                self.handle(index, flags, now_ns)?;
            }
            self.take_new_map(now_ns)?;
            self.progress.answered[self.number].store(self.recorder.answered, Ordering::Relaxed);
        }
        self.recorder.lost += self.outstanding * u64::from(matches!(self.pace, Pace::Open(_)));
        if self.phase == Phase::Measured {
            self.recorder.cpu_ns = schedstat::of_this_thread_ns() - self.window_cpu_ns;
        }
        Ok(self.recorder)
    }

    fn enter_phase(&mut self) {
        self.phase = self.progress.phase();
        match self.phase {
            Phase::WarmUp => {}
            Phase::Measured => {
                self.recorder.window_start_ns = self.progress.now_ns();
                self.window_cpu_ns = schedstat::of_this_thread_ns();
            }
            Phase::Ending => self.recorder.cpu_ns = schedstat::of_this_thread_ns() - self.window_cpu_ns,
        }
    }

    fn wait(&self, events: &mut [epoll::Event], now_ns: u64) -> Result<usize, LoadError> {
        let longest = if self.retries.is_empty() { SLEEP_NS_MAX } else { 0 };
        let sleep_ns = self.pace.sleep_ns(now_ns, longest, self.plan.waiting);
        let timeout = Timespec { tv_sec: 0, tv_nsec: sleep_ns as i64 };
        match epoll::wait(&self.epoll, events, Some(&timeout)) {
            Ok(ready) => Ok(ready),
            Err(rustix::io::Errno::INTR) => Ok(0),
            Err(error) => Err(LoadError::System(error.into())),
        }
    }

    fn handle(&mut self, index: usize, flags: epoll::EventFlags, now_ns: u64) -> Result<(), LoadError> {
        let connection = &mut self.connections[index];
        if connection.closed {
            return Ok(());
        }
        if flags.contains(epoll::EventFlags::OUT)
            && let Err(error) = connection.flush()
        {
            return self.lose(index, error);
        }
        let readable = epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR;
        if !flags.intersects(readable) {
            return Ok(());
        }
        let mut tally = Tally::default();
        let received = connection.receive(&mut self.buffer, &mut tally);
        self.settle(index, &tally, now_ns)?;
        match received {
            Ok(bytes) => self.recorder.received_bytes += bytes,
            Err(error) => return self.lose(index, error),
        }
        self.start(index, now_ns)
    }

    /// Opens one more connection to a node and registers it.
    pub(super) fn connect(&mut self, node: usize) -> Result<usize, LoadError> {
        let address = self.router.nodes()[node].address.clone();
        let connection = self.open(&address, node).map_err(|e| LoadError::Connect(address, e))?;
        let index = self.connections.len();
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
        epoll::add(&self.epoll, &connection, epoll::EventData::new_u64(index as u64), flags)
            .map_err(|e| LoadError::System(e.into()))?;
        self.connections.push(connection);
        self.router.node_mut(node).connections.push(index);
        Ok(index)
    }

    fn open(&self, address: &Address, node: usize) -> io::Result<Connection> {
        let socket = Socket::connect(address, self.plan.congestion.as_deref())?;
        let control = Control::over(socket, &self.plan.server.credentials)?;
        Connection::new(control.into_socket(), node, self.plan.server.protocol)
    }

    /// A connection has failed: its commands are lost, and the run with it when it was the last one.
    pub(super) fn lose(&mut self, index: usize, error: io::Error) -> Result<(), LoadError> {
        if error.kind() == ErrorKind::InvalidData {
            return Err(LoadError::Protocol(crate::wire::replies::ProtocolViolation));
        }
        let connection = &mut self.connections[index];
        connection.closed = true;
        let lost = connection.in_flight.commands();
        let node = connection.node;
        let _ = epoll::delete(&self.epoll, &*connection);
        self.outstanding -= lost;
        self.recorder.lost += lost;
        self.recorder.error(&format!("connection lost: {error}"));
        self.router.node_mut(node).connections.retain(|&other| other != index);
        if self.connections.iter().all(|c| c.closed) {
            return Err(LoadError::Connection(error));
        }
        Ok(())
    }

    /// Nodes that turned up during the run get their connections one by one, each as the loop comes round.
    pub(super) fn grow(&mut self, now_ns: u64) -> Result<(), LoadError> {
        let short = |node: &super::router::Node| node.owns_slots() && node.connections.len() < self.clients;
        if let Some(node) = self.router.nodes().iter().position(short)
            && let Ok(index) = self.connect(node)
        {
            self.start(index, now_ns)?;
        }
        Ok(())
    }
}

fn router(plan: &Plan) -> Result<Router, LoadError> {
    let address = &plan.server.address;
    let Address::Tcp(host, _) = address else { return Ok(Router::single(address.clone())) };
    if !plan.server.cluster {
        return Ok(Router::single(address.clone()));
    }
    let map = Control::connect(address, &plan.server.credentials)
        .and_then(|mut control| SlotMap::ask(&mut control, host))
        .map_err(|error| LoadError::Connect(address.clone(), error))?;
    Ok(Router::cluster(map))
}
