//! A client that writes at a steady pace into a few slots of one class and notes how long each reply took.

use std::io;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::cluster::redirect::Redirect;
use crate::cluster::slot::slot_of;
use crate::traffic::template::Fillings;
use crate::wire::control::{Control, Credentials};
use crate::wire::socket::Address;
use crate::wire::value::Value;

/// Time between two writes of a class. A stall is seen from the first write that is due in it, so this is by how much
/// it may be longer than the worst reply.
const PERIOD: Duration = Duration::from_micros(250);
/// Slots of a class that take turns: slots that change hands one after the other are all seen.
pub const SLOTS: u16 = 16;
/// Bytes of a value.
const VALUE_BYTES: usize = 512;
/// Redirections that one write follows.
const REDIRECTS_MAX: u32 = 1000;
/// Wait before a write that is refused for the moment goes out again.
const RETRY: Duration = Duration::from_millis(1);

/// A write that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// When it was due.
    pub due_ns: u64,
    /// From then to the reply that was no redirection.
    pub latency_ns: u64,
    /// It was redirected: its slot had changed hands since the last one.
    pub redirected: bool,
}

/// What a probe saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watch {
    /// Every write, in order.
    pub replies: Vec<Reply>,
    /// Errors that a user would have been shown.
    pub errors: u64,
    /// The first of them.
    pub first_error: Option<String>,
    /// Redirections that were followed.
    pub redirects: u64,
}

impl Watch {
    /// The slowest reply of those due from `from_ns` until `to_ns` that count.
    pub fn worst(&self, from_ns: u64, to_ns: u64, counts: impl Fn(&Reply) -> bool) -> Option<Reply> {
        let within = self.replies.iter().filter(|reply| (from_ns..to_ns).contains(&reply.due_ns));
        within.filter(|reply| counts(reply)).max_by_key(|reply| reply.latency_ns).copied()
    }

    /// When redirections were answered: the instants at which slots were seen to have changed hands.
    pub fn hand_overs_ns(&self) -> impl Iterator<Item = u64> {
        self.replies.iter().filter(|reply| reply.redirected).map(|reply| reply.due_ns + reply.latency_ns)
    }
}

struct Slot {
    key: String,
    /// Index of the connection to its owner.
    owner: usize,
}

struct Probe {
    nodes: Vec<(Address, Control)>,
    slots: Vec<Slot>,
    value: String,
    watch: Watch,
}

/// Writes into slots of `class` until `stop` is set; every slot is at the first of `nodes` to begin with. Instants count
/// from `origin`.
pub fn probe(
    nodes: &[Address],
    class: RangeInclusive<u16>,
    origin: Instant,
    stop: &AtomicBool,
) -> io::Result<Watch> {
    let connected =
        |address: &Address| Ok((address.clone(), Control::connect(address, &Credentials::default())?));
    let mut probe = Probe {
        nodes: nodes.iter().map(connected).collect::<io::Result<_>>()?,
        slots: slots(&class).map(|slot| Slot { key: key_in(slot), owner: 0 }).collect(),
        value: String::from_utf8_lossy(&Fillings::value_of(VALUE_BYTES)).into_owned(),
        watch: Watch::default(),
    };
    let mut due = Instant::now();
    for turn in (0..probe.slots.len()).cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // What was due while a reply was awaited is left out: it would have waited for less than that one did, and a probe that
        // sends one write after the other would for long measure its own backlog.
        due = (due + PERIOD).max(Instant::now());
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let redirects = probe.watch.redirects;
        if let Err(error) = probe.write(turn) {
            probe.reconnect(turn, &error);
        }
        let reply = Reply {
            due_ns: (due - origin).as_nanos() as u64,
            latency_ns: due.elapsed().as_nanos() as u64,
            redirected: probe.watch.redirects > redirects,
        };
        probe.watch.replies.push(reply);
    }
    Ok(probe.watch)
}

