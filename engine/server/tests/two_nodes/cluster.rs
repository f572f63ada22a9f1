//! Two nodes that share a cluster: the first owns every slot, and half of them are to move to the second.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::etcd::{Etcd, is_etcd_there};
use super::network::Network;
use super::node::{Node, Start};
use crate::served::{PATIENCE, Value, eventually, free_ports, ok};

/// First and last slot of those that move.
pub const MOVING: (u16, u16) = (0, 8191);
/// First and last slot of the others.
pub const STAYING: (u16, u16) = (8192, 16_383);
/// Ports of nodes that have an address to themselves.
const PORT: u16 = 24_500;
/// Port of an etcd that has an address to itself; no outgoing connection is given it.
const ETCD_PORT: u16 = 23_790;

/// The nodes, their etcd and the network between them.
pub struct Cluster {
    /// Source and target; they end before what they use.
    pub nodes: [Node; 2],
    /// The store of the cluster's map.
    pub etcd: Etcd,
    /// None where the nodes meet on the loopback interface.
    pub network: Option<Network>,
    target_id: String,
}

/// Where a move stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// The phase of the batch under way.
    pub phase: String,
    /// Slots of batches before it, which the target owns.
    pub slots_done: i64,
}

/// How a move ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The target owns all slots of the move.
    Done,
    /// It ended for this reason; the source owns what was not handed over before.
    Failed(String),
}

impl Cluster {
    /// Starts and joins both nodes. Nothing where there is no etcd.
    pub fn start(options: &[&str]) -> Option<Cluster> {
        if !is_etcd_there() {
            return None;
        }
        let network = Network::build();
        if network.is_none() {
            eprintln!(
                "no network namespaces (root and `ip` are needed): nodes meet on the loopback interface"
            );
        }
        let etcd = match &network {
            Some(network) => Etcd::start(&network.outside(), ETCD_PORT),
            None => Etcd::start("127.0.0.1", free_ports(2)),
        };
        let url = etcd.url();
        let cpus = whimbrel_net::cpus_available();
        let node = |index: usize| {
            let address = network.as_ref().map_or("127.0.0.1".to_owned(), |n| n.address(index));
            let namespace = network.as_ref().map(|n| n.namespace(index));
            let port = if network.is_some() { PORT } else { free_ports(2) };
            Node::start(&Start {
                host: &address,
                port,
                namespace: namespace.as_deref(),
                cpu: cpus[index % cpus.len()],
                etcd: &url,
                options,
            })
        };
        let nodes = [node(0), node(1)];
        let target_id = nodes[1].ask(&["CLUSTER", "MYID"]).text();
        eventually("the first node takes all slots", || {
            nodes[0].ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]) == ok()
                || info(&nodes[0]).contains("cluster_slots_assigned:16384")
        });
        for node in &nodes {
            eventually("both nodes know the cluster", || {
                let info = info(node);
                ["cluster_state:ok", "cluster_known_nodes:2", "cluster_slots_assigned:16384"]
                    .iter()
                    .all(|line| info.contains(line))
            });
        }
        Some(Cluster { nodes, etcd, network, target_id })
    }

    /// The node that the slots leave.
    pub fn source(&self) -> &Node {
        &self.nodes[0]
    }

    /// The node that the slots come to.
    pub fn target(&self) -> &Node {
        &self.nodes[1]
    }

    /// Asks for the move.
    pub fn begin_move(&self) {
        assert_eq!(self.try_to_move(), ok());
    }

    /// Asks for the move of what is left of it.
    pub fn try_to_move(&self) -> Value {
        let owned = self.owned_by_target();
        let left = (MOVING.0..=MOVING.1).zip(owned).filter(|(_, is_there)| !is_there).map(|(slot, _)| slot);
        let slots: Vec<String> = left.flat_map(|slot| [slot.to_string(), slot.to_string()]).collect();
        let slots: Vec<&str> = slots.iter().map(String::as_str).collect();
        let words =
            [&["CLUSTER", "MIGRATESLOTS", "SLOTSRANGE"], &slots[..], &["NODE", &self.target_id]].concat();
        self.source().ask(&words)
    }

    /// Which of the moving slots the map gives to the target, as the target tells it.
    pub fn owned_by_target(&self) -> Vec<bool> {
        let mut owned = vec![false; usize::from(MOVING.1 - MOVING.0 + 1)];
        for range in self.target().ask(&["CLUSTER", "SLOTS"]).array() {
            let range = range.array();
            let node = range[2].clone().array();
            let address = format!("{}:{}", node[0].clone().text(), node[1].clone().integer());
            let (first, last) = (range[0].clone().integer() as usize, range[1].clone().integer() as usize);
            if address == self.target().address && first < owned.len() {
                let last = last.min(owned.len() - 1);
                owned[first..=last].fill(true);
            }
        }
        owned
    }

    /// What the source says of the move that was asked for.
    pub fn move_fields(&self) -> BTreeMap<String, Value> {
        asked_for(self.source().ask(&["CLUSTER", "GETSLOTMIGRATIONS"]))
    }

    /// Phase of the move.
    pub fn phase(&self) -> String {
        self.move_fields()["phase"].clone().text()
    }

    /// Waits until the move is in one of these phases; whether it was seen there before it ended.
    pub fn wait_for_phase(&self, phases: &[&str]) -> bool {
        self.wait_until(|stand| phases.contains(&&*stand.phase)).is_some()
    }

    /// Waits until the move stands so; nothing if it ended first. Phases may be short, so this asks without a rest.
    pub fn wait_until(&self, is_so: impl Fn(&Stand) -> bool) -> Option<Stand> {
        let mut client = self.source().try_client().expect("the source lives");
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let mut fields = asked_for(client.ask(&["CLUSTER", "GETSLOTMIGRATIONS"]));
            let mut take = |name: &str| fields.remove(name).expect("a move has this field");
            let stand = Stand { phase: take("phase").text(), slots_done: take("slots_done").integer() };
            if is_so(&stand) {
                return Some(stand);
            }
            if ["done", "failed", "cancelled"].contains(&&*stand.phase) {
                return None;
            }
        }
        panic!("never: the move stands as the test waits for");
    }

    /// Waits until the move has ended.
    pub fn wait_for_outcome(&self) -> Outcome {
        let mut outcome = None;
        eventually("the move ends", || {
            let fields = self.move_fields();
            let text = |name: &str| fields[name].clone().text();
            outcome = match &*text("state") {
                "success" => Some(Outcome::Done),
                "failed" | "cancelled" => Some(Outcome::Failed(text("message") + &text("error"))),
                _ => None,
            };
            outcome.is_some()
        });
        outcome.expect("it has ended")
    }
}

/// CLUSTER INFO of a node.
pub fn info(node: &Node) -> String {
    node.ask(&["CLUSTER", "INFO"]).text()
}

/// The newest of a node's moves: those that go on stand first, then those that have ended, the latest first.
fn asked_for(moves: Value) -> BTreeMap<String, Value> {
    moves.array().into_iter().map(fields).next().expect("a move was asked for")
}

fn fields(value: Value) -> BTreeMap<String, Value> {
    value.array().chunks(2).map(|pair| (pair[0].clone().text(), pair[1].clone())).collect()
}
