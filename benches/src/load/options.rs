//! The options of `whimbrel-bench load`, and the plans that they stand for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::load::plan::{Bound, Pace, Plan, Server, Waiting};
use crate::machine::cpus::CpuList;
use crate::traffic::arrivals::Process;
use crate::traffic::keys::Distribution;
use crate::traffic::template::Fillings;
use crate::traffic::workload::{
    FillKind, Preset, Protocol, Ratio, WeightedCommand, fill_command, preset_commands,
};
use crate::wire::control::Credentials;
use crate::wire::socket::Address;

/// Commands that go out together while keys are filled in.
const FILL_PIPELINE: usize = 256;
/// Connections that fill.
const FILL_CLIENTS: usize = 8;

/// How arrivals spread in an open loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ArrivalKind {
    /// One every `1 / rate`.
    Fixed,
    /// Independent of each other.
    Poisson,
    /// Heavy-tailed bursts and pauses.
    Bursts,
}

/// Sends a workload and times the replies.
#[derive(Args, Clone, Debug)]
pub struct LoadOptions {
    /// Host of the server.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Port of the server.
    #[arg(long, short, default_value_t = 6379)]
    pub port: u16,
    /// Unix socket of the server, in place of host and port.
    #[arg(long)]
    pub unix: Option<PathBuf>,
    /// User for AUTH.
    #[arg(long, requires = "password")]
    pub user: Option<String>,
    /// Password for AUTH.
    #[arg(long)]
    pub password: Option<String>,
    /// Language of the server.
    #[arg(long, value_enum, default_value_t = Protocol::Resp)]
    pub protocol: Protocol,
    /// Route by slot: CLUSTER SLOTS at the start, one set of connections per node, redirections followed.
    #[arg(long)]
    pub cluster: bool,

    /// Connections (to each node).
    #[arg(long, short, default_value_t = 50)]
    pub clients: usize,
    /// Sending threads.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// CPUs of the sending threads, e.g. 1 or 2-3.
    #[arg(long)]
    pub cpus: Option<CpuList>,
    /// Commands that go out together.
    #[arg(long, short = 'P', default_value_t = 1)]
    pub pipeline: usize,
    /// TCP congestion control of our sockets (the server's use the system's).
    #[arg(long)]
    pub congestion: Option<String>,

    /// What is sent.
    #[arg(long, short, value_enum, default_value_t = Preset::Get)]
    pub workload: Preset,
    /// SETs to GETs of the workload `mix`.
    #[arg(long, default_value = "1:10")]
    pub ratio: Ratio,
    /// Any command, in place of a workload: `[WEIGHT:]COMMAND ARG …` with `__key__`, `__field__`, `__rand__` and
    /// `__data__`. May be repeated.
    #[arg(long)]
    pub command: Vec<WeightedCommand>,
    /// Number of keys.
    #[arg(long, short, default_value_t = 1_000_000)]
    pub keys: u64,
    /// What stands before a key's twelve digits.
    #[arg(long, default_value = "key:")]
    pub key_prefix: String,
    /// Bytes of a value.
    #[arg(long, short = 'd', default_value_t = 64)]
    pub value_bytes: usize,
    /// Fields of a hash.
    #[arg(long, default_value_t = 16)]
    pub fields: u64,
    /// Bound of `__rand__`.
    #[arg(long, default_value_t = 1_000_000)]
    pub random_below: u64,
    /// uniform, zipf:EXPONENT, hot:KEYS:ACCESSES (shares) or sequential.
    #[arg(long, default_value = "uniform")]
    pub distribution: Distribution,

    /// Open loop: commands a second. Latency counts from the instant a command is due.
    #[arg(long)]
    pub rate: Option<f64>,
    /// How arrivals spread in an open loop.
    #[arg(long, value_enum, default_value_t = ArrivalKind::Poisson)]
    pub arrivals: ArrivalKind,
    /// Mean length of a burst.
    #[arg(long, default_value_t = 10.0)]
    pub burst_on_ms: f64,
    /// Mean length of a pause between bursts.
    #[arg(long, default_value_t = 30.0)]
    pub burst_off_ms: f64,
    /// Tail index of the lengths, above 1: the smaller, the heavier.
    #[arg(long, default_value_t = 1.5)]
    pub burst_shape: f64,

