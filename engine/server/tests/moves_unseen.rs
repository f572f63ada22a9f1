//! Slots move to and fro between the cores of one keyspace, and clients see nothing of it: no error, no lost write, nothing
//! half done, nothing out of order.

mod moving;
mod served;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use moving::{begin, ended, move_slots, node_ids, shared};
use served::{Client, Value, bulk, error, ok};

/// Keys that nobody changes while slots move.
const STANDING: usize = 3000;

/// Clients that write and read.
const CLIENTS: usize = 3;

/// Writes and reads in pipelines until told to stop, and checks every answer; what each key holds at the end.
fn work(
    mut client: Client,
    number: usize,
    stop: &AtomicBool,
    rounds: &AtomicU64,
) -> BTreeMap<String, String> {
    let mut written = BTreeMap::new();
    let mut round = 0_u64;
    while !stop.load(Ordering::Acquire) {
        round += 1;
        let value = format!("{number}-{round}");
        let key = |index: u64| format!("w{number}:{index}");
        let keys: Vec<String> = (0..6).map(|step| key((round * 7 + step * 31) % 400)).collect();
        for key in &keys {
            client.send(&["SET", key, "overwritten"]);
            client.send(&["SET", key, &value]);
            client.send(&["GET", key]);
        }
        // Four keys of both cores, always written together.
        let together: Vec<String> = (0..4).map(|index| format!("m{number}:{index}")).collect();
        let mset: Vec<&str> =
            ["MSET"].into_iter().chain(together.iter().flat_map(|key| [key.as_str(), &value])).collect();
        client.send(&mset);
        client.send(&[&["MGET"], &together.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat());
        client.send(&["INCR", &format!("count{number}")]);
        client.send(&["HSET", &format!("h{number}:{}", round % 50), "field", &value]);
        for key in &keys {
            assert_eq!([client.read(), client.read(), client.read()], [ok(), ok(), bulk(&value)], "{key}");
            written.insert(key.clone(), value.clone());
        }
        assert_eq!(client.read(), ok());
        assert_eq!(client.read(), Value::Array(vec![bulk(&value); 4]));
        assert_eq!(client.read(), Value::Integer(round as i64));
        assert!(matches!(client.read(), Value::Integer(_)));
        together.into_iter().for_each(|key| drop(written.insert(key, value.clone())));
        rounds.fetch_add(1, Ordering::Relaxed);
    }
    written
}

/// Reads the four keys of each writer at once until told to stop: they never differ.
fn watch(mut client: Client, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        for number in 0..CLIENTS {
            let keys: Vec<String> = (0..4).map(|index| format!("m{number}:{index}")).collect();
            let values =
                client.ask(&[&["MGET"], &keys.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat());
            let distinct: BTreeSet<String> =
                values.array().iter().map(|value| format!("{value:?}")).collect();
            assert_eq!(distinct.len(), 1, "keys that are written together are read together");
        }
    }
}

/// Scans everything until told to stop: what stands there the whole time comes up every time.
fn scan(mut client: Client, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) {
        let (mut cursor, mut standing) = ("0".to_owned(), BTreeSet::new());
        loop {
            let answer = client.ask(&["SCAN", &cursor, "COUNT", "200"]).array();
            for key in answer[1].clone().array() {
                let key = key.text();
                if key.starts_with("standing:") {
                    standing.insert(key);
                }
            }
            cursor = answer[0].clone().text();
            if cursor == "0" {
                break;
            }
        }
        assert_eq!(standing.len(), STANDING, "a scan shows every key that is there throughout");
    }
}

#[test]
fn nobody_notices_that_slots_move() {
    let Some(server) = shared(&[]) else { return };
    let mut operator = server.client();
    let ids = node_ids(&mut operator);
    for index in 0..STANDING {
        operator.send(&["SET", &format!("standing:{index}"), &index.to_string()]);
    }
    (0..STANDING).for_each(|_| assert_eq!(operator.read(), ok()));
    let (stop, rounds) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let (client, stop, rounds) = (server.client(), &stop, &rounds);
                scope.spawn(move || work(client, number, stop, rounds))
            })
            .collect();
        let (watcher, scanner) = (server.client(), server.client());
        scope.spawn(|| watch(watcher, &stop));
        scope.spawn(|| scan(scanner, &stop));
        for round in 0..3 {
            let before = rounds.load(Ordering::Relaxed);
            // Half of core 0's slots, and a few of core 1's, at the same time; then back.
            let (one, other) = (&ids[1 - round % 2], &ids[round % 2]);
            let first = begin(&mut operator, 0, 4095, one);
            let second = begin(&mut operator, 9000, 9999, other);
            for name in [first, second] {
                let report = ended(&mut operator, &name);
                assert_eq!(report["state"].clone().text(), "success", "{report:?}");
            }
            served::eventually("clients go on", || rounds.load(Ordering::Relaxed) > before + 5);
        }
        stop.store(true, Ordering::Release);
        for worker in workers {
            for (key, value) in worker.join().expect("no client saw anything wrong") {
                assert_eq!(operator.ask(&["GET", &key]), bulk(&value), "{key}");
            }
        }
    });
    for index in 0..STANDING {
        assert_eq!(operator.ask(&["GET", &format!("standing:{index}")]), bulk(&index.to_string()));
    }
}

