//! Slots move between two processes whose map is kept in etcd, under load, with links cut and targets killed: no
//! acknowledged write is lost, and nothing is served by two owners.

mod moving;
mod served;
mod stored;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use moving::{begin, ended, fields, move_slots};
use served::{Client, Server, Value, bulk, cores, eventually, free_ports, ok};
use stored::Etcd;

/// A process of the cluster with one core, and its port.
fn node(etcd: &Etcd, options: &[&str]) -> (Server, u16) {
    let base = free_ports(1);
    let (endpoint, port, cores) = (etcd.endpoint(), base.to_string(), cores(1));
    let own = ["--cluster", "moves", "--etcd", &endpoint, "--core-port-base", &port, "--cores", &cores];
    (Server::start(&[&own[..], &["--cluster-lease-seconds", "3"], options].concat()), base)
}

/// Two processes that know each other; the first one owns all slots.
fn two_nodes(etcd: &Etcd, options: &[&str]) -> [(Server, u16); 2] {
    let nodes = [node(etcd, options), node(etcd, options)];
    let mut first = Client::connect(nodes[0].1);
    authenticate(&mut first, options);
    give_all_slots(&mut first);
    for (_, port) in &nodes {
        let mut client = Client::connect(*port);
        authenticate(&mut client, options);
        eventually("the nodes know each other", || {
            let info = client.ask(&["CLUSTER", "INFO"]).text();
            info.contains("cluster_known_nodes:2\r\n") && info.contains("cluster_slots_assigned:16384\r\n")
        });
    }
    nodes
}

/// Gives all slots to a node, once it is registered.
fn give_all_slots(client: &mut Client) {
    eventually("the node takes the slots", || {
        client.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]) == ok()
    });
}

fn authenticate(client: &mut Client, options: &[&str]) {
    if let Some(place) = options.iter().position(|option| *option == "--requirepass") {
        assert_eq!(client.ask(&["AUTH", options[place + 1]]), ok());
    }
}

fn id(port: u16) -> String {
    Client::connect(port).ask(&["CLUSTER", "MYID"]).text()
}

/// A client that follows redirections.
struct Cluster {
    clients: BTreeMap<u16, Client>,
    known: BTreeMap<String, u16>,
    first: u16,
}

impl Cluster {
    fn connect(first: u16) -> Cluster {
        Cluster { clients: BTreeMap::new(), known: BTreeMap::new(), first }
    }

    fn ask(&mut self, words: &[&str]) -> Value {
        let mut port = *self.known.get(words[1]).unwrap_or(&self.first);
        for _ in 0..5 {
            let client = self.clients.entry(port).or_insert_with(|| Client::connect(port));
            match client.ask(words) {
                Value::Error(text) if text.starts_with("MOVED ") => {
                    port = text.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
                }
                answer => {
                    self.known.insert(words[1].to_owned(), port);
                    return answer;
                }
            }
        }
        panic!("{words:?} is sent to and fro");
    }
}

/// Writes and reads until told to stop, and checks every answer.
fn work(first: u16, number: usize, stop: &AtomicBool) -> BTreeMap<String, String> {
    let (mut cluster, mut written, mut round) = (Cluster::connect(first), BTreeMap::new(), 0_u64);
    while !stop.load(Ordering::Acquire) {
        round += 1;
        let (key, value) = (format!("w{number}:{}", round * 13 % 500), round.to_string());
        assert_eq!(cluster.ask(&["SET", &key, &value]), ok());
        assert_eq!(cluster.ask(&["GET", &key]), bulk(&value));
        assert_eq!(cluster.ask(&["INCR", &format!("count{number}")]), Value::Integer(round as i64));
        written.insert(key, value);
    }
    written
}

/// Runs `act` under load, and reads everything back.
fn under_load(first: u16, act: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3)
            .map(|number| {
                let stop = &stop;
                scope.spawn(move || work(first, number, stop))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(50));
        act();
        stop.store(true, Ordering::Release);
        let mut reader = Cluster::connect(first);
        for worker in workers {
            for (key, value) in worker.join().expect("no client saw anything wrong") {
                assert_eq!(reader.ask(&["GET", &key]), bulk(&value), "{key}");
            }
        }
    });
}

fn fill(port: u16, keys: usize, value: &str) {
    let mut client = Client::connect(port);
    for index in 0..keys {
        client.send(&["SET", &format!("key:{index}"), value]);
        if index % 500 == 499 {
            (0..500).for_each(|_| assert_eq!(client.read(), ok()));
        }
    }
    (0..keys % 500).for_each(|_| assert_eq!(client.read(), ok()));
}

#[test]
fn slots_go_to_another_process_and_back_under_load() {
    let Some(etcd) = Etcd::start() else { return };
    let nodes = two_nodes(&etcd, &[]);
    let ports = [nodes[0].1, nodes[1].1];
    fill(ports[0], 5000, "standing");
    let mut operators = ports.map(Client::connect);
    assert_eq!(operators[0].ask(&["HSET", "hash", "a", "1", "b", "2"]), Value::Integer(2));
    under_load(ports[0], || {
        move_slots(&mut operators[0], 0, 8191, &id(ports[1]));
        move_slots(&mut operators[1], 0, 4095, &id(ports[0]));
    });
    let mut reader = Cluster::connect(ports[1]);
    for index in 0..5000 {
        assert_eq!(reader.ask(&["GET", &format!("key:{index}")]), bulk("standing"));
    }
    assert_eq!(reader.ask(&["HGET", "hash", "b"]), bulk("2"));
    let sizes = operators.each_mut().map(|operator| operator.ask(&["DBSIZE"]).integer());
    assert!(sizes[0] > 3000 && sizes[1] > 1000, "{sizes:?}");
}

