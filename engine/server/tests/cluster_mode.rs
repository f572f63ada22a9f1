//! In cluster mode every core is a node of its own: the maps agree, and keys are reached at their owner alone.

mod served;

use std::collections::{BTreeMap, BTreeSet};

use served::{Client, Server, Value, bulk, cores, error, free_ports, ok};

const SLOTS: i64 = 16384;

/// Two nodes on two cores, their ports, and a client at each; nothing on a machine with one CPU.
fn two_nodes() -> Option<(Server, [u16; 2])> {
    if whimbrel_net::cpus_available().len() < 2 {
        return None;
    }
    let base = free_ports(2);
    let server = Server::start(&[
        "--cores",
        &cores(2),
        "--cluster-enabled",
        "yes",
        "--core-port-base",
        &base.to_string(),
    ]);
    Some((server, [base, base + 1]))
}

/// First and last slot, port and node id of each range.
type Map = BTreeSet<(i64, i64, u16, String)>;

fn port(value: &Value) -> u16 {
    u16::try_from(value.clone().integer()).expect("a port")
}

fn map_of_slots(client: &mut Client) -> Map {
    let ranges = client.ask(&["CLUSTER", "SLOTS"]).array().into_iter().map(Value::array);
    ranges
        .map(|range| {
            let node = range[2].clone().array();
            assert_eq!(node[0], bulk("127.0.0.1"));
            (range[0].clone().integer(), range[1].clone().integer(), port(&node[1]), node[2].clone().text())
        })
        .collect()
}

fn fields(value: Value) -> BTreeMap<String, Value> {
    let values = value.array();
    values.chunks(2).map(|pair| (pair[0].clone().text(), pair[1].clone())).collect()
}

fn map_of_shards(client: &mut Client) -> Map {
    let mut map = Map::new();
    for shard in client.ask(&["CLUSTER", "SHARDS"]).array() {
        let shard = fields(shard);
        let [node] = &shard["nodes"].clone().array()[..] else { panic!("one node serves a shard") };
        let node = fields(node.clone());
        assert_eq!((&node["role"], &node["health"]), (&bulk("master"), &bulk("online")));
        for range in shard["slots"].clone().array().chunks(2) {
            let (first, last) = (range[0].clone().integer(), range[1].clone().integer());
            map.insert((first, last, port(&node["port"]), node["id"].clone().text()));
        }
    }
    map
}

fn map_of_nodes(client: &mut Client) -> Map {
    let mut map = Map::new();
    for line in client.ask(&["CLUSTER", "NODES"]).text().lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let address = words[1].split('@').next().expect("an address before the bus port");
        let port = address.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        for range in &words[8..] {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let number = |text: &str| text.parse().expect("a slot");
            map.insert((number(first), number(last), port, words[0].to_owned()));
        }
    }
    map
}

#[test]
fn all_maps_of_all_nodes_agree() {
    let Some((server, ports)) = two_nodes() else { return };
    let mut ids = BTreeSet::new();
    let mut maps = BTreeSet::new();
    for port in ports {
        let mut client = Client::connect(port);
        let id = client.ask(&["CLUSTER", "MYID"]).text();
        let nodes = client.ask(&["CLUSTER", "NODES"]).text();
        let myself: Vec<&str> = nodes.lines().filter(|line| line.contains("myself")).collect();
        assert!(
            matches!(myself[..], [line] if line.starts_with(&format!("{id} 127.0.0.1:{port}@"))),
            "{nodes}"
        );
        let info = client.ask(&["CLUSTER", "INFO"]).text();
        assert!(info.contains("cluster_state:ok\r\n") && info.contains("cluster_slots_assigned:16384\r\n"));
        assert!(info.contains("cluster_known_nodes:2\r\n") && info.contains("cluster_size:2\r\n"), "{info}");
        ids.insert(id);
        maps.extend([map_of_slots(&mut client), map_of_shards(&mut client), map_of_nodes(&mut client)]);
    }
    // The shared port belongs to whichever core takes the connection.
    maps.insert(map_of_slots(&mut server.client()));
    assert_eq!(ids.len(), 2, "every core is a node of its own");
    assert_eq!(maps.len(), 1, "{maps:#?}");
    let map = maps.pop_first().expect("one map");
    assert_eq!(map.iter().map(|(first, last, ..)| last - first + 1).sum::<i64>(), SLOTS);
    assert_eq!(map.iter().map(|(.., id)| id.clone()).collect::<BTreeSet<_>>(), ids);
}

