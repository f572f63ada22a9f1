//! Two processes and an etcd form a cluster: who owns what is the same wherever one asks.

mod served;
mod stored;

use std::time::{Duration, Instant};

use served::{Client, Server, Value, cores, error, eventually, free_ports, ok};
use stored::Etcd;

/// A process of the cluster, and the port of its first node.
fn node(etcd: &Etcd, options: &[&str]) -> (Server, u16) {
    let base = free_ports(2);
    let (endpoint, base_text, cores) = (etcd.endpoint(), base.to_string(), cores(1));
    let mut all = vec!["--cluster", "blue", "--etcd", &endpoint, "--core-port-base", &base_text];
    all.extend(["--cores", &cores, "--cluster-lease-seconds", "2"]);
    all.extend(options);
    (Server::start(&all), base)
}

fn info(client: &mut Client, field: &str) -> String {
    let text = client.ask(&["CLUSTER", "INFO"]).text();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("cluster_{field}:")));
    line.expect("the field").to_owned()
}

fn await_info(client: &mut Client, field: &str, value: &str) {
    eventually(&format!("{field} is {value}"), || info(client, field) == value);
}

#[test]
fn processes_share_the_slots_and_lose_them_to_others_when_they_are_gone() {
    let Some(etcd) = Etcd::start() else { return };
    let ((one, one_port), (mut two, two_port)) = (node(&etcd, &[]), node(&etcd, &[]));
    let (mut first, mut second) = (Client::connect(one_port), Client::connect(two_port));
    for client in [&mut first, &mut second] {
        await_info(client, "known_nodes", "2");
        assert_eq!(info(client, "slots_assigned"), "0");
    }
    assert_eq!(first.ask(&["GET", "foo"]), error("CLUSTERDOWN Hash slot not served"));

    // Slot 5061 holds bar, slot 12182 holds foo.
    assert_eq!(first.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "8191"]), ok());
    assert_eq!(
        second.ask(&["CLUSTER", "ADDSLOTSRANGE", "8190", "8200"]),
        error("ERR Slot 8190 is already busy")
    );
    assert_eq!(second.ask(&["CLUSTER", "ADDSLOTSRANGE", "8192", "16383"]), ok());
    for client in [&mut first, &mut second] {
        await_info(client, "slots_assigned", "16384");
        assert_eq!(info(client, "state"), "ok");
    }
    assert_eq!(first.ask(&["SET", "bar", "1"]), ok());
    assert_eq!(second.ask(&["SET", "foo", "2"]), ok());
    assert_eq!(first.ask(&["GET", "foo"]), error(&format!("MOVED 12182 127.0.0.1:{two_port}")));
    let elsewhere = second.ask(&["CLUSTER", "DELSLOTS", "5061"]);
    assert!(matches!(&elsewhere, Value::Error(text) if text.starts_with("ERR Slot 5061 is served by ")));

    // Slots that a process gives up are empty, whoever has them next.
    assert_eq!(first.ask(&["CLUSTER", "DELSLOTS", "5061"]), ok());
    assert_eq!(first.ask(&["CLUSTER", "ADDSLOTS", "5061"]), ok());
    assert_eq!(first.ask(&["GET", "bar"]), Value::Null);

    two.terminate();
    two.ended();
    await_info(&mut first, "slots_fail", "8192");
    let nodes = first.ask(&["CLUSTER", "NODES"]).text();
    assert!(nodes.contains(" master,fail - 0 0 "), "{nodes}");
    assert!(nodes.lines().any(|line| line.contains(" disconnected 8192-16383")), "{nodes}");
    assert_eq!(first.ask(&["CLUSTER", "ADDSLOTSRANGE", "8192", "16383"]), ok());
    assert_eq!(first.ask(&["GET", "foo"]), Value::Null);
    await_info(&mut first, "known_nodes", "1");
    drop(one);
}

#[test]
fn a_node_stops_serving_before_its_lease_can_have_run_out() {
    let Some(etcd) = Etcd::start() else { return };
    let (_server, port) = node(&etcd, &[]);
    let mut client = Client::connect(port);
    eventually("the slots are given", || client.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]) == ok());
    assert_eq!(client.ask(&["SET", "foo", "1"]), ok());

    etcd.pause();
    let paused = Instant::now();
    let down = error("CLUSTERDOWN The cluster is down");
    let mut served_last = paused;
    eventually("the node stops serving", || {
        let asked = Instant::now();
        let is_down = client.ask(&["GET", "foo"]) == down;
        if !is_down {
            served_last = asked;
        }
        is_down
    });
    // However slow this machine is: what etcd has last heard, it heard before it was paused.
    assert!(served_last.duration_since(paused) < Duration::from_secs(2));
    assert_eq!(client.ask(&["PING"]), Value::Simple("PONG".to_owned()));
    assert_eq!(info(&mut client, "state"), "fail");

    etcd.resume();
    // What it owns is still its own, and still there.
    eventually("the node serves again", || client.ask(&["GET", "foo"]) == served::bulk("1"));
    assert_eq!(info(&mut client, "state"), "ok");
}

