//! Starting the cores' threads, and ending them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use whimbrel_engine::config::Config;
use whimbrel_engine::core::{Core, CoreParts};
use whimbrel_engine::info::Process;
use whimbrel_engine::key::HashSeed;
use whimbrel_engine::resp::{Batch, Reply};
use whimbrel_engine::session::Session;
use whimbrel_engine::shard::{Shard, ShardLimits};
use whimbrel_engine::topology::{NodeId, SlotMap, Topology};
use whimbrel_net::{
    Endpoint, Listener, ListenerId, Mailboxes, MinWait, Monotonic, Reactor, ReactorOptions, Waker,
};
use whimbrel_net::{mailbox_mesh, pin_to_cpu, run_promptly};

use super::clients::ClientCount;
use super::message::Message;
use super::moves::{Connector, LinkUse};
use super::{
    Clock, CoreService, background, forward, gather, locks, ownership, settings, timing, transaction,
};
use crate::control::lease::Lease;
use crate::control::{Control, Members, joining, own_nodes};
use crate::memory::MemoryAhead;
use crate::plan::Plan;
use crate::start::Setup;
use crate::{facts, log, signals};

/// Messages that one core may have on its way to another.
const MAILBOX_MESSAGES_MAX: usize = 1024;

/// Under dense load a core wakes for several requests together, or after this time.
const MIN_WAIT: MinWait = MinWait { completions: 8, microseconds: 20 };

/// What all threads share; nothing of it is on the data path.
pub struct Shared {
    pub clients: ClientCount,
    /// This process' nodes, and until when they may serve.
    pub members: Members,
    /// What moves of all cores use of the network.
    pub links: LinkUse,
    /// Backs memory before cores need it.
    pub memory: MemoryAhead,
    stopping: AtomicBool,
    /// Wakes the housekeeping thread.
    housekeeping: Waker,
    seed: u64,
}

impl Shared {
    /// Asks the process to end; returns at once.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.housekeeping.wake();
    }

    /// A core without clients, on which keys of several cores are brought together.
    pub fn scratch(&self, like: &Core) -> Box<Core> {
        let shard = Shard::new(HashSeed(self.seed), *like.shard.limits()).expect(
            "a core that runs has reserved 32 GiB of address space before; a second time is within the same limits",
        );
        let config = Config { cluster_enabled: false, maxmemory: 0, ..like.config.clone() };
        Box::new(Core::new(CoreParts {
            index: 0,
            count: 1,
            shard,
            config,
            topology: like.topology.clone(),
            seed: self.seed,
            started: like.started,
        }))
    }
}

/// Serves until the process is asked to end.
pub fn serve(setup: Setup) -> Result<(), String> {
    let Setup { config, config_file, plan, listeners, .. } = setup;
    let count = plan.cores.len();
    let mut mesh = mailbox_mesh(count + 1, MAILBOX_MESSAGES_MAX)
        .map_err(|error| format!("no descriptors for the cores' doorbells: {error}"))?;
    let mut housekeeping: Mailboxes<Message> =
        mesh.pop().expect("the last participant is the housekeeping thread");
    let seed = random_seed();
    let (mut control, members) = keeper_of_the_map(&config, &plan, seed, housekeeping.waker())?;
    let shared = Arc::new(Shared {
        clients: ClientCount::default(),
        members,
        links: LinkUse::default(),
        memory: MemoryAhead::start().map_err(|error| format!("cannot start a thread: {error}"))?,
        stopping: AtomicBool::new(false),
        housekeeping: housekeeping.waker(),
        seed,
    });
    let stopping = Arc::clone(&shared);
    signals::watch(move || stopping.stop()).map_err(|error| format!("cannot watch for signals: {error}"))?;

    let clock = Clock::start();
    let cpus: Vec<usize> = plan.cores.iter().map(|core| core.cpu).collect();
    let numbers = cpus.iter().map(|cpu| *cpu as u16).collect();
    let facts = facts::process(config_file.as_deref(), numbers, shared.seed);
    let mut threads = Vec::new();
    for (index, (mailboxes, listeners)) in mesh.into_iter().zip(listeners).enumerate() {
        let start = CoreStart { index, count, cpu: cpus[index], clock, process: facts.clone() };
        let (config, map, shared) = (config.clone(), Arc::clone(control.map()), Arc::clone(&shared));
        let thread = std::thread::Builder::new()
            .name(format!("core-{index}"))
            .spawn(move || start.run(config, &map, shared, listeners, mailboxes))
            .map_err(|error| format!("cannot start the thread of core {index}: {error}"))?;
        threads.push(thread);
    }
    // The cores are started: they do not inherit it.
    run_promptly();
    wait(&shared, &mut housekeeping, &mut control, &threads, config_file.as_deref());
    stop(&mut housekeeping, count);
    let outcomes: Vec<Result<(), String>> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap_or_else(|_| Err("a core's thread has panicked".to_owned())))
        .collect();
    control.close();
    if let Some(unix) = &plan.unix {
        // The path is ours: it was made at the start.
        let _ = std::fs::remove_file(&unix.path);
    }
    outcomes.into_iter().collect::<Result<(), String>>()?;
    log::notice("Whimbrel has stopped");
    Ok(())
}

