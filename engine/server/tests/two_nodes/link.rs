//! A cluster-aware connection of one client: it knows who owns which slot and follows redirections.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use whimbrel_engine::key::SlotId;

use super::cluster::Cluster;
use crate::served::{Client, Value, frame};

/// Attempts of one batch before a client gives up on what is left of it.
const ROUNDS_MAX: usize = 2000;
/// Rest before a batch is asked again that nobody serves yet.
const REST: Duration = Duration::from_millis(2);

/// What became of one command of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The owner's answer.
    Value(Value),
    /// Nobody knows: the connection ended first.
    Unknown,
    /// Nobody took it: the owner does not live, as the newest map of whoever lives says.
    Refused,
    /// Nobody took it, although the owner lives.
    Unserved,
}

/// Connections to both nodes and a map.
pub struct Link {
    addresses: [String; 2],
    clients: [Option<Client>; 2],
    /// Node of each slot; none if the map names nobody that clients can reach.
    owners: Vec<Option<u8>>,
    /// Redirections that were followed.
    pub redirects: u64,
    /// Errors that a user would have been shown, and how often.
    pub errors: HashMap<String, u64>,
}

impl Link {
    /// A client that has not asked for a map yet, and starts at the source.
    pub fn new(cluster: &Cluster) -> Link {
        let addresses = [cluster.source().address.clone(), cluster.target().address.clone()];
        let clients = [cluster.source().try_client(), cluster.target().try_client()];
        Link { addresses, clients, owners: vec![Some(0); 16_384], redirects: 0, errors: HashMap::new() }
    }

    /// Sends commands, each with its key behind its name, to whoever owns the keys and gives the replies in order.
    pub fn ask_all(&mut self, commands: &[Vec<Vec<u8>>]) -> Vec<Reply> {
        let mut replies: Vec<Option<Reply>> = vec![None; commands.len()];
        for round in 0.. {
            let open: Vec<usize> = (0..commands.len()).filter(|&index| replies[index].is_none()).collect();
            if open.is_empty() {
                break;
            }
            if round == ROUNDS_MAX {
                open.into_iter().for_each(|index| replies[index] = Some(Reply::Unserved));
                break;
            }
            // An owner that cannot be reached may have handed over before: whoever lives knows. Who waits asks again, too.
            let is_refreshed = round > 0 && self.refresh();
            let mut waits = false;
            for owner in [Some(0), Some(1), None] {
                let owned = |&index: &usize| self.owners[slot_of(&commands[index])] == owner;
                let batch: Vec<usize> = open.iter().copied().filter(owned).collect();
                if batch.is_empty() {
                    continue;
                }
                let lives = match owner {
                    Some(node) => self.reach(node.into()),
                    None => self.reach(0) && self.reach(1),
                };
                match owner {
                    Some(node) if lives => {
                        waits |= self.ask_node(node.into(), &batch, commands, &mut replies)
                    }
                    None if lives => waits = true,
                    _ if is_refreshed => {
                        batch.iter().for_each(|&index| replies[index] = Some(Reply::Refused));
                    }
                    _ => {}
                }
            }
            if waits {
                thread::sleep(REST);
            }
        }
        replies.into_iter().map(|reply| reply.expect("every command was settled")).collect()
    }

    /// Connects to a node unless that was done; whether it lives.
    fn reach(&mut self, node: usize) -> bool {
        if self.clients[node].is_none() {
            self.clients[node] = Client::try_connect_to(&self.addresses[node]);
        }
        self.clients[node].is_some()
    }

    /// Asks a node that was reached. Returns whether something is to be asked again a little later.
    fn ask_node(
        &mut self,
        node: usize,
        batch: &[usize],
        commands: &[Vec<Vec<u8>>],
        replies: &mut [Option<Reply>],
    ) -> bool {
        let client = self.clients[node].as_mut().expect("the node was reached");
        let mut bytes = Vec::new();
        for &index in batch {
            let words: Vec<&[u8]> = commands[index].iter().map(Vec::as_slice).collect();
            bytes.extend(frame(&words));
        }
        let mut is_lost = !client.try_send_raw(&bytes);
        let mut waits = false;
        for &index in batch {
            let reply = if is_lost { None } else { client.try_read() };
            match reply {
                None => {
                    is_lost = true;
                    replies[index] = Some(Reply::Unknown);
                }
                Some(Value::Error(text)) if text.starts_with("MOVED ") => {
                    self.redirects += 1;
                    let address = text.split(' ').nth(2).unwrap_or_default();
                    let owner = self.addresses.iter().position(|known| known == address);
                    let owner = owner.unwrap_or_else(|| panic!("{text} leads nowhere"));
                    self.owners[slot_of(&commands[index])] = Some(owner as u8);
                }
                Some(Value::Error(text)) => {
                    let kind = text.split(' ').next().unwrap_or_default().to_owned();
                    *self.errors.entry(kind.clone()).or_default() += 1;
                    if matches!(&*kind, "CLUSTERDOWN" | "TRYAGAIN") {
                        // Not executed: it may be asked again.
                        waits = true;
                    } else {
                        replies[index] = Some(Reply::Value(Value::Error(text)));
                    }
                }
                Some(value) => replies[index] = Some(Reply::Value(value)),
            }
        }
        if is_lost {
            self.clients[node] = None;
        }
        waits
    }

    /// Takes over the map of whoever answers; whether somebody did.
    fn refresh(&mut self) -> bool {
        let ask = |client: &mut Client| client.try_ask(&["CLUSTER", "SLOTS"]);
        let Some(Value::Array(ranges)) = self.clients.iter_mut().flatten().find_map(ask) else {
            return false;
        };
        self.owners.fill(None);
        for range in ranges {
            let range = range.array();
            let node = range[2].clone().array();
            let address = format!("{}:{}", node[0].clone().text(), node[1].clone().integer());
            let owner = self.addresses.iter().position(|known| *known == address);
            let (first, last) = (range[0].clone().integer(), range[1].clone().integer());
            self.owners[first as usize..=last as usize].fill(owner.map(|owner| owner as u8));
        }
        true
    }
}

/// Slot of a command's first key.
fn slot_of(command: &[Vec<u8>]) -> usize {
    SlotId::of(&command[1]).number()
}
