//! Two nodes of one product, started and joined: the source owns every slot, the target none.

use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use crate::load::plan;
use crate::scenario::measuring::{Bench, ScenarioError};
use crate::scenario::moves::cell::{Link, MOVING, MoveCell};
use crate::scenario::moves::dialect::{Dialect, Move};
use crate::scenario::moves::etcd::Etcd;
use crate::scenario::moves::network::Network;
use crate::scenario::peer::{Kind, Peer};
use crate::scenario::server::{Place, Server};
use crate::wire::control::{Control, Credentials};
use crate::wire::socket::Address;
use crate::wire::value::Value;

/// Longest wait until both nodes agree on the cluster.
const JOIN_TIMEOUT: Duration = Duration::from_secs(30);
/// Time between two looks.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);
/// Ports from the first of a product: those of the source, of the target, of etcd.
const PORTS: [u16; 3] = [0, 3, 6];

/// The pair. What it started ends with it, servers before the etcd that they use.
#[derive(Debug)]
pub struct Pair {
    /// One process, or two.
    servers: Vec<Server>,
    /// Where source and target listen.
    pub addresses: [Address; 2],
    /// The CPUs that the cores of source and target keep to, where those are pinned.
    pub cpus: [usize; 2],
    target_id: String,
    moving: (u16, u16),
    dialect: Dialect,
    _etcd: Option<Etcd>,
}

impl Pair {
    /// Starts and joins two nodes. Nothing, with a note, when this product cannot move slots while traffic flows.
    pub fn start(
        bench: &mut Bench<'_>,
        index: usize,
        peer: &Peer,
        cell: &MoveCell,
        network: Option<&Network>,
    ) -> Result<Option<Self>, ScenarioError> {
        let is_whimbrel = peer.kind == Kind::Whimbrel;
        let needs_etcd = is_whimbrel && cell.link != Link::Mailboxes;
        let dir = bench.dir(&peer.name);
        // Nodes remember their cluster; that of an earlier cell is over.
        let _ = fs::remove_dir_all(&dir);
        let etcd_host = network.map_or("127.0.0.1", |network| network.outside());
        let port = bench.options.port(index);
        let etcd = needs_etcd.then(|| Etcd::start(etcd_host, port + PORTS[2], &dir.join("etcd")));
        let etcd = etcd.transpose().map_err(ScenarioError::Server)?;
        let cpus = cpus(bench);
        let mut servers = Vec::new();
        let count = if cell.link == Link::Mailboxes { 1 } else { 2 };
        for (role, port) in PORTS.iter().take(count).map(|step| port + step).enumerate() {
            let own = if is_whimbrel && count == 2 {
                &cpus[role % cpus.len()..=role % cpus.len()]
            } else {
                &cpus[..]
            };
            let node = node(peer, etcd.as_ref(), own);
            let mut place = Place::local(port, &cpus, &dir.join(["source", "target"][role]));
            if let Some(network) = network {
                let (host, namespace) = network.node(role);
                (place.host, place.namespace) = (host.to_owned(), Some(namespace.to_owned()));
            }
            let server = Server::start(&node, &place, &cpus).map_err(ScenarioError::Server)?;
            bench.introduce(&node, &server);
            servers.push(server);
        }
        let addresses = addresses(&servers);
        let joined = join(&addresses, is_whimbrel, cell).map_err(ScenarioError::Server)?;
        let Some((dialect, target_id)) = joined else {
            bench.note(format!("{} {} cannot move slots while traffic flows", peer.name, servers[0].version));
            return Ok(None);
        };
        let cpus = [cpus[0], cpus[1 % cpus.len()]];
        Ok(Some(Self { servers, addresses, cpus, target_id, moving: cell.moving(), dialect, _etcd: etcd }))
    }

    /// The process of the source.
    pub fn source(&self) -> &Server {
        &self.servers[0]
    }

    /// Name of the product.
    pub fn name(&self) -> &str {
        &self.source().peer.name
    }

    /// How the load reaches both.
    pub fn target(&self) -> plan::Server {
        plan::Server { cluster: true, address: self.addresses[0].clone(), ..self.source().target() }
    }

    /// Asks for the move.
    pub fn start_move(&self) -> io::Result<Move> {
        let [source, target] = self.controls()?;
        Move::start(self.dialect, (source, target), &self.target_id, self.moving)
    }

    /// Keys of source and target.
    pub fn keys(&self) -> io::Result<[i64; 2]> {
        let mut counts = [0; 2];
        for (count, mut control) in counts.iter_mut().zip(self.controls()?) {
            *count = control.ask_well(&["DBSIZE"])?.int().unwrap_or(0);
        }
        Ok(counts)
    }

