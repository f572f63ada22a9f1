//! A cluster-aware connection of one client: it knows who owns which slot and follows redirections.

use std::collections::HashMap;

use whimbrel_engine::key::SlotId;

use super::cluster::Cluster;
use crate::served::{Client, Value, frame};

/// Attempts of one batch before a client gives up on what is left of it.
const ROUNDS_MAX: usize = 2000;

/// What became of one command of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The owner's answer.
    Value(Value),
    /// Nobody knows: the connection ended first.
    Unknown,
    /// Nobody took it: the owner does not live.
    Refused,
}

/// Connections to both nodes and a map.
pub struct Link {
    addresses: [String; 2],
    clients: [Option<Client>; 2],
    /// Node of each slot.
    owners: Vec<u8>,
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
        Link { addresses, clients, owners: vec![0; 16_384], redirects: 0, errors: HashMap::new() }
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
                open.into_iter().for_each(|index| replies[index] = Some(Reply::Refused));
                break;
            }
            if round > 0 {
                self.refresh();
            }
            let mut waits = false;
            for node in 0..2 {
                let owned = |&index: &usize| self.owners[slot_of(&commands[index])] == node as u8;
                let batch: Vec<usize> = open.iter().copied().filter(owned).collect();
                waits |= self.ask_node(node, &batch, commands, &mut replies);
            }
            if waits {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        }
        replies.into_iter().map(|reply| reply.expect("every command was settled")).collect()
    }

    /// Returns whether something is to be asked again a little later.
    fn ask_node(
        &mut self,
        node: usize,
        batch: &[usize],
        commands: &[Vec<Vec<u8>>],
        replies: &mut [Option<Reply>],
    ) -> bool {
        if batch.is_empty() {
            return false;
        }
        if self.clients[node].is_none() {
            self.clients[node] = Client::try_connect_to(&self.addresses[node]);
        }
        let Some(client) = &mut self.clients[node] else {
            batch.iter().for_each(|&index| replies[index] = Some(Reply::Refused));
            return true;
        };
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
                    let slot = slot_of(&commands[index]);
                    self.owners[slot] = owner.unwrap_or_else(|| panic!("{text} leads nowhere")) as u8;
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

    /// Takes over the map of whoever answers.
    fn refresh(&mut self) {
        for client in self.clients.iter_mut().flatten() {
            if let Some(Value::Array(ranges)) = client.try_ask(&["CLUSTER", "SLOTS"]) {
                for range in ranges {
                    let range = range.array();
                    let node = range[2].clone().array();
                    let address = format!("{}:{}", node[0].clone().text(), node[1].clone().integer());
                    let owner = self.addresses.iter().position(|known| *known == address);
                    let Some(owner) = owner else { continue };
                    let (first, last) = (range[0].clone().integer(), range[1].clone().integer());
                    self.owners[first as usize..=last as usize].fill(owner as u8);
                }
                return;
            }
        }
    }
}

/// Slot of a command's first key.
fn slot_of(command: &[Vec<u8>]) -> usize {
    SlotId::of(&command[1]).number()
}