impl Probe {
    /// One write, until it is answered.
    fn write(&mut self, turn: usize) -> io::Result<()> {
        for _ in 0..REDIRECTS_MAX {
            let Slot { key, owner } = &self.slots[turn];
            let (address, control) = &mut self.nodes[*owner];
            let Value::Error(text) = control.ask(&["SET", key, &self.value])? else { return Ok(()) };
            let host = match address {
                Address::Tcp(host, _) => host.clone(),
                Address::Unix(_) => String::new(),
            };
            match Redirect::parse(&text, &host) {
                Some(Redirect::Moved(_, address)) => {
                    self.watch.redirects += 1;
                    self.slots[turn].owner = self.node_at(&address)?;
                }
                Some(Redirect::Ask(address)) => {
                    self.watch.redirects += 1;
                    let node = self.node_at(&address)?;
                    let words = ["SET", &self.slots[turn].key, &self.value];
                    self.nodes[node].1.ask_well(&["ASKING"])?;
                    if let Value::Error(text) = self.nodes[node].1.ask(&words)? {
                        self.complain(&text);
                    }
                    return Ok(());
                }
                Some(Redirect::TryAgain) => {
                    self.watch.redirects += 1;
                    thread::sleep(RETRY);
                }
                None => {
                    self.complain(&text);
                    return Ok(());
                }
            }
        }
        self.complain("redirected without end");
        Ok(())
    }

    fn complain(&mut self, text: &str) {
        self.watch.errors += 1;
        self.watch.first_error.get_or_insert_with(|| text.to_owned());
    }

    fn node_at(&mut self, address: &Address) -> io::Result<usize> {
        if let Some(known) = self.nodes.iter().position(|(known, _)| known == address) {
            return Ok(known);
        }
        self.nodes.push((address.clone(), Control::connect(address, &Credentials::default())?));
        Ok(self.nodes.len() - 1)
    }

    fn reconnect(&mut self, turn: usize, error: &io::Error) {
        self.complain(&format!("connection lost: {error}"));
        let (address, control) = &mut self.nodes[self.slots[turn].owner];
        match Control::connect(address, &Credentials::default()) {
            Ok(fresh) => *control = fresh,
            Err(_) => thread::sleep(RETRY),
        }
    }
}

/// Slots spread evenly over a class.
fn slots(class: &RangeInclusive<u16>) -> impl Iterator<Item = u16> + use<> {
    let (first, count) = (*class.start(), class.end() - class.start() + 1);
    (0..SLOTS).map(move |number| first + count / SLOTS * number + count / SLOTS / 2)
}

fn key_in(slot: u16) -> String {
    let mut names = (0u64..).map(|number| format!("probe:{number}"));
    names.find(|name| slot_of(name.as_bytes()) == slot).expect("every slot has names without end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_a_class_lie_in_it_and_keys_in_their_slots() {
        let slots: Vec<u16> = slots(&(8192..=16_383)).collect();
        assert_eq!(slots.len(), usize::from(SLOTS));
        assert!(slots.windows(2).all(|pair| pair[0] < pair[1]));
        for slot in slots {
            assert!((8192..=16_383).contains(&slot));
            assert_eq!(slot_of(key_in(slot).as_bytes()), slot);
        }
    }

    #[test]
    fn the_worst_reply_is_that_of_the_window() {
        let reply = |due_ns, latency_ns, redirected| Reply { due_ns, latency_ns, redirected };
        let replies =
            vec![reply(1, 90, false), reply(10, 5, false), reply(20, 7, true), reply(30, 80, false)];
        let watch = Watch { replies, ..Watch::default() };
        assert_eq!(watch.worst(10, 30, |_| true), Some(reply(20, 7, true)));
        assert_eq!(watch.worst(10, 30, |reply| !reply.redirected), Some(reply(10, 5, false)));
        assert_eq!(watch.worst(31, 99, |_| true), None);
        assert_eq!(watch.hand_overs_ns().collect::<Vec<_>>(), [27]);
    }
}