/// For each slot, a hash tag that lies in it.
fn tags(client: &mut Client) -> Vec<String> {
    let mut tags = vec![String::new(); SLOTS as usize];
    let (mut missing, mut number) = (SLOTS, 0);
    while missing > 0 {
        let names: Vec<String> = (number..number + 1000).map(|number| format!("t{number}")).collect();
        names.iter().for_each(|name| client.send(&["CLUSTER", "KEYSLOT", name]));
        for name in names {
            let tag = &mut tags[client.read().integer() as usize];
            missing -= i64::from(tag.is_empty());
            *tag = name;
        }
        number += 1000;
    }
    tags
}

#[test]
fn keys_are_reached_at_their_owner_alone() {
    let Some((_server, ports)) = two_nodes() else { return };
    let mut clients = ports.map(Client::connect);
    let map = map_of_slots(&mut clients[0]);
    let tags = tags(&mut clients[0]);
    for slot in (0..SLOTS).step_by(100) {
        let key = format!("key:{{{}}}", tags[slot as usize]);
        let (.., owner, _) = map
            .iter()
            .find(|(first, last, ..)| (first..=last).contains(&&slot))
            .expect("every slot has an owner");
        let at = ports.iter().position(|port| port == owner).expect("a node of ours");
        let moved = error(&format!("MOVED {slot} 127.0.0.1:{owner}"));
        let (there, here) = (at, 1 - at);
        for words in [&["SET", &key, "v"][..], &["GET", &key], &["MSET", &key, "v"], &["DEL", &key, &key]] {
            assert_eq!(clients[here].ask(words), moved, "{words:?} in slot {slot}");
        }
        // Following the redirection leads there.
        assert_eq!(clients[there].ask(&["SET", &key, "v"]), ok());
        assert_eq!(clients[there].ask(&["GET", &key]), bulk("v"));
        assert_eq!(clients[there].ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot.to_string()]), Value::Integer(1));
        assert_eq!(
            clients[there].ask(&["CLUSTER", "GETKEYSINSLOT", &slot.to_string(), "10"]),
            Value::Array(vec![bulk(&key)])
        );
    }
    let counts = clients.each_mut().map(|client| client.ask(&["DBSIZE"]).integer());
    assert_eq!(counts, [82, 82], "each node counts its own keys");
}

#[test]
fn keys_of_several_slots_are_refused_whoever_owns_them() {
    let Some((_server, ports)) = two_nodes() else { return };
    let crossslot = error("CROSSSLOT Keys in request don't hash to the same slot");
    for port in ports {
        let mut client = Client::connect(port);
        for words in [
            &["MSET", "a", "1", "b", "2"][..],
            &["MGET", "a", "b", "c"],
            &["DEL", "foo", "bar"],
            &["RENAME", "a", "b"],
            &["EXISTS", "a", "b"],
        ] {
            assert_eq!(client.ask(words), crossslot, "{words:?}");
        }
        assert_eq!(client.ask(&["SELECT", "0"]), ok());
        assert!(matches!(client.ask(&["SELECT", "1"]), Value::Error(_)));
        assert_eq!(client.ask(&["READONLY"]), ok());
        assert_eq!(client.ask(&["READWRITE"]), ok());
        assert_eq!(client.ask(&["ASKING"]), ok());
    }
    let mut clients = ports.map(Client::connect);
    let answers = clients.each_mut().map(|client| client.ask(&["MSET", "{t}1", "x", "{t}2", "y"]));
    assert!(answers.contains(&ok()) && answers.iter().any(|answer| matches!(answer, Value::Error(_))));
}
