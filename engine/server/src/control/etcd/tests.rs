//! The worker against a real etcd, and through a proxy that loses requests or answers.

#[path = "../../../tests/stored/mod.rs"]
mod stored;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use stored::Etcd;
use whimbrel_engine::key::SlotId;
use whimbrel_engine::topology::{Heir, HeirId, MapNode, NodeId, SlotMap};
use whimbrel_net::mailbox_mesh;

use super::gateway::{Gateway, Repeat};
use super::is_taken_away;
use super::keys::Keys;
use super::outbox::{Outbox, Said};
use super::view::{View, write_registration};
use super::watcher::{Ended, Watcher, read_all};
use super::wire::{self, Compare};
use super::worker::Worker;
use crate::control::change::{AssignError, Assignment, Conclusion};
use crate::control::codec;
use crate::control::lease::Lease;

const TIMEOUT: Duration = Duration::from_secs(20);

fn node(process: u64) -> MapNode {
    MapNode {
        id: NodeId::derived(process, 0),
        process: NodeId::of_process(process),
        host: "127.0.0.1".to_owned(),
        port: 7000,
        incarnation: 0,
    }
}

fn slot(number: usize) -> SlotId {
    SlotId::new(number).unwrap()
}

/// Processes 1 and 2 are registered, and 1 owns all slots.
struct Bench {
    direct: Gateway,
    keys: Keys,
    worker: Worker,
    view: View,
    source: u64,
    target: u64,
    _heard: Receiver<Said>,
}

impl Bench {
    fn new(etcd: &Etcd, endpoint: &str) -> Bench {
        let keys = Keys::new("test");
        let mut direct = Gateway::new(&[etcd.endpoint()], TIMEOUT);
        let source = register(&mut direct, &keys, 1);
        let target = register(&mut direct, &keys, 2);
        let map = SlotMap::even(1, 0, vec![node(1)]).unwrap();
        put(&mut direct, &keys, &keys.map, &codec::encode_owners(&map));
        let (sender, heard) = sync_channel(1024);
        let waker = mailbox_mesh::<()>(1, 1).unwrap()[0].waker();
        let lease = Lease::none();
        lease.begin(source, u64::MAX - 1);
        let worker = Worker {
            gateway: Gateway::new(&[endpoint.to_owned()], TIMEOUT),
            keys: keys.clone(),
            process: NodeId::of_process(1),
            own: vec![node(1)],
            lease: Arc::new(lease),
            outbox: Outbox::new(sender, waker),
            open: BTreeMap::new(),
        };
        let mut bench = Bench { direct, keys, worker, view: View::default(), source, target, _heard: heard };
        bench.view = bench.stored();
        bench
    }

    /// What the store holds now.
    fn stored(&mut self) -> View {
        let mut view = View::default();
        let (_, update) = read_all(&mut self.direct, &self.keys).unwrap();
        view.apply(&self.keys, update);
        view
    }

    fn owner(&mut self, number: usize) -> NodeId {
        let map = self.stored().slot_map(&[]);
        map.owner(slot(number)).expect("an owner").id
    }

    fn heir(&self, number: usize) -> Heir {
        Heir {
            id: HeirId { job: 1, number: number as u32, life: 1 },
            source: node(1).id,
            source_incarnation: self.source,
            target: node(2).id,
            target_incarnation: self.target,
            slots: vec![slot(number)],
        }
    }

    /// Has the slot's heir named, by what was known at first.
    fn appoint(&mut self, number: usize) -> Option<Result<Vec<u8>, String>> {
        let heir = self.heir(number);
        self.worker.appoint(&mut self.view.clone(), &heir, false)
    }

    fn conclude(&mut self, number: usize, how: Conclusion) -> bool {
        let heir = self.heir(number);
        self.worker.conclude(&mut self.view.clone(), &heir.id, how, false)
    }

    /// Has a slot change hands.
    fn hand_over(&mut self, number: usize) {
        assert!(matches!(self.appoint(number), Some(Ok(_))));
        assert!(self.conclude(number, Conclusion::Commit));
    }

