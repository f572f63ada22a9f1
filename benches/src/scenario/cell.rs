//! What one measurement is made of: the keys that are there and the load on them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::load::plan::{Bound, Pace, Plan, Server, Waiting};
use crate::traffic::keys::Distribution;
use crate::traffic::template::{Fillings, NUMBER_WIDTH};
use crate::traffic::workload::{FillKind, Preset, Ratio, WeightedCommand, fill_command, preset_commands};

/// Commands that go out together while keys are filled in.
const FILL_PIPELINE: usize = 256;
/// Connections that fill.
const FILL_CLIENTS: usize = 8;
/// Nodes of a cluster in a scenario.
const CLUSTER_NODES: usize = 2;
/// Stands before a key's digits.
const KEY_PREFIX: &str = "key:";
/// Stands before the key of a hash.
const HASH_PREFIX: &str = "hash:";
/// Bytes of a field's name: `field:000000`.
const FIELD_BYTES: u64 = 12;
/// Replies that take longer are kept where the machine's stalls are watched.
const KEPT_FROM: Duration = Duration::from_micros(100);
/// Bound of `__rand__`.
const RANDOM_BELOW: u64 = 1_000_000;

/// The keys that a server holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// Number of keys.
    pub keys: u64,
    /// Bytes of a value, or of the value of a field.
    pub value_bytes: usize,
    /// Fields of each key when keys are hashes; strings when 0.
    pub fields: u64,
    /// Time to live of every key.
    pub ttl_seconds: Option<u64>,
}

impl Dataset {
    /// Strings without a time to live.
    pub const fn strings(keys: u64, value_bytes: usize) -> Self {
        Self { keys, value_bytes, fields: 0, ttl_seconds: None }
    }

    /// Bytes of a key with its value: what a user has handed over.
    pub fn payload_bytes(&self) -> u64 {
        let key = (KEY_PREFIX.len() + NUMBER_WIDTH) as u64;
        if self.fields == 0 {
            key + self.value_bytes as u64
        } else {
            HASH_PREFIX.len() as u64 + key + self.fields * (FIELD_BYTES + self.value_bytes as u64)
        }
    }

    /// In words, for a table's head.
    pub fn words(&self) -> String {
        let ttl = if self.ttl_seconds.is_some() { ", with TTL" } else { "" };
        let what = match self.fields {
            0 => format!("{}-byte values", self.value_bytes),
            fields => format!("hashes of {fields} fields with {}-byte values", self.value_bytes),
        };
        format!("{} keys, {what}{ttl}", grouped(self.keys))
    }

    /// The run that writes every key once.
    pub fn fill_plan(&self, server: Server, client_cpus: &[usize]) -> Plan {
        let kind = if self.fields == 0 { FillKind::String } else { FillKind::Hash };
        Plan {
            clients: FILL_CLIENTS,
            pipeline: FILL_PIPELINE,
            commands: vec![fill_command(kind, self.fields, self.ttl_seconds)],
            distribution: Distribution::Sequential,
            bound: Bound::Requests(self.keys),
            ..self.plan(server, client_cpus)
        }
    }

    fn plan(&self, server: Server, client_cpus: &[usize]) -> Plan {
        Plan {
            server,
            clients: 1,
            threads: 1,
            cpus: client_cpus.to_vec(),
            pipeline: 1,
            congestion: None,
            commands: Vec::new(),
            fillings: Fillings {
                key_prefix: KEY_PREFIX.to_owned(),
                value: Fillings::value_of(self.value_bytes),
                fields: self.fields.max(1),
                random_below: RANDOM_BELOW,
            },
            distribution: Distribution::Uniform,
            key_first: 0,
            keys: self.keys,
            pace: Pace::Closed,
            waiting: Waiting::Spin,
            bound: Bound::Requests(0),
            kept_from: None,
            seed: 1,
        }
    }
}

/// The load of one measurement.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Names it in tables and results, e.g. `GET P16 c50`.
    pub name: String,
    /// What is sent.
    pub commands: Vec<WeightedCommand>,
    /// Commands that go out together.
    pub pipeline: usize,
    /// Connections.
    pub clients: usize,
    /// Closed, or open at a rate.
    pub pace: Pace,
    /// Whether the tail is told without what the machine's own stalls have spoilt, too.
    pub is_watched: bool,
    /// What Whimbrel is to reach.
    pub targets: Vec<Target>,
}

/// A bound on Whimbrel's CPU time per operation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Whose CPU time it is measured by.
    pub against: Reference,
    /// Whimbrel's CPU time over theirs.
    pub ratio_max: f64,
}

/// Who a target is measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// The peer that needs least CPU time in the same cell.
    BestPeer,
    /// The server that only answers.
    Floor,
    /// The first server of the scenario.
    First,
}

impl Cell {
    /// A preset in a closed loop.
    pub fn closed(preset: Preset, pipeline: usize, clients: usize, targets: &[Target]) -> Self {
        Self {
            name: format!("{} P{pipeline} c{clients}", format!("{preset:?}").to_uppercase()),
            commands: preset_commands(preset, Ratio { sets: 1, gets: 1 }, false),
            pipeline,
            clients,
            pace: Pace::Closed,
            is_watched: false,
            targets: targets.to_vec(),
        }
    }

    /// The run that measures it. A client of a cluster has a connection to each node and shares its pipeline out among them, so
    /// there are fewer with longer ones: as many connections with as many commands under way on each as with one node.
    pub fn plan(
        &self,
        dataset: &Dataset,
        server: Server,
        client_cpus: &[usize],
        (warm_up, measured): (Duration, Duration),
        seed: u64,
    ) -> Plan {
        let parts = if server.cluster && self.pipeline > 1 { CLUSTER_NODES } else { 1 };
        Plan {
            clients: self.clients / parts,
            pipeline: self.pipeline * parts,
            commands: self.commands.clone(),
            pace: self.pace,
            bound: Bound::Time { warm_up, measured },
            kept_from: self.is_watched.then_some(KEPT_FROM),
            seed,
            ..dataset.plan(server, client_cpus)
        }
    }
}

/// Digits in groups of three.
pub fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::workload::Protocol;
    use crate::wire::control::Credentials;
    use crate::wire::socket::Address;

    #[test]
    fn payload_counts_what_the_user_handed_over() {
        assert_eq!(Dataset::strings(1, 64).payload_bytes(), 80);
        let hashes = Dataset { fields: 16, ..Dataset::strings(1, 8) };
        assert_eq!(hashes.payload_bytes(), 21 + 16 * 20);
    }

    #[test]
    fn clients_of_a_cluster_are_fewer_with_longer_pipelines() {
        let plan = |pipeline, cluster| {
            let server = Server {
                address: Address::Tcp("localhost".into(), 1),
                credentials: Credentials::default(),
                protocol: Protocol::Resp,
                cluster,
            };
            let cell = Cell::closed(Preset::Get, pipeline, 50, &[]);
            let plan = cell.plan(&Dataset::strings(1, 64), server, &[], Default::default(), 1);
            (plan.clients, plan.pipeline)
        };
        assert_eq!([plan(16, false), plan(16, true), plan(1, true)], [(50, 16), (25, 32), (50, 1)]);
    }

    #[test]
    fn numbers_are_grouped() {
        for (value, wanted) in [(0, "0"), (999, "999"), (1000, "1_000"), (20_000_000, "20_000_000")] {
            assert_eq!(grouped(value).replace('\u{202f}', "_"), wanted);
        }
    }
}