#[test]
fn a_cut_link_goes_on_where_it_was() {
    let Some(etcd) = Etcd::start() else { return };
    let [(_one, one_port), (_two, two_port)] = two_nodes(&etcd, &["--migration-rate-max", "4mb"]);
    let (mut first, mut second) = (Client::connect(one_port), Client::connect(two_port));
    fill(one_port, 4000, &"x".repeat(1000));
    let name = begin(&mut first, 0, 16383, &id(two_port));
    // Links are listed as such, and an operator can cut them like any connection.
    let mut cuts = 0;
    let start = Instant::now();
    while cuts < 3 && start.elapsed() < served::PATIENCE {
        let killed = second.ask(&["CLIENT", "KILL", "TYPE", "link"]).integer();
        cuts += usize::from(killed > 0);
        std::thread::sleep(Duration::from_millis(150));
    }
    assert_eq!(cuts, 3, "links are there to be cut");
    assert_eq!(first.ask(&["CONFIG", "SET", "migration-rate-max", "0"]), ok());
    let report = ended(&mut first, &name);
    assert_eq!(report["state"].clone().text(), "success", "{report:?}");
    assert!(report["reconnects"].clone().integer() >= 3, "{report:?}");
    assert_eq!(report["restarts"], Value::Integer(0), "{report:?}");
    // What was under way when the link was cut is sent again, and no more: a window for each cut at the most.
    let (sent, again) = (report["bytes_sent"].clone().integer(), report["bytes_resent"].clone().integer());
    assert!(again < sent / 2, "{again} of {sent} bytes were sent again");
    assert_eq!(second.ask(&["DBSIZE"]), Value::Integer(4000));
    assert_eq!(first.ask(&["DBSIZE"]), Value::Integer(0));
}

#[test]
fn a_target_that_is_killed_leaves_the_source_as_it_was() {
    let Some(etcd) = Etcd::start() else { return };
    let options = ["--migration-rate-max", "2mb", "--migration-link-timeout", "2"];
    let [(_one, one_port), (two, two_port)] = two_nodes(&etcd, &options);
    fill(one_port, 3000, &"x".repeat(1000));
    let mut first = Client::connect(one_port);
    let target = id(two_port);
    under_load(one_port, || {
        let name = begin(&mut first, 0, 16383, &target);
        eventually("the copy has begun", || {
            let reports = moving::exports(&mut first);
            reports
                .iter()
                .any(|(known, report)| *known == name && report["keys_done"].clone().integer() > 100)
        });
        drop(two);
        let report = ended(&mut first, &name);
        assert_eq!(report["state"].clone().text(), "failed", "{report:?}");
        assert!(!report["error"].clone().text().is_empty());
    });
    assert!(first.ask(&["DBSIZE"]).integer() >= 3000);
}

#[test]
fn a_cap_holds_and_a_password_opens_the_link() {
    let Some(etcd) = Etcd::start() else { return };
    let options = [
        "--requirepass",
        "sesame",
        "--masterauth",
        "sesame",
        "--link-rate-max",
        "3mb",
        "--migration-batch-slots",
        "1024",
    ];
    let nodes = two_nodes(&etcd, &options);
    let connect = |port| {
        let mut client = Client::connect(port);
        authenticate(&mut client, &options);
        client
    };
    let [mut first, mut second] = [nodes[0].1, nodes[1].1].map(connect);
    let value = "x".repeat(1000);
    for index in 0..6000 {
        first.send(&["SET", &format!("key:{index}"), &value]);
    }
    (0..6000).for_each(|_| assert_eq!(first.read(), ok()));
    let target = second.ask(&["CLUSTER", "MYID"]).text();
    let start = Instant::now();
    let name = begin(&mut first, 0, 16383, &target);
    let report = ended(&mut first, &name);
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(report["state"].clone().text(), "success", "{report:?}");
    let bytes = report["bytes_sent"].clone().integer() as f64;
    assert!(bytes / seconds < 3.3 * 1024.0 * 1024.0, "{bytes} bytes in {seconds} s");
    assert_eq!(second.ask(&["DBSIZE"]), Value::Integer(6000));
    let imports = second.ask(&["CLUSTER", "GETSLOTMIGRATIONS"]).array();
    assert_eq!(fields(imports[0].clone())["operation"], bulk("IMPORT"));
}

#[test]
fn a_full_target_fails_the_move_and_harms_nothing() {
    let Some(etcd) = Etcd::start() else { return };
    let (one, one_port) = node(&etcd, &[]);
    let (two, two_port) = node(&etcd, &["--maxmemory", "4mb"]);
    let mut first = Client::connect(one_port);
    give_all_slots(&mut first);
    let mut second = Client::connect(two_port);
    for client in [&mut first, &mut second] {
        eventually("the nodes know each other", || {
            client.ask(&["CLUSTER", "INFO"]).text().contains("cluster_known_nodes:2\r\n")
        });
    }
    fill(one_port, 10_000, &"x".repeat(1000));
    let name = begin(&mut first, 0, 16383, &id(two_port));
    let report = ended(&mut first, &name);
    assert_eq!(report["state"].clone().text(), "failed", "{report:?}");
    assert!(report["error"].clone().text().contains("maxmemory"), "{report:?}");
    // Batches that fitted have gone; what did not is at the source, all of it.
    let (stayed, gone) = (first.ask(&["DBSIZE"]).integer(), second.ask(&["DBSIZE"]).integer());
    assert!(stayed > 0 && stayed + gone == 10_000, "{stayed} and {gone} keys");
    let mut reader = Cluster::connect(one_port);
    for index in (0..10_000).step_by(97) {
        assert_eq!(reader.ask(&["GET", &format!("key:{index}")]), bulk(&"x".repeat(1000)));
    }
    drop((one, two));
}