    fn is_named(&mut self, number: usize) -> bool {
        let id = self.heir(number).id;
        self.stored().slot_map(&[]).heir(&id).is_some()
    }
}

fn register(gateway: &mut Gateway, keys: &Keys, process: u64) -> u64 {
    let key = keys.registration(&NodeId::of_process(process));
    let delete = json!({"key": wire::base64(&key)});
    gateway.post("/v3/kv/deleterange", &delete, Repeat::Freely).unwrap();
    put(gateway, keys, &key, &write_registration(&[node(process)]))
}

fn put(gateway: &mut Gateway, keys: &Keys, key: &str, value: &[u8]) -> u64 {
    let body = wire::transaction(&[], key, value, None, &keys.prefix);
    let answer = gateway.post("/v3/kv/txn", &body, Repeat::Freely).unwrap();
    wire::transacted(&answer).unwrap().revision
}

/// What a proxy does with the next request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loss {
    Nothing,
    Request,
    Answer,
}

/// Stands between the worker and etcd.
struct Proxy {
    endpoint: String,
    /// What happens to the request after so many others.
    loss: Arc<Mutex<(usize, Loss)>>,
    /// The last request that was lost.
    lost: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    fn before(etcd: &Etcd) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (loss, lost) = (Arc::new(Mutex::new((0, Loss::Nothing))), Arc::new(Mutex::new(Vec::new())));
        let proxy = Proxy { endpoint, loss: Arc::clone(&loss), lost: Arc::clone(&lost) };
        let etcd = etcd.endpoint();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                // One request a connection: the other end takes a new one for the next.
                let Some(request) = read_message(&mut stream) else { continue };
                let loss = next(&mut loss.lock().unwrap());
                if loss == Loss::Request {
                    *lost.lock().unwrap() = request;
                    continue;
                }
                let answer = forward(&etcd, &request);
                if loss == Loss::Nothing {
                    let _ = stream.write_all(&answer);
                }
            }
        });
        proxy
    }

    /// Loses the next request, or its answer, after so many others.
    fn lose(&self, others: usize, loss: Loss) {
        *self.loss.lock().unwrap() = (others, loss);
    }
}

fn next(loss: &mut (usize, Loss)) -> Loss {
    match loss.0.checked_sub(1) {
        Some(others) => {
            loss.0 = others;
            Loss::Nothing
        }
        None => std::mem::replace(&mut loss.1, Loss::Nothing),
    }
}

fn forward(etcd: &str, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(etcd.trim_start_matches("http://")).unwrap();
    stream.write_all(request).unwrap();
    let answer = read_message(&mut stream).unwrap();
    let text = String::from_utf8(answer).unwrap();
    text.replacen("\r\n", "\r\nConnection: close\r\n", 1).into_bytes()
}

/// A head and as many bytes as it announces.
fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        message.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&message).to_lowercase();
        let Some(end) = text.find("\r\n\r\n") else { continue };
        let length = text[..end].lines().find_map(|line| line.strip_prefix("content-length:"))?;
        if message.len() >= end + 4 + length.trim().parse::<usize>().ok()? {
            return Some(message);
        }
    }
}

#[test]
fn an_heir_is_named_and_has_its_slots_under_the_next_epochs() {
    let Some(etcd) = Etcd::start() else { return };
    let mut bench = Bench::new(&etcd, &etcd.endpoint());
    let Some(Ok(map)) = bench.appoint(7) else { panic!("not named") };
    let map = codec::decode(&map).unwrap();
    assert_eq!((map.epoch(), map.owner(slot(7)).unwrap().id), (2, node(1).id));
    assert_eq!(map.heir(&bench.heir(7).id), Some(&bench.heir(7)));
    // What this process knows is old by now; the store knows better.
    assert!(matches!(bench.appoint(7), Some(Ok(_))));
    // Either side says so.
    for _ in 0..2 {
        assert!(bench.conclude(7, Conclusion::Commit));
        assert_eq!((bench.owner(7), bench.stored().slot_map(&[]).epoch()), (node(2).id, 3));
    }
    assert!(matches!(bench.appoint(7), Some(Err(reason)) if reason.contains("changed hands")));
}

