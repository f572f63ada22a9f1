//! What concurrent clients may see: commands over several cores are atomic, and a single key is linearizable.

mod served;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use served::{Client, Server, Value, cores};

fn integer(value: &Value) -> i64 {
    match value {
        Value::Bulk(text) => String::from_utf8_lossy(text).parse().expect("a number"),
        other => panic!("no number: {other:?}"),
    }
}

/// A generator of numbers that look random, for programs that differ by their seed alone.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn transfers_between_cores_never_change_the_sum() {
    const ACCOUNTS: usize = 8;
    const TRANSFERS: usize = 1500;
    let server = Server::start(&["--cores", &cores(2)]);
    let names: Vec<String> = (0..ACCOUNTS).map(|number| format!("account:{number}")).collect();
    let mut set = vec!["MSET"];
    names.iter().for_each(|name| set.extend([name.as_str(), "0"]));
    assert_eq!(server.client().ask(&set), Value::Simple("OK".to_owned()));
    let done = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    for seed in 0..3 {
        // Each writer spreads its own pattern over all accounts; every pattern sums to zero.
        let (mut client, names) = (server.client(), names.clone());
        threads.push(thread::spawn(move || {
            let mut random = Random(seed);
            for _ in 0..TRANSFERS {
                let mut amounts: Vec<i64> = (1..ACCOUNTS).map(|_| random.below(1000) as i64 - 500).collect();
                amounts.push(-amounts.iter().sum::<i64>());
                let amounts: Vec<String> = amounts.iter().map(i64::to_string).collect();
                let mut words = vec!["MSET"];
                names
                    .iter()
                    .zip(&amounts)
                    .for_each(|(name, amount)| words.extend([name.as_str(), amount.as_str()]));
                assert_eq!(client.ask(&words), Value::Simple("OK".to_owned()));
            }
        }));
    }
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (mut client, names, done) = (server.client(), names.clone(), Arc::clone(&done));
            thread::spawn(move || {
                let mut words = vec!["MGET"];
                words.extend(names.iter().map(String::as_str));
                let mut reads = 0;
                while !done.load(Ordering::Relaxed) {
                    let Value::Array(values) = client.ask(&words) else { panic!("MGET answers an array") };
                    assert_eq!(values.iter().map(integer).sum::<i64>(), 0, "a transfer was seen half done");
                    reads += 1;
                }
                reads
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("a writer"));
    done.store(true, Ordering::Relaxed);
    let reads: usize = readers.into_iter().map(|thread| thread.join().expect("a reader")).sum();
    assert!(reads > 0);
}

#[test]
fn a_token_that_is_renamed_between_cores_is_always_in_one_place() {
    const PLACES: usize = 6;
    let server = Server::start(&["--cores", &cores(2)]);
    let names: Vec<String> = (0..PLACES).map(|number| format!("place:{number}")).collect();
    server.client().ask(&["SET", &names[0], "token"]);
    let done = Arc::new(AtomicBool::new(false));
    let movers: Vec<_> = (0..3)
        .map(|seed| {
            let (mut client, names) = (server.client(), names.clone());
            thread::spawn(move || {
                let mut random = Random(seed + 77);
                for _ in 0..1500 {
                    let from = random.below(PLACES as u64) as usize;
                    let to = random.below(PLACES as u64) as usize;
                    match client.ask(&["RENAME", &names[from], &names[to]]) {
                        Value::Simple(_) => {}
                        Value::Error(text) => assert_eq!(text, "ERR no such key"),
                        other => panic!("{other:?}"),
                    }
                }
            })
        })
        .collect();
    let watcher = {
        let (mut client, names, done) = (server.client(), names.clone(), Arc::clone(&done));
        thread::spawn(move || {
            let mut words = vec!["EXISTS"];
            words.extend(names.iter().map(String::as_str));
            while !done.load(Ordering::Relaxed) {
                assert_eq!(client.ask(&words), Value::Integer(1), "the token is in one place");
            }
        })
    };
    movers.into_iter().for_each(|thread| thread.join().expect("a mover"));
    done.store(true, Ordering::Relaxed);
    watcher.join().expect("the watcher");
}

/// One operation on a key: when it was sent, when its reply came, and what it did.
#[derive(Clone, Copy, Debug)]
struct Operation {
    sent: u64,
    answered: u64,
    /// The value that was written, or that was read; 0 is no value.
    value: u64,
    is_write: bool,
}

/// Whether some order of the operations, each at an instant between sending and answer, explains all reads. Searches by
/// the smallest pending operations, remembering what was tried.
fn is_linearizable(operations: &[Operation]) -> bool {
    let mut tried = std::collections::HashSet::new();
    let mut stack = vec![(0u128, 0u64)];
    let all = (1u128 << operations.len()) - 1;
    while let Some((done, value)) = stack.pop() {
        if done == all {
            return true;
        }
        if !tried.insert((done, value)) {
            continue;
        }
        let open = |at: &usize| done & (1 << at) == 0;
        let first_answer =
            (0..operations.len()).filter(open).map(|at| operations[at].answered).min().unwrap_or(0);
        for at in (0..operations.len()).filter(open) {
            let operation = operations[at];
            if operation.sent > first_answer || (!operation.is_write && operation.value != value) {
                continue;
            }
            stack.push((done | 1 << at, if operation.is_write { operation.value } else { value }));
        }
    }
    false
}

#[test]
fn the_checker_tells_right_histories_from_wrong_ones() {
    let op = |sent, answered, value, is_write| Operation { sent, answered, value, is_write };
    assert!(is_linearizable(&[op(0, 10, 1, true), op(1, 2, 0, false), op(3, 4, 1, false)]));
    assert!(
        !is_linearizable(&[op(0, 10, 1, true), op(1, 2, 1, false), op(3, 4, 0, false)]),
        "a read went back"
    );
    assert!(!is_linearizable(&[op(0, 1, 1, true), op(2, 3, 0, false)]), "a write was lost");
}

#[test]
fn single_keys_are_linearizable_under_clients_of_all_cores() {
    const CLIENTS: usize = 6;
    const ROUNDS: usize = 60;
    const OPERATIONS: usize = 12;
    let server = Server::start(&["--cores", &cores(2)]);
    let clock = Arc::new(AtomicU64::new(1));
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| server.client()).collect();
    for round in 0..ROUNDS {
        let key = format!("register:{round}");
        let history = Arc::new(Mutex::new(Vec::new()));
        thread::scope(|scope| {
            for (number, client) in clients.iter_mut().enumerate() {
                let (clock, history, key) = (Arc::clone(&clock), Arc::clone(&history), key.clone());
                scope.spawn(move || {
                    let mut random = Random((round * CLIENTS + number) as u64);
                    for step in 0..OPERATIONS {
                        let is_write = random.below(2) == 0;
                        let written = (number * OPERATIONS + step + 1) as u64;
                        let sent = clock.fetch_add(1, Ordering::SeqCst);
                        let value = if is_write {
                            client.ask(&["SET", &key, &written.to_string()]);
                            written
                        } else {
                            match client.ask(&["GET", &key]) {
                                Value::Null => 0,
                                value => integer(&value) as u64,
                            }
                        };
                        let answered = clock.fetch_add(1, Ordering::SeqCst);
                        history.lock().expect("no panic").push(Operation { sent, answered, value, is_write });
                    }
                });
            }
        });
        let history = history.lock().expect("no panic");
        assert!(is_linearizable(&history), "round {round}: {history:?}");
    }
}