/// Sleeps until the process is to end, or a core has ended by itself; does what the cores ask for meanwhile.
fn wait(
    shared: &Shared,
    housekeeping: &mut Mailboxes<Message>,
    control: &mut Control,
    threads: &[JoinHandle<Result<(), String>>],
    config_file: Option<&Path>,
) {
    /// How often the threads are looked at: a core that failed takes the process with it.
    const LOOK_EVERY: Duration = Duration::from_secs(1);
    /// How long a message waits that found a core's mailbox full.
    const TRY_AGAIN: Duration = Duration::from_millis(1);
    let mut all_told = true;
    let mut connector = Connector::new(housekeeping.waker());
    while !shared.stopping.load(Ordering::Acquire) && !threads.iter().any(JoinHandle::is_finished) {
        housekeeping.wait(Some(if all_told { LOOK_EVERY } else { TRY_AGAIN }));
        while let Some((core, message)) = housekeeping.receive() {
            let message = control.take(core, message).and_then(|message| connector.take(core, message));
            if let Some(message) = message {
                settings::answer(housekeeping, core, message, config_file);
            }
        }
        all_told = control.tell(housekeeping) & connector.tell(housekeeping);
    }
}

fn stop(housekeeping: &mut Mailboxes<Message>, count: usize) {
    for core in 0..count {
        // The housekeeping thread says little else, so there is room in its mailboxes.
        let _ = housekeeping.send(core, Message::Stop);
    }
    housekeeping.ring_doorbells();
}

/// A seed that nobody outside knows.
fn random_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}

/// Who keeps the map: this process itself, or the store of its cluster.
fn keeper_of_the_map(
    config: &Config,
    plan: &Plan,
    seed: u64,
    waker: Waker,
) -> Result<(Control, Members), String> {
    let count = plan.cores.len();
    if config.etcd.is_empty() {
        let process = NodeId::of_process(seed);
        let incarnation = local_incarnation(&process);
        let nodes = own_nodes(plan, config, seed, "", incarnation);
        let members = Members::new(seed, count, Lease::endless(incarnation));
        return Ok((Control::local(nodes, process), members));
    }
    let members = Members::new(seed, count, Lease::none());
    let membership = joining::membership(config, plan, seed)?;
    let control = Control::cluster(membership, &members.lease, waker)
        .map_err(|error| format!("cannot start the threads that speak with etcd: {error}"))?;
    Ok((control, members))
}

/// The number of the one registration of a process by itself; never 0.
fn local_incarnation(process: &NodeId) -> u64 {
    u64::from_str_radix(&process.as_str()[..16], 16).expect("16 hexadecimal digits") | 1
}

/// What a core's thread begins with.
struct CoreStart {
    index: usize,
    count: usize,
    cpu: usize,
    clock: Clock,
    process: Process,
}

impl CoreStart {
    fn run(
        self,
        config: Config,
        map: &SlotMap,
        shared: Arc<Shared>,
        listeners: Vec<Listener>,
        mailboxes: Mailboxes<Message>,
    ) -> Result<(), String> {
        let index = self.index;
        pin_to_cpu(self.cpu).map_err(|error| error.to_string())?;
        run_promptly();
        let options = ReactorOptions {
            connections_max: config.maxclients.max(16) + 1024,
            min_wait: Some(MIN_WAIT),
            ..ReactorOptions::default()
        };
        let mut reactor = Reactor::new(options, mailboxes).map_err(|error| error.to_string())?;
        let names = listeners.iter().map(|listener| endpoint_text(listener.local_address())).collect();
        for (number, listener) in listeners.into_iter().enumerate() {
            reactor.listen(ListenerId(number as u16), listener);
        }
        let core = self.core(config, map, &shared).map_err(|error| format!("core {index}: {error}"))?;
        let mut service = CoreService {
            core,
            index,
            count: self.count,
            clock: self.clock,
            listeners: names,
            connections: Vec::new(),
            checked_last: 0,
            batch: Batch::default(),
            ahead: Vec::new(),
            reply: Reply::default(),
            visitor: Session::default(),
            ranges: Vec::new(),
            timing: timing::Timing::new(),
            locks: locks::SlotLocks::default(),
            parked: Default::default(),
            transactions: transaction::Transactions::default(),
            gathers: gather::Gathers::default(),
            // The housekeeping thread comes behind the cores.
            outbox: forward::Outbox::new(self.count + 1),
            moves: super::moves::Moves::default(),
            resumed: Default::default(),
            held: Vec::new(),
            background: background::Due::default(),
            forwarded_out: 0,
            forwarded_in: 0,
            looked: ownership::Looked::default(),
            shared,
        };
        service.apply_config(reactor.io());
        reactor.run(&mut service).map_err(|error| format!("core {index}: {error}"))
    }

    fn core(&self, config: Config, map: &SlotMap, shared: &Shared) -> Result<Core, String> {
        let (seed, members) = (shared.seed, &shared.members);
        let shard = Shard::new(HashSeed(seed), ShardLimits::default()).map_err(|error| error.to_string())?;
        let mut core = Core::new(CoreParts {
            index: self.index as u16,
            count: self.count as u16,
            shard,
            config,
            topology: Topology::of(map, &members.id(self.index), |id| members.core(id)),
            seed: seed.wrapping_add(self.index as u64),
            started: self.clock.at(Monotonic::now()),
        });
        core.observed.process = self.process.clone();
        Ok(core)
    }
}

fn endpoint_text(endpoint: &Endpoint) -> String {
    endpoint.to_string()
}