#[test]
fn an_heir_that_is_withdrawn_leaves_the_slots_where_they_were() {
    let Some(etcd) = Etcd::start() else { return };
    let mut bench = Bench::new(&etcd, &etcd.endpoint());
    assert!(matches!(bench.appoint(7), Some(Ok(_))));
    assert!(bench.conclude(7, Conclusion::Withdraw));
    assert!(!bench.is_named(7));
    // A word that comes too late changes nothing.
    assert!(bench.conclude(7, Conclusion::Commit));
    assert_eq!(bench.owner(7), node(1).id);
}

#[test]
fn a_map_that_has_moved_on_is_never_overwritten() {
    let Some(etcd) = Etcd::start() else { return };
    let mut bench = Bench::new(&etcd, &etcd.endpoint());
    // Somebody else changes the map behind this process' back.
    bench.hand_over(7);
    bench.hand_over(8);
    assert_eq!((bench.owner(7), bench.owner(8), bench.owner(9)), (node(2).id, node(2).id, node(1).id));
    assert_eq!(bench.stored().slot_map(&[]).epoch(), 5);
}

#[test]
fn nobody_takes_part_who_registered_anew() {
    let Some(etcd) = Etcd::start() else { return };
    let mut bench = Bench::new(&etcd, &etcd.endpoint());
    register(&mut bench.direct, &bench.keys, 2);
    assert!(matches!(bench.appoint(7), Some(Err(reason)) if reason.starts_with("the target")));
    let mut bench = Bench::new(&etcd, &etcd.endpoint());
    register(&mut bench.direct, &bench.keys, 1);
    assert!(matches!(bench.appoint(7), Some(Err(reason)) if reason.starts_with("the source")));
    assert!(!bench.is_named(7));
}

#[test]
fn a_word_counts_though_its_giver_is_gone() {
    let Some(etcd) = Etcd::start() else { return };
    let mut bench = Bench::new(&etcd, &etcd.endpoint());
    assert!(matches!(bench.appoint(7), Some(Ok(_))));
    let key = bench.keys.registration(&NodeId::of_process(1));
    let delete = json!({"key": wire::base64(&key)});
    bench.direct.post("/v3/kv/deleterange", &delete, Repeat::Freely).unwrap();
    // An operator cannot give away what the heir may have.
    let give = Assignment::Give(node(2).id, vec![slot(7)]);
    let map = bench.stored().slot_map(&[]);
    let error = give.apply(&map, &NodeId::of_process(2)).unwrap_err();
    assert_eq!(error, AssignError::HasHeir(slot(7), node(2).id));
    assert!(bench.conclude(7, Conclusion::Commit));
    assert_eq!(bench.owner(7), node(2).id);
}

#[test]
fn what_is_not_known_is_tried_again_until_it_is() {
    let Some(etcd) = Etcd::start() else { return };
    for loss in [Loss::Request, Loss::Answer] {
        let proxy = Proxy::before(&etcd);
        let mut bench = Bench::new(&etcd, &proxy.endpoint);
        proxy.lose(0, loss);
        assert_eq!(bench.appoint(7), None);
        assert!(matches!(bench.appoint(7), Some(Ok(_))));
        proxy.lose(0, loss);
        // It reads the map first: what was known at first does not name the heir.
        bench.view = bench.stored();
        assert!(!bench.conclude(7, Conclusion::Commit));
        assert!(bench.conclude(7, Conclusion::Commit));
        assert_eq!((bench.owner(7), bench.is_named(7)), (node(2).id, false));
    }
}