#[test]
fn a_move_leaves_nothing_behind_and_flushes_go_with_it() {
    let Some(server) = shared(&[]) else { return };
    let mut client = server.client();
    let ids = node_ids(&mut client);
    for index in 0..2000 {
        assert_eq!(client.ask(&["SET", &format!("key:{index}"), "v", "EX", "1000"]), ok());
    }
    assert_eq!(client.ask(&["HSET", "hash", "a", "1", "b", "2"]), Value::Integer(2));
    move_slots(&mut client, 0, 8191, &ids[1]);
    assert_eq!(client.ask(&["DBSIZE"]), Value::Integer(2001));
    assert_eq!(client.ask(&["HGET", "hash", "b"]), bulk("2"));
    assert!(client.ask(&["TTL", "key:7"]).integer() > 900);
    // All slots are core 1's: FLUSHALL while they go back leaves nothing on either.
    let name = begin(&mut client, 0, 16383, &ids[0]);
    assert_eq!(client.ask(&["FLUSHALL"]), ok());
    assert_eq!(client.ask(&["SET", "later", "v"]), ok());
    assert_eq!(ended(&mut client, &name)["state"].clone().text(), "success");
    assert_eq!(client.ask(&["DBSIZE"]), Value::Integer(1));
    assert_eq!(client.ask(&["KEYS", "*"]), Value::Array(vec![bulk("later")]));
    assert_eq!(client.ask(&["GET", "later"]), bulk("v"));
}

#[test]
fn moves_are_planned_estimated_and_cancelled() {
    let Some(server) = shared(&["--migration-rate-max", "1mb", "--migration-batch-slots", "512"]) else {
        return;
    };
    let mut client = server.client();
    let ids = node_ids(&mut client);
    let value = "x".repeat(1000);
    for index in 0..8000 {
        client.send(&["SET", &format!("key:{index}"), &value]);
    }
    (0..8000).for_each(|_| assert_eq!(client.read(), ok()));
    let dry = client.ask(&["CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", "0", "8191", "NODE", &ids[1], "DRYRUN"]);
    let dry = moving::fields(dry.array().remove(0));
    assert_eq!(dry["slots"], Value::Integer(8192));
    let (keys, seconds) = (dry["keys"].clone().integer(), dry["seconds"].clone().integer());
    assert!((3000..5000).contains(&keys) && (3..10).contains(&seconds), "{dry:?}");
    // At this cap it takes a while.
    let name = begin(&mut client, 0, 8191, &ids[1]);
    let planned = begin(&mut client, 10_000, 10_001, &ids[0]);
    let words = ["CLUSTER", "MIGRATESLOTS", "SLOTSRANGE", "8000", "8000", "NODE", &ids[1]];
    assert_eq!(client.ask(&words), error("ERR I am already migrating slot 8000."));
    assert_eq!(ended(&mut client, &planned)["state"].clone().text(), "success");
    let nobody = "0".repeat(40);
    let words = ["CLUSTER", "CANCELSLOTMIGRATIONS", &nobody];
    assert!(matches!(client.ask(&words), Value::Error(_)));
    assert_eq!(client.ask(&["CLUSTER", "CANCELSLOTMIGRATIONS", &name]), ok());
    let report = ended(&mut client, &name);
    assert_eq!(report["state"].clone().text(), "cancelled", "{report:?}");
    assert!(report["slots_done"].clone().integer() < 8192);
    assert_eq!(client.ask(&["CLUSTER", "CANCELSLOTMIGRATIONS"]), error("ERR No migrations ongoing"));
    // What went has gone, the rest is where it was, and all of it can go again, without a cap.
    assert_eq!(client.ask(&["DBSIZE"]), Value::Integer(8000));
    assert_eq!(client.ask(&["CONFIG", "SET", "migration-rate-max", "0"]), ok());
    let ranges = client.ask(&["CLUSTER", "SHARDS"]).array().remove(0);
    let ranges = moving::fields(ranges).remove("slots").expect("a shard has slots").array();
    for range in ranges.chunks(2) {
        let (first, last) = (range[0].clone().integer() as usize, range[1].clone().integer() as usize);
        if last < 8192 {
            move_slots(&mut client, first, last, &ids[1]);
        }
    }
    for index in 0..8000 {
        client.send(&["GET", &format!("key:{index}")]);
    }
    (0..8000).for_each(|_| assert_eq!(client.read(), bulk(&value)));
    let info = client.ask(&["INFO", "migration"]).text();
    assert!(
        info.contains("migration_cancelled:1\r\n") && info.contains("migration_outgoing:0\r\n"),
        "{info}"
    );
}
