//! A RESP server in a thread, small enough to be read, with what a load generator can meet.
#![allow(dead_code, reason = "every test file uses its own part of it")]

use std::collections::HashMap;
use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use whimbrel_bench::cluster::slot::slot_of;
use whimbrel_bench::wire::value::Value;

/// Where a slot lives, as seen by one node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Here,
    Moved(u16),
    Ask(u16),
}

type Placement = Box<dyn Fn(u16, u64) -> Place + Send + Sync>;

/// What a server does beside answering.
#[derive(Default)]
pub struct Behaviour {
    /// AUTH must come first, with this password.
    pub password: Option<&'static str>,
    /// The command of this number is answered only after this pause.
    pub stall: Option<(u64, Duration)>,
    /// Where slots live, given the slot and the number of the command; `None` outside of cluster mode.
    pub placement: Option<Placement>,
    /// First and last slot and port of each node, as CLUSTER SLOTS tells it.
    pub slots: Vec<(u16, u16, u16)>,
}

/// A running server; its threads end with the test process.
pub struct TinyServer {
    pub port: u16,
    pub state: Arc<State>,
}

#[derive(Default)]
pub struct State {
    pub behaviour: Behaviour,
    pub commands: AtomicU64,
    pub keys: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
}

impl State {
    pub fn served(&self) -> u64 {
        self.commands.load(Ordering::SeqCst)
    }
}

/// A port that is free for a server that is to know it before it starts.
pub fn reserve() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

impl TinyServer {
    pub fn start(behaviour: Behaviour) -> Self {
        let (listener, _) = reserve();
        Self::on(listener, behaviour)
    }

    pub fn on(listener: TcpListener, behaviour: Behaviour) -> Self {
        let state = Arc::new(State { behaviour, ..State::default() });
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state): (TcpStream, _) = (stream.unwrap(), Arc::clone(&shared));
                stream.set_nodelay(true).unwrap();
                thread::spawn(move || serve(&state, stream.try_clone().unwrap(), stream));
            }
        });
        Self { port, state }
    }

    pub fn on_unix(path: &PathBuf, behaviour: Behaviour) -> Arc<State> {
        let state = Arc::new(State { behaviour, ..State::default() });
        let listener = UnixListener::bind(path).unwrap();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state): (UnixStream, _) = (stream.unwrap(), Arc::clone(&shared));
                thread::spawn(move || serve(&state, stream.try_clone().unwrap(), stream));
            }
        });
        state
    }
}

fn serve(state: &State, input: impl Read, mut output: impl Write) {
    let mut input = BufReader::new(input);
    let (mut asking, mut trusted) = (false, state.behaviour.password.is_none());
    while let Ok(command) = Value::read(&mut input) {
        let words: Vec<Vec<u8>> = command
            .list()
            .unwrap()
            .iter()
            .map(|word| if let Value::Text(bytes) = word { bytes.clone() } else { Vec::new() })
            .collect();
        let name = String::from_utf8_lossy(&words[0]).to_ascii_uppercase();
        let reply = match name.as_str() {
            "AUTH" => {
                trusted = words.last().map(Vec::as_slice) == state.behaviour.password.map(str::as_bytes);
                if trusted { b"+OK\r\n".to_vec() } else { b"-WRONGPASS\r\n".to_vec() }
            }
            _ if !trusted => b"-NOAUTH Authentication required.\r\n".to_vec(),
            "ASKING" => {
                asking = true;
                b"+OK\r\n".to_vec()
            }
            "CLUSTER" => cluster_slots(&state.behaviour.slots),
            _ => answer(state, &name, &words, std::mem::take(&mut asking)),
        };
        if output.write_all(&reply).is_err() {
            return;
        }
    }
}

fn answer(state: &State, name: &str, words: &[Vec<u8>], asking: bool) -> Vec<u8> {
    let number = state.commands.fetch_add(1, Ordering::SeqCst);
    if let Some((at, pause)) = state.behaviour.stall
        && at == number
    {
        thread::sleep(pause);
    }
    if let (Some(placement), Some(key)) = (&state.behaviour.placement, words.get(1))
        && !asking
    {
        let slot = slot_of(key);
        match placement(slot, number) {
            Place::Here => {}
            Place::Moved(port) => return format!("-MOVED {slot} 127.0.0.1:{port}\r\n").into_bytes(),
            Place::Ask(port) => return format!("-ASK {slot} 127.0.0.1:{port}\r\n").into_bytes(),
        }
    }
    let mut keys = state.keys.lock().unwrap();
    match (name, words) {
        ("PING", _) => b"+PONG\r\n".to_vec(),
        ("SET", [_, key, value, ..]) => {
            keys.insert(key.clone(), value.clone());
            b"+OK\r\n".to_vec()
        }
        ("GET", [_, key]) => match keys.get(key) {
            Some(value) => [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat(),
            None => b"$-1\r\n".to_vec(),
        },
        _ => b"-ERR unknown command\r\n".to_vec(),
    }
}

fn cluster_slots(slots: &[(u16, u16, u16)]) -> Vec<u8> {
    let mut reply = format!("*{}\r\n", slots.len());
    for (first, last, port) in slots {
        reply += &format!("*3\r\n:{first}\r\n:{last}\r\n*3\r\n$9\r\n127.0.0.1\r\n:{port}\r\n$2\r\nid\r\n");
    }
    reply.into_bytes()
}