    /// Connections to source and target.
    pub fn controls(&self) -> io::Result<[Control; 2]> {
        connect(&self.addresses)
    }
}

fn connect(addresses: &[Address; 2]) -> io::Result<[Control; 2]> {
    let [source, target] = addresses;
    let credentials = Credentials::default();
    Ok([Control::connect(source, &credentials)?, Control::connect(target, &credentials)?])
}

/// CPUs of the servers and of the load: two servers and a client have no CPU each here, so all share them.
fn cpus(bench: &Bench<'_>) -> Vec<usize> {
    let mut cpus = bench.options.server_cpus.0.clone();
    cpus.extend(bench.client_cpus.iter().filter(|cpu| !bench.options.server_cpus.0.contains(cpu)));
    cpus
}

/// The command of a cluster's node.
fn node(peer: &Peer, etcd: Option<&Etcd>, cores: &[usize]) -> Peer {
    let mut node = Peer { cluster: true, ..peer.clone() };
    let mut add = |words: &[&str]| node.command.extend(words.iter().map(|word| (*word).to_owned()));
    add(&["--cluster-enabled", "yes", "--protected-mode", "no"]);
    match peer.kind {
        Kind::Whimbrel => {
            add(&["--bind", "{host}", "--core-port-base", "{core_port}"]);
            if let Some(etcd) = etcd {
                add(&["--cluster", "bench", "--etcd", &etcd.url]);
            }
            // The process may use every CPU, its cores are pinned.
            let list = cores.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
            node.command.iter_mut().for_each(|word| *word = word.replace("{cpus}", &list));
        }
        _ => add(&["--cluster-config-file", "nodes.conf"]),
    }
    node
}

fn addresses(servers: &[Server]) -> [Address; 2] {
    let source = servers[0].address().clone();
    let target = match (servers.get(1), &source) {
        (Some(target), _) => target.address().clone(),
        // The second core of the same process has the next port.
        (None, Address::Tcp(host, port)) => Address::Tcp(host.clone(), port + 1),
        (None, unix) => unix.clone(),
    };
    [source, target]
}

/// Gives the source every slot, or as many as the cell says, and has the nodes meet. Returns what they understand and the target's name.
fn join(
    addresses: &[Address; 2],
    is_whimbrel: bool,
    cell: &MoveCell,
) -> io::Result<Option<(Dialect, String)>> {
    let [mut source, mut target] = connect(addresses)?;
    let Some(dialect) = Dialect::of(&mut source)? else { return Ok(None) };
    let target_id = target.ask_well(&["CLUSTER", "MYID"])?.text().unwrap_or_default().to_owned();
    if cell.link != Link::Mailboxes {
        if !is_whimbrel {
            source.ask_well(&["CLUSTER", "SET-CONFIG-EPOCH", "1"])?;
            target.ask_well(&["CLUSTER", "SET-CONFIG-EPOCH", "2"])?;
        }
        take_slots(&mut source, 0, cell.source_last())?;
        if cell.source_last() < 16_383 {
            take_slots(&mut target, cell.source_last() + 1, 16_383)?;
        }
        if !is_whimbrel && let Address::Tcp(host, port) = &addresses[1] {
            source.ask_well(&["CLUSTER", "MEET", host, &port.to_string()])?;
        }
    }
    let started = Instant::now();
    while !agrees(&mut source)? || !agrees(&mut target)? {
        if started.elapsed() > JOIN_TIMEOUT {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the nodes do not agree on their cluster"));
        }
        thread::sleep(RETRY_INTERVAL);
    }
    Ok(Some((dialect, target_id)))
}

/// A node may have to register first.
fn take_slots(node: &mut Control, first: u16, last: u16) -> io::Result<()> {
    let (first, last) = (first.to_string(), last.to_string());
    let started = Instant::now();
    loop {
        match node.ask(&["CLUSTER", "ADDSLOTSRANGE", &first, &last])? {
            Value::Error(text) if started.elapsed() > JOIN_TIMEOUT => return Err(io::Error::other(text)),
            Value::Error(_) => thread::sleep(RETRY_INTERVAL),
            _ => return Ok(()),
        }
    }
}

/// The node knows both nodes and an owner of every slot.
fn agrees(node: &mut Control) -> io::Result<bool> {
    let info = node.ask_well(&["CLUSTER", "INFO"])?;
    let has = |line: &str| info.text().is_some_and(|info| info.lines().any(|l| l.trim_end() == line));
    let mut known = has("cluster_known_nodes:2") && has("cluster_slots_ok:16384") && has("cluster_state:ok");
    // A key that moves must be refused by nobody but for a redirection.
    let slot = MOVING.0.to_string();
    known &= !matches!(node.ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot])?, Value::Error(_));
    Ok(known)
}
