//! Moves as an operator starts and follows them, for tests of the whole process.

#![allow(dead_code, reason = "each test uses what it needs of this")]

use std::collections::BTreeMap;

use crate::served::{Client, Server, Value, cores, eventually, free_ports, ok};

/// The ids of the nodes, by core.
pub fn node_ids(client: &mut Client) -> Vec<String> {
    let shards = client.ask(&["CLUSTER", "SHARDS"]).array();
    let id = |shard: Value| {
        let mut nodes = fields(shard).remove("nodes").expect("a shard has nodes").array();
        fields(nodes.remove(0)).remove("id").expect("a node has an id").text()
    };
    shards.into_iter().map(id).collect()
}

/// A map, or a flat array, by its names.
pub fn fields(value: Value) -> BTreeMap<String, Value> {
    value.array().chunks(2).map(|pair| (pair[0].clone().text(), pair[1].clone())).collect()
}

/// A server on two cores with one keyspace; nothing on a machine with one CPU.
pub fn shared(options: &[&str]) -> Option<Server> {
    if whimbrel_net::cpus_available().len() < 2 {
        return None;
    }
    Some(Server::start(&[&["--cores", &cores(2)], options].concat()))
}

/// Two nodes on two cores and their ports; nothing on a machine with one CPU.
pub fn clustered(options: &[&str]) -> Option<(Server, [u16; 2])> {
    if whimbrel_net::cpus_available().len() < 2 {
        return None;
    }
    let base = free_ports(2);
    let cores = cores(2);
    let port = base.to_string();
    let own = ["--cores", &cores, "--cluster-enabled", "yes", "--core-port-base", &port];
    Some((Server::start(&[&own[..], options].concat()), [base, base + 1]))
}

/// Asks for a move; gives its name.
pub fn begin(client: &mut Client, first: usize, last: usize, target: &str) -> String {
    let before: Vec<String> = exports(client).into_iter().map(|(name, _)| name).collect();
    let (first, last) = (first.to_string(), last.to_string());
    assert_eq!(client.ask(&["CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", &first, &last, "NODE", target]), ok());
    let mut begun = None;
    eventually("the move is listed", || {
        begun = exports(client).into_iter().map(|(name, _)| name).find(|name| !before.contains(name));
        begun.is_some()
    });
    begun.expect("it is listed")
}

/// The moves that go out of the cores that a client speaks to, with their fields.
pub fn exports(client: &mut Client) -> Vec<(String, BTreeMap<String, Value>)> {
    let reports = client.ask(&["CLUSTER", "GETSLOTMIGRATIONS"]).array().into_iter().map(fields);
    let exports = reports.filter(|report| report["operation"].clone().text() == "EXPORT");
    exports.map(|report| (report["name"].clone().text(), report)).collect()
}

/// Waits until a move is over; gives its fields.
pub fn ended(client: &mut Client, name: &str) -> BTreeMap<String, Value> {
    let mut last = None;
    eventually("the move comes to its end", || {
        last = exports(client).into_iter().find(|(known, _)| known == name).map(|(_, report)| report);
        let state = last.as_ref().map(|report| report["state"].clone().text()).unwrap_or_default();
        matches!(state.as_str(), "success" | "failed" | "cancelled")
    });
    last.expect("it is listed")
}

/// Moves slots and expects that to succeed.
pub fn move_slots(client: &mut Client, first: usize, last: usize, target: &str) {
    let name = begin(client, first, last, target);
    let report = ended(client, &name);
    assert_eq!(report["state"].clone().text(), "success", "{report:?}");
    assert_eq!(report["slots_done"], Value::Integer((last - first + 1) as i64));
}
