//! In cluster mode slots move to and fro between nodes of one process, and clients see nothing but MOVED.

mod moving;
mod served;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use moving::{clustered, move_slots, node_ids};
use served::{Client, Value, bulk, ok};

/// A client that follows redirections, and counts them.
struct Cluster {
    clients: [Client; 2],
    ports: [u16; 2],
    /// Where each key was found last.
    known: BTreeMap<String, usize>,
    redirects: u64,
}

impl Cluster {
    fn connect(ports: [u16; 2]) -> Cluster {
        Cluster { clients: ports.map(Client::connect), ports, known: BTreeMap::new(), redirects: 0 }
    }

    fn ask(&mut self, words: &[&str]) -> Value {
        let mut at = *self.known.get(words[1]).unwrap_or(&0);
        for _ in 0..5 {
            match self.clients[at].ask(words) {
                Value::Error(text) if text.starts_with("MOVED ") => {
                    let port = text.rsplit(':').next().and_then(|port| port.parse().ok());
                    at = self.ports.iter().position(|known| Some(*known) == port).expect("a node of ours");
                    self.redirects += 1;
                }
                answer => {
                    self.known.insert(words[1].to_owned(), at);
                    return answer;
                }
            }
        }
        panic!("{words:?} is sent to and fro");
    }
}

fn work(mut cluster: Cluster, number: usize, stop: &AtomicBool) -> BTreeMap<String, String> {
    let (mut written, mut round) = (BTreeMap::new(), 0_u64);
    while !stop.load(Ordering::Acquire) {
        round += 1;
        let (key, value) = (format!("w{number}:{}", round * 13 % 300), round.to_string());
        assert_eq!(cluster.ask(&["SET", &key, &value]), ok());
        assert_eq!(cluster.ask(&["GET", &key]), bulk(&value));
        assert_eq!(cluster.ask(&["INCR", &format!("count{number}")]), Value::Integer(round as i64));
        written.insert(key, value);
    }
    // A key is sent elsewhere once for each time that its slot moved, and once to be found.
    assert!(cluster.redirects <= 301 * 5, "{} redirects", cluster.redirects);
    written
}

#[test]
fn clients_see_nothing_but_moved() {
    let Some((server, ports)) = clustered(&[]) else { return };
    let mut nodes = ports.map(Client::connect);
    let ids = node_ids(&mut nodes[0]);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3)
            .map(|number| {
                let stop = &stop;
                scope.spawn(move || work(Cluster::connect(ports), number, stop))
            })
            .collect();
        for round in 0..4 {
            let (source, target) = (round % 2, 1 - round % 2);
            move_slots(&mut nodes[source], 1000, 8191, &ids[target]);
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        stop.store(true, Ordering::Release);
        let mut reader = Cluster::connect(ports);
        for worker in workers {
            for (key, value) in worker.join().expect("no client saw anything wrong") {
                assert_eq!(reader.ask(&["GET", &key]), bulk(&value), "{key}");
            }
        }
    });
    let maps = nodes.each_mut().map(|node| format!("{:?}", node.ask(&["CLUSTER", "SLOTS"])));
    assert_eq!(maps[0], maps[1]);
    let epoch = nodes[0].ask(&["CLUSTER", "INFO"]).text();
    assert!(!epoch.contains("cluster_current_epoch:1\r\n"), "{epoch}");
    drop(server);
}

#[test]
fn a_node_moves_its_own_slots_alone() {
    let Some((_server, ports)) = clustered(&[]) else { return };
    let mut nodes = ports.map(Client::connect);
    let ids = node_ids(&mut nodes[0]);
    let words = ["CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", "0", "5", "NODE", &ids[0]];
    assert_eq!(nodes[1].ask(&words), served::error("ERR Slots are not served by this node."));
    move_slots(&mut nodes[0], 0, 5, &ids[1]);
    let imports = nodes[1].ask(&["CLUSTER", "GETSLOTMIGRATIONS"]).array();
    let import = moving::fields(imports[0].clone());
    assert_eq!(import["operation"], bulk("IMPORT"));
    assert_eq!((&import["slot_ranges"], &import["state"]), (&bulk("0-5"), &bulk("success")));
    move_slots(&mut nodes[1], 0, 5, &ids[0]);
}

#[test]
fn clients_that_asked_for_it_are_told_in_resp3() {
    let Some((_server, ports)) = clustered(&["--migration-batch-slots", "100"]) else { return };
    let mut nodes = ports.map(Client::connect);
    let ids = node_ids(&mut nodes[0]);
    let mut told = Client::connect(ports[0]);
    told.send(&["HELLO", "3"]);
    told.read();
    let words = ["CLIENT", "MAINT_NOTIFICATIONS", "ON", "moving-endpoint-type", "internal-ip"];
    assert_eq!(told.ask(&words), ok());
    move_slots(&mut nodes[0], 5, 120, &ids[1]);
    let mut moved = Vec::new();
    for batch in 0..2 {
        let migrating = told.read().array();
        assert_eq!(migrating[0], bulk("SMIGRATING"), "batch {batch}");
        let migrated = told.read().array();
        assert_eq!((&migrated[0], migrating.len(), migrated.len()), (&bulk("SMIGRATED"), 3, 3));
        let entry = migrated[2].clone().array().remove(0).array();
        assert_eq!(entry[0], bulk(&format!("127.0.0.1:{}", ports[0])));
        assert_eq!(entry[1], bulk(&format!("127.0.0.1:{}", ports[1])));
        assert_eq!(entry[2], migrating[2], "what began to move is what moved");
        moved.push(entry[2].clone().text());
    }
    moved.sort();
    assert_eq!(moved, ["105-120", "5-104"]);
    assert_eq!(told.ask(&["PING"]), Value::Simple("PONG".to_owned()));
}
