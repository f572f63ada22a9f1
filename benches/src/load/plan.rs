//! One run of the load generator, fully decided.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::traffic::arrivals::Process;
use crate::traffic::keys::Distribution;
use crate::traffic::template::Fillings;
use crate::traffic::workload::{Protocol, WeightedCommand, WorkloadError};
use crate::wire::control::Credentials;
use crate::wire::replies::ProtocolViolation;
use crate::wire::socket::Address;

/// Who is asked.
#[derive(Clone, Debug)]
pub struct Server {
    /// Any node of a cluster, or the only one.
    pub address: Address,
    /// Sent as AUTH on every connection.
    pub credentials: Credentials,
    /// The server's language.
    pub protocol: Protocol,
    /// Route by slot and follow redirections.
    pub cluster: bool,
}

/// When the next commands go out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// A connection sends `pipeline` commands, waits for all their replies, and so on.
    Closed,
    /// Commands go out when they are due, whatever has been answered; latency counts from that instant.
    Open {
        /// Commands a second, over all connections.
        rate: f64,
        /// How arrivals spread around it.
        process: Process,
    },
}

/// How an open loop waits for the next command that is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Waiting {
    /// Awake: commands go out within a microsecond, and the thread has a CPU to itself.
    #[default]
    Spin,
    /// Asleep: commands that fall due within a fifth of a millisecond go out together at its end, and the CPU is left to
    /// others.
    Sleep,
}

/// When the run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// After a warm-up, which is not measured, and this long.
    Time {
        /// Load without measurement.
        warm_up: Duration,
        /// Load with measurement.
        measured: Duration,
    },
    /// After this many commands.
    Requests(u64),
}

/// One run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Who is asked.
    pub server: Server,
    /// Connections to each node, over all threads.
    pub clients: usize,
    /// Threads that send.
    pub threads: usize,
    /// CPUs that the threads may use; all when empty.
    pub cpus: Vec<usize>,
    /// Commands that go out together.
    pub pipeline: usize,
    /// TCP congestion control of our sockets; the system's when absent.
    pub congestion: Option<String>,
    /// What is sent.
    pub commands: Vec<WeightedCommand>,
    /// What placeholders stand for.
    pub fillings: Fillings,
    /// Which keys.
    pub distribution: Distribution,
    /// Number of the first key.
    pub key_first: u64,
    /// How many keys there are.
    pub keys: u64,
    /// When it is sent.
    pub pace: Pace,
    /// How the thread waits meanwhile.
    pub waiting: Waiting,
    /// When it ends.
    pub bound: Bound,
    /// Replies that take longer are kept one by one.
    pub kept_from: Option<Duration>,
    /// The same seed draws the same traffic.
    pub seed: u64,
}

/// Why a run gave no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum LoadError {
    /// The plan asks for a mix that cannot be sent.
    Workload(WorkloadError),
    /// No connection could be made: is the server up, are there enough file descriptors?
    Connect(Address, io::Error),
    /// No slot has an owner: the cluster is not set up.
    NoOwner(Address),
    /// The server closed every connection or broke the protocol on one.
    Connection(io::Error),
    /// The server's bytes are in no protocol that was asked for.
    Protocol(ProtocolViolation),
    /// The system refused something local: pinning, epoll, file limits.
    System(io::Error),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workload(error) => write!(f, "{error}"),
            Self::Connect(address, error) => write!(f, "cannot connect to {address}: {error}"),
            Self::NoOwner(address) => write!(f, "{address}: no node owns a slot: set the cluster up first"),
            Self::Connection(error) => write!(f, "connection lost: {error}"),
            Self::Protocol(error) => write!(f, "{error}"),
            Self::System(error) => write!(f, "the system refused: {error}"),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<WorkloadError> for LoadError {
    fn from(error: WorkloadError) -> Self {
        Self::Workload(error)
    }
}