#[test]
fn a_request_that_arrives_late_does_no_harm() {
    let Some(etcd) = Etcd::start() else { return };
    let proxy = Proxy::before(&etcd);
    let mut bench = Bench::new(&etcd, &proxy.endpoint);
    proxy.lose(0, Loss::Request);
    assert_eq!(bench.appoint(7), None);
    // The source has given the batch up meanwhile, and an heir of another batch was named.
    let mut other = bench.heir(7);
    other.id.number = 99;
    assert!(matches!(bench.worker.appoint(&mut bench.view.clone(), &other, false), Some(Ok(_))));
    let answer = String::from_utf8(forward(&etcd.endpoint(), &proxy.lost.lock().unwrap())).unwrap();
    assert!(answer.contains("200 OK") && !answer.contains("\"succeeded\":true"), "{answer}");
    assert_eq!(bench.stored().slot_map(&[]).heirs(), [other]);
}

#[test]
fn a_swap_compares_what_it_was_worked_out_from() {
    let Some(etcd) = Etcd::start() else { return };
    let mut bench = Bench::new(&etcd, &etcd.endpoint());
    let keys = bench.keys.clone();
    let changed = bench.view.map_changed().unwrap();
    let (key, value) = (keys.map.clone(), codec::encode_owners(&bench.view.slot_map(&[])));
    let mut swap = |changed| {
        let body =
            wire::transaction(&[Compare::Changed(key.clone(), changed)], &key, &value, None, &keys.prefix);
        wire::transacted(&bench.direct.post("/v3/kv/txn", &body, Repeat::IfUnsent).unwrap()).unwrap()
    };
    assert!(swap(changed).succeeded);
    assert!(!swap(changed).succeeded && !swap(0).succeeded);
}

#[test]
fn a_registration_is_gone_when_nothing_as_new_is_shown() {
    for (revision, shown, registered, expected) in [
        (9, 5, 5, false),
        (9, 0, 5, true),
        // What is shown is older than the registration.
        (4, 0, 5, false),
        // A registration of this process that was made just now, the first one among them.
        (9, 8, 5, false),
        (2, 2, 0, false),
        (2, 0, 0, false),
    ] {
        assert_eq!(is_taken_away(revision, shown, registered), expected, "{revision} {shown} {registered}");
    }
}

#[test]
fn a_watch_hears_changes_in_order_until_they_are_thrown_away() {
    let Some(etcd) = Etcd::start() else { return };
    let mut bench = Bench::new(&etcd, &etcd.endpoint());
    let begun = bench.view.revision();
    let (sender, heard) = sync_channel(1024);
    let mut watcher = Watcher {
        gateway: Gateway::new(&[etcd.endpoint()], TIMEOUT),
        keys: bench.keys.clone(),
        outbox: Outbox::new(sender, mailbox_mesh::<()>(1, 1).unwrap()[0].waker()),
        stopping: Arc::default(),
    };
    bench.hand_over(7);
    let target = register(&mut bench.direct, &bench.keys, 2);
    let watching = std::thread::spawn(move || {
        let mut last = Some(begun);
        (watcher.watch(&mut last, begun), watcher)
    });
    let mut view = bench.view.clone();
    while view.incarnation(&bench.keys, &NodeId::of_process(2)) != target {
        let Said::Read(update) = heard.recv().unwrap() else { panic!("a watch decides nothing") };
        assert!(view.apply(&bench.keys, update));
    }
    assert_eq!(view.slot_map(&[]).owner(slot(7)).unwrap().id, node(2).id);
    drop(etcd);
    let (ended, mut watcher) = watching.join().unwrap();
    assert!(matches!(ended, Ok(Ended::Cut)));

    let Some(etcd) = Etcd::start() else { return };
    let mut bench = Bench::new(&etcd, &etcd.endpoint());
    let now = bench.view.revision();
    bench.direct.post("/v3/kv/compaction", &json!({"revision": now.to_string()}), Repeat::Freely).unwrap();
    watcher.gateway = Gateway::new(&[etcd.endpoint()], TIMEOUT);
    assert!(matches!(watcher.watch(&mut None, 1), Ok(Ended::Compacted)));
}