    /// Seconds that are measured.
    #[arg(long, short = 's', default_value_t = 10.0)]
    pub seconds: f64,
    /// Seconds of load before.
    #[arg(long, default_value_t = 1.0)]
    pub warm_up: f64,
    /// Ends after this many commands in place of a time.
    #[arg(long, short = 'n')]
    pub requests: Option<u64>,
    /// First writes every key once.
    #[arg(long)]
    pub fill: bool,
    /// Only writes every key once.
    #[arg(long)]
    pub fill_only: bool,
    /// What is filled in.
    #[arg(long, value_enum, default_value_t = FillKind::String)]
    pub fill_kind: FillKind,
    /// Time to live of filled strings.
    #[arg(long)]
    pub fill_ttl_seconds: Option<u64>,
    /// The same seed draws the same traffic.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Process of the server: its CPU time per operation is measured too.
    #[arg(long)]
    pub server_pid: Option<u32>,
    /// Prints the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Options that contradict each other or make no sense.
pub fn check(options: &LoadOptions) -> Result<(), &'static str> {
    let faults = [
        (options.clients == 0 || options.threads == 0, "--clients and --threads start at 1"),
        (options.clients < options.threads, "every thread needs a connection: raise --clients"),
        (options.pipeline == 0, "--pipeline starts at 1"),
        (options.keys == 0 || options.fields == 0, "--keys and --fields start at 1"),
        (options.random_below == 0, "--random-below starts at 1"),
        (options.rate.is_some_and(|rate| rate.is_nan() || rate <= 0.0), "--rate must be above 0"),
        (options.burst_shape.is_nan() || options.burst_shape <= 1.0, "--burst-shape must be above 1"),
        (options.burst_on_ms.is_nan() || options.burst_on_ms <= 0.0, "--burst-on-ms must be above 0"),
        (options.burst_off_ms.is_nan() || options.burst_off_ms < 0.0, "--burst-off-ms must not be negative"),
        (Duration::try_from_secs_f64(options.seconds).is_err(), "--seconds is no length of time"),
        (Duration::try_from_secs_f64(options.warm_up).is_err(), "--warm-up is no length of time"),
        (options.cluster && options.protocol != Protocol::Resp, "only RESP servers have a cluster mode"),
        (options.cluster && options.unix.is_some(), "cluster mode needs TCP"),
    ];
    faults.into_iter().find(|(fault, _)| *fault).map_or(Ok(()), |(_, reason)| Err(reason))
}

impl LoadOptions {
    /// The run that measures.
    pub fn plan(&self) -> Plan {
        let process = match self.arrivals {
            ArrivalKind::Fixed => Process::Fixed,
            ArrivalKind::Poisson => Process::Poisson,
            ArrivalKind::Bursts => Process::Bursts {
                on_ns: self.burst_on_ms * 1e6,
                off_ns: self.burst_off_ms * 1e6,
                shape: self.burst_shape,
            },
        };
        let commands = if self.command.is_empty() {
            preset_commands(self.workload, self.ratio, self.cluster)
        } else {
            self.command.clone()
        };
        Plan {
            server: self.server(),
            clients: self.clients,
            threads: self.threads,
            cpus: self.cpus.clone().unwrap_or_default().0,
            pipeline: self.pipeline,
            congestion: self.congestion.clone(),
            commands,
            fillings: self.fillings(),
            distribution: self.distribution,
            key_first: 0,
            keys: self.keys,
            pace: self.rate.map_or(Pace::Closed, |rate| Pace::Open { rate, process }),
            waiting: Waiting::Spin,
            bound: match self.requests {
                Some(requests) => Bound::Requests(requests),
                None => Bound::Time {
                    warm_up: Duration::from_secs_f64(self.warm_up),
                    measured: Duration::from_secs_f64(self.seconds),
                },
            },
            kept_from: None,
            seed: self.seed,
        }
    }

    /// The run that writes every key once.
    pub fn fill_plan(&self) -> Plan {
        let kind = match self.workload {
            Preset::Hset | Preset::Hget => FillKind::Hash,
            _ => self.fill_kind,
        };
        Plan {
            clients: FILL_CLIENTS.max(self.threads),
            pipeline: FILL_PIPELINE,
            commands: vec![fill_command(kind, self.fields, self.fill_ttl_seconds)],
            distribution: Distribution::Sequential,
            pace: Pace::Closed,
            bound: Bound::Requests(self.keys),
            ..self.plan()
        }
    }

    fn server(&self) -> Server {
        let address = match &self.unix {
            Some(path) => Address::Unix(path.clone()),
            None => Address::Tcp(self.host.clone(), self.port),
        };
        let credentials = Credentials { user: self.user.clone(), password: self.password.clone() };
        Server { address, credentials, protocol: self.protocol, cluster: self.cluster }
    }

    fn fillings(&self) -> Fillings {
        Fillings {
            key_prefix: self.key_prefix.clone(),
            value: Fillings::value_of(self.value_bytes),
            fields: self.fields,
            random_below: self.random_below,
        }
    }
}
