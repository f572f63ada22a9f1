//! Tests of commands as data: `GET k -> $1 v`, one line per command.
//!
//! A reply is written as on the wire, with a blank for each line break and none at the end: `+OK`, `:1`, `$1 v`,
//! `*2 $1 a $1 b`, `$-1`, `-ERR syntax error`. Bytes that do not print appear as `\x00`. Around it:
//!
//! * `2> PING -> +PONG` speaks as client 2 (clients 1 to 9 appear when they first speak; 1 is the default).
//! * `KEYS * -> ~ *2 $1 a $1 b` accepts the words of the reply in any order.
//! * `INFO -> ...role:master...` asks for the texts between the dots, in this order.
//! * `@after 1500` lets 1500 ms pass; `@config requirepass secret` sets a parameter; `# …` is a comment.
//! * `@cores 2` starts again as core 0 of two cluster nodes, which own one half of the slots each.
//!
//! Requests are split like inline commands: `"a b"`, `'c'` and `"\x00\n"` work as in redis-cli.

use crate::commands::{Executed, execute, finish};
use crate::config::Config;
use crate::core::{Action, Core, CoreParts, Now};
use crate::key::HashSeed;
use crate::resp::{OwnedArguments, Reply, split_inline};
use crate::session::{Session, SessionIndex};
use crate::shard::{Shard, ShardLimits};
use crate::topology::{Node, NodeId, NodeIndex, Topology};

/// Runs a script on a fresh core and panics at the first reply that differs.
#[track_caller]
pub fn check(script: &str) {
    Bench::default().check(script);
}

/// A core with its clients, for tests that do more than one script.
pub struct Bench {
    /// The core that commands run on.
    pub core: Core,
    /// The time.
    pub now: Now,
    /// How long each command takes.
    pub elapsed_ns: u64,
    /// What commands asked of the process, but for closing connections.
    pub actions: Vec<Action>,
    clients: [Option<SessionIndex>; 10],
}

impl Default for Bench {
    fn default() -> Self {
        let now = Now { unix_ms: 1_700_000_000_000, monotonic_us: 1_000_000 };
        Self { core: core(1, now), now, elapsed_ns: 0, actions: Vec::new(), clients: [None; 10] }
    }
}

impl Bench {
    /// A bench whose commands take this long.
    pub fn taking(elapsed_ns: u64) -> Self {
        Self { elapsed_ns, ..Self::default() }
    }

    /// Runs a script; see the module's text.
    #[track_caller]
    pub fn check(&mut self, script: &str) {
        for line in script.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
            if line.starts_with('#') {
                continue;
            }
            if let Some(directive) = line.strip_prefix('@') {
                self.direct(directive.trim());
                continue;
            }
            let (request, expected) = line.split_once(" ->").unwrap_or_else(|| panic!("no `->` in {line:?}"));
            let (client, request) = match request.as_bytes() {
                [digit @ b'0'..=b'9', b'>', ..] => ((digit - b'0') as usize, &request[2..]),
                _ => (1, request),
            };
            let answer = self.ask(client, request);
            let expected = expected.strip_prefix(' ').unwrap_or(expected);
            assert!(matches(expected, &answer), "{request}\n expected {expected}\n      got {answer}");
        }
    }

    /// Sends one request as `client` and shows the reply as scripts write it. Connections that are to close do, so
    /// that the same client's next request comes from a new one.
    pub fn ask(&mut self, client: usize, request: &str) -> String {
        let words = split(request);
        let index = *self.clients[client].get_or_insert_with(|| {
            self.core.sessions.insert(Session {
                created: self.now,
                active: self.now,
                authenticated: !self.core.needs_password(),
                peer: format!("127.0.0.1:5000{client}"),
                local: "127.0.0.1:6379".to_owned(),
                ..Session::default()
            })
        });
        let mut session = self.core.sessions.take(index);
        let mut reply = Reply::new(session.protocol);
        let executed = execute(&mut self.core, &mut session, &mut reply, self.now, &words.view());
        finish(&mut self.core, &session, self.now, executed, &words.view(), self.elapsed_ns);
        let is_closing = session.closing.is_some();
        self.core.sessions.put(index, session);
        if is_closing {
            self.close(index);
        }
        for action in std::mem::take(&mut self.core.actions) {
            match action {
                Action::Close(index) => self.close(index),
                other => self.actions.push(other),
            }
        }
        if matches!(executed, Executed::Held) { "(held)".to_owned() } else { show(&reply.into_bytes()) }
    }

    fn close(&mut self, index: SessionIndex) {
        self.core.sessions.remove(index);
        self.clients.iter_mut().filter(|client| **client == Some(index)).for_each(|client| *client = None);
    }

    fn direct(&mut self, directive: &str) {
        match directive.split_once(' ') {
            Some(("after", ms)) => {
                let ms: u64 = ms.parse().expect("milliseconds");
                self.now.unix_ms += ms;
                self.now.monotonic_us += ms * 1000;
            }
            Some(("config", setting)) => {
                let (name, value) = setting.split_once(' ').expect("a parameter and its value");
                let set = self.core.config.set(&[(name.as_bytes(), value.as_bytes())]);
                set.expect("a parameter that may change while the server runs");
            }
            Some(("cores", count)) => {
                self.core = core(count.parse().expect("a number of cores"), self.now);
                self.core.config.cluster_enabled = true;
                self.clients = [None; 10];
            }
            _ => panic!("unknown directive @{directive}"),
        }
    }
}

/// Core 0 of `count`, each a node that owns its even share of the slots.
fn core(count: u16, started: Now) -> Core {
    let node = |core: u16| Node {
        id: NodeId::derived(1, core),
        shard: NodeId::derived(2, core),
        host: String::new(),
        port: 7000 + core,
        core: Some(core),
        incarnation: 1,
    };
    let topology = Topology::even((0..count).map(node).collect(), NodeIndex::new(0));
    let shard = Shard::new(HashSeed(1), ShardLimits::default()).expect("address space");
    Core::new(CoreParts { index: 0, count, shard, config: Config::default(), topology, seed: 7, started })
}

fn matches(expected: &str, answer: &str) -> bool {
    if let Some(expected) = expected.strip_prefix("~ ") {
        let sorted = |text: &str| {
            let mut words: Vec<_> = text.split(' ').map(str::to_owned).collect();
            words.sort();
            words
        };
        return sorted(expected) == sorted(answer);
    }
    let Some((head, rest)) = expected.split_once("...") else {
        return expected.trim_end() == answer.trim_end();
    };
    let Some(mut answer) = answer.strip_prefix(head) else { return false };
    let pieces: Vec<_> = rest.split("...").collect();
    for (index, piece) in pieces.iter().enumerate() {
        if index + 1 == pieces.len() {
            return answer.ends_with(piece);
        }
        match answer.find(piece) {
            Some(at) => answer = &answer[at + piece.len()..],
            None => return false,
        }
    }
    true
}

fn show(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", " ");
    let mut shown = String::new();
    for c in text.trim_end_matches(' ').chars() {
        match c {
            c if c.is_control() => shown.push_str(&format!("\\x{:02x}", c as u32)),
            c => shown.push(c),
        }
    }
    shown
}

fn split(request: &str) -> OwnedArguments {
    let (mut bytes, mut ranges) = (Vec::new(), Vec::new());
    split_inline(request.as_bytes(), 0, &mut bytes, &mut ranges).expect("balanced quotes");
    ranges.iter().map(|range| &bytes[range.range()]).collect()
}