#[test]
fn a_registration_that_is_taken_away_is_made_anew() {
    let Some(etcd) = Etcd::start() else { return };
    let (_server, port) = node(&etcd, &[]);
    let mut client = Client::connect(port);
    eventually("the slots are given", || client.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]) == ok());
    assert_eq!(client.ask(&["SET", "foo", "1"]), ok());
    let epoch = info(&mut client, "current_epoch");
    etcd.delete("/whimbrel/blue/nodes/");
    eventually("it registers", || etcd.holds("/whimbrel/blue/nodes/"));
    eventually("it serves again", || client.ask(&["GET", "foo"]) == served::bulk("1"));
    assert_eq!(info(&mut client, "current_epoch"), epoch);
}

#[test]
fn what_a_core_answers_too_late_is_not_told() {
    let Some(etcd) = Etcd::start() else { return };
    let (_server, port) = node(&etcd, &["--enable-debug-command", "yes"]);
    let mut client = Client::connect(port);
    eventually("the slots are given", || client.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]) == ok());
    etcd.pause();
    // One loop runs all three, and ends when the lease has run out.
    let words: [&[&[u8]]; 3] = [&[b"SET", b"foo", b"1"], &[b"DEBUG", b"SLEEP", b"3"], &[b"GET", b"foo"]];
    client.send_raw(&words.map(served::frame).concat());
    assert_eq!(client.read_to_end(), b"");
    etcd.resume();
}

#[test]
fn a_process_that_slept_finds_its_slots_gone_and_drops_what_was_in_them() {
    let Some(etcd) = Etcd::start() else { return };
    let ((one, one_port), (_two, two_port)) = (node(&etcd, &[]), node(&etcd, &[]));
    let (mut first, mut second) = (Client::connect(one_port), Client::connect(two_port));
    eventually("the slots are given", || first.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]) == ok());
    assert_eq!(first.ask(&["SET", "foo", "old"]), ok());
    assert_eq!(first.ask(&["CLUSTER", "DELSLOTS", "0"]), ok());
    assert_eq!(first.ask(&["CLUSTER", "ADDSLOTS", "0"]), ok());
    await_info(&mut second, "slots_assigned", "16384");

    one.pause();
    // As long as it is registered nobody takes its slots.
    eventually("the slot of foo is given anew", || second.ask(&["CLUSTER", "ADDSLOTS", "12182"]) == ok());
    assert_eq!(second.ask(&["SET", "foo", "new"]), ok());
    first.send(&["GET", "foo"]);
    one.resume();
    // It was asked while it slept, and answers anything but what it had.
    let answer = first.read();
    assert!(
        matches!(&answer, Value::Error(text) if text.starts_with("CLUSTERDOWN ") || text.starts_with("MOVED "))
    );
    let moved = error(&format!("MOVED 12182 127.0.0.1:{two_port}"));
    eventually("it knows the new owner", || first.ask(&["GET", "foo"]) == moved);
    assert_eq!(first.ask(&["DBSIZE"]).integer(), 0);
    // The rest is still its own.
    assert_eq!(first.ask(&["SET", "bar", "1"]), ok());
    assert_eq!(second.ask(&["GET", "foo"]), served::bulk("new"));
}

#[test]
fn a_store_that_is_away_for_a_while_changes_nothing() {
    let Some(etcd) = Etcd::start() else { return };
    // Of two endpoints one answers.
    let endpoints = format!("http://127.0.0.1:1,{}", etcd.endpoint());
    let (_server, port) = node(&etcd, &["--cluster-lease-seconds", "600", "--etcd", &endpoints]);
    let mut client = Client::connect(port);
    eventually("the slots are given", || client.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]) == ok());
    etcd.pause();
    assert_eq!(client.ask(&["SET", "foo", "1"]), ok());
    assert_eq!(client.ask(&["GET", "foo"]), served::bulk("1"));
    etcd.resume();
}

#[test]
fn a_process_waits_for_a_store_that_is_not_there_yet() {
    let Some(etcd) = Etcd::start() else { return };
    etcd.pause();
    let (_server, port) = node(&etcd, &["--cluster-announce-ip", "127.0.0.1"]);
    let mut client = Client::connect(port);
    assert_eq!(client.ask(&["GET", "foo"]), error("CLUSTERDOWN The cluster is down"));
    etcd.resume();
    eventually("it takes part", || client.ask(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]) == ok());
    assert_eq!(client.ask(&["SET", "foo", "1"]), ok());
}
