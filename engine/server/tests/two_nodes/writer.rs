//! Clients that write into the moving slots all the time and remember what was acknowledged.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::cluster::{Cluster, MOVING};
use super::data::key_in;
use super::link::{Link, Reply};
use super::sizes::Sizes;
use crate::served::Value;

/// Clients.
const WRITERS: usize = 2;
/// Commands that a client sends before it waits for replies.
const PIPELINE: usize = 16;
/// Strings, counters and fields of each client.
const ENTRIES: [usize; 3] = [600, 100, 100];
/// Every so many writes of a string are a DEL.
const DELETE_EVERY: u64 = 10;
/// Bytes of a string and of a field.
const BYTES: [usize; 2] = [512, 64];

/// What one place has been told, and what was acknowledged. `acked <= sent`.
#[derive(Clone, Debug)]
struct Entry {
    kind: Kind,
    key: Vec<u8>,
    /// Number of the last write that was acknowledged.
    acked: u64,
    /// Number of the last write that was sent.
    sent: u64,
}

#[derive(Clone, Debug)]
enum Kind {
    /// SET of a number, and DEL in between.
    Text,
    /// INCR: what is read is the number of writes, so one that is lost or done twice shows.
    Counter,
    /// HSET of a number.
    Field(String),
}

/// Running clients.
pub struct Writers {
    stop: Arc<AtomicBool>,
    started: Instant,
    acknowledged: Arc<AtomicU64>,
    threads: Vec<JoinHandle<Written>>,
}

/// What clients have written.
#[derive(Default)]
pub struct Written {
    entries: Vec<Entry>,
    /// Writes that were acknowledged.
    pub acknowledged: u64,
    /// Redirections that were followed.
    pub redirects: u64,
    /// Errors that users would have been shown.
    pub errors: HashMap<String, u64>,
    /// Most that any batch waited for its replies.
    pub longest_wait: Duration,
    /// How long they wrote.
    pub time: Duration,
}

impl Writers {
    /// Starts them.
    pub fn start(cluster: &Cluster, sizes: &Sizes) -> Writers {
        let stop = Arc::new(AtomicBool::new(false));
        let pause = Duration::from_secs_f64((WRITERS * PIPELINE) as f64 / sizes.writes_per_second as f64);
        let (started, acknowledged) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let threads = (0..WRITERS).map(|number| {
            let (stop, all, link) = (Arc::clone(&stop), Arc::clone(&acknowledged), Link::new(cluster));
            thread::spawn(move || write(link, entries(number), pause, &all, &stop))
        });
        let threads = threads.collect();
        Writers { stop, started, acknowledged, threads }
    }

    /// Writes acknowledged a second so far, in words.
    pub fn rate_words(&self) -> String {
        let time = self.started.elapsed().as_secs_f64();
        format!(
            "{:.0}/s acknowledged for {time:.1} s",
            self.acknowledged.load(Ordering::Relaxed) as f64 / time
        )
    }

    /// Ends them and says what they have written.
    pub fn stop(mut self) -> Written {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Written::default();
        for thread in std::mem::take(&mut self.threads) {
            let one = thread.join().expect("a writer found a wrong reply");
            all.entries.extend(one.entries);
            all.acknowledged += one.acknowledged;
            all.redirects += one.redirects;
            one.errors.into_iter().for_each(|(kind, count)| *all.errors.entry(kind).or_default() += count);
            all.longest_wait = all.longest_wait.max(one.longest_wait);
            all.time = all.time.max(one.time);
        }
        all
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        // A test that fails leaves them to themselves; what they say then is of no interest.
        self.stop.store(true, Ordering::Relaxed);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

fn entries(writer: usize) -> Vec<Entry> {
    let entry = |kind, key: String| Entry { kind, key: key.into_bytes(), acked: 0, sent: 0 };
    let place = |what: &str, number: usize| key_in(&format!("w{writer}:{what}{number}"), MOVING);
    let texts = (0..ENTRIES[0]).map(|number| entry(Kind::Text, place("text", number)));
    let counters = (0..ENTRIES[1]).map(|number| entry(Kind::Counter, place("counter", number)));
    // All fields of a client are in one hash, which changes while it is copied.
    let fields = (0..ENTRIES[2]).map(|number| entry(Kind::Field(format!("field{number}")), place("hash", 0)));
    texts.chain(counters).chain(fields).collect()
}

fn write(
    mut link: Link,
    mut entries: Vec<Entry>,
    pause: Duration,
    all: &AtomicU64,
    stop: &AtomicBool,
) -> Written {
    let started = Instant::now();
    let (mut acknowledged, mut longest_wait, mut due) = (0, Duration::ZERO, started);
    let mut turns = (0..entries.len()).cycle();
    while !stop.load(Ordering::Relaxed) {
        let turn: Vec<usize> = turns.by_ref().take(PIPELINE).collect();
        let commands: Vec<Vec<Vec<u8>>> = turn.iter().map(|&index| entries[index].next()).collect();
        let asked = Instant::now();
        let mut count = 0;
        for (index, reply) in turn.into_iter().zip(link.ask_all(&commands)) {
            count += u64::from(entries[index].settle(&reply));
        }
        acknowledged += count;
        all.fetch_add(count, Ordering::Relaxed);
        longest_wait = longest_wait.max(asked.elapsed());
        // A client that was held up does not hurry afterwards.
        due = (due + pause).max(Instant::now() - pause * 8);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    Written {
        entries,
        acknowledged,
        redirects: link.redirects,
        errors: link.errors,
        longest_wait,
        time: started.elapsed(),
    }
}

impl Entry {
    /// The next write.
    fn next(&mut self) -> Vec<Vec<u8>> {
        self.sent += 1;
        let words: Vec<Vec<u8>> = match &self.kind {
            Kind::Text if self.sent.is_multiple_of(DELETE_EVERY) => vec![b"DEL".into(), self.key.clone()],
            Kind::Text => vec![b"SET".into(), self.key.clone(), padded(self.sent, BYTES[0])],
            Kind::Counter => vec![b"INCR".into(), self.key.clone()],
            Kind::Field(field) => {
                vec![b"HSET".into(), self.key.clone(), field.clone().into(), padded(self.sent, BYTES[1])]
            }
        };
        words
    }

    /// Takes in the reply to the last write; whether it was acknowledged.
    fn settle(&mut self, reply: &Reply) -> bool {
        let Reply::Value(value) = reply else { return false };
        match (&self.kind, value) {
            (Kind::Counter, Value::Integer(count)) => {
                let count = *count as u64;
                assert!(
                    self.acked < count && count <= self.sent,
                    "{}: {count} after {} of {} were acknowledged",
                    String::from_utf8_lossy(&self.key),
                    self.acked,
                    self.sent
                );
                self.acked = count;
            }
            (Kind::Text | Kind::Field(_), Value::Simple(_) | Value::Integer(_)) => self.acked = self.sent,
            _ => panic!("{self:?} was answered {value:?}"),
        }
        true
    }

    fn read(&self) -> Vec<Vec<u8>> {
        match &self.kind {
            Kind::Text | Kind::Counter => vec![b"GET".into(), self.key.clone()],
            Kind::Field(field) => vec![b"HGET".into(), self.key.clone(), field.clone().into()],
        }
    }

    /// Panics unless what was read is the last acknowledged write or one that was sent after it.
    fn check(&self, value: &Value) {
        let of_writes = |is_it: &dyn Fn(u64) -> bool| (self.acked..=self.sent).any(is_it);
        let is_right = match (&self.kind, value) {
            (Kind::Counter, Value::Bulk(bytes)) => {
                let count = String::from_utf8_lossy(bytes).parse::<u64>().expect("a number");
                (self.acked..=self.sent).contains(&count)
            }
            (Kind::Text, Value::Bulk(bytes)) => of_writes(&|number| {
                !number.is_multiple_of(DELETE_EVERY) && *bytes == padded(number, BYTES[0])
            }),
            (Kind::Text, Value::Null) => of_writes(&|number| number.is_multiple_of(DELETE_EVERY)),
            (Kind::Field(_), Value::Bulk(bytes)) => of_writes(&|number| *bytes == padded(number, BYTES[1])),
            (Kind::Field(_) | Kind::Counter, Value::Null) => self.acked == 0,
            _ => false,
        };
        let found = match value {
            Value::Bulk(bytes) => String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned(),
            other => format!("{other:?}"),
        };
        assert!(
            is_right,
            "{} {:?}: {found}, and {} of {} writes were acknowledged",
            String::from_utf8_lossy(&self.key),
            self.kind,
            self.acked,
            self.sent
        );
    }
}

impl Written {
    /// Places that were written to.
    pub fn places(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Reads everything back. Returns how many keys there are, and how many places could not be read because their
    /// owner does not live; one that lives must answer.
    pub fn check(&self, link: &mut Link) -> (u64, u64) {
        let mut keys: HashMap<&[u8], bool> = HashMap::new();
        let mut unread = 0;
        for entries in self.entries.chunks(PIPELINE * 16) {
            let commands: Vec<Vec<Vec<u8>>> = entries.iter().map(Entry::read).collect();
            for (entry, reply) in entries.iter().zip(link.ask_all(&commands)) {
                match reply {
                    Reply::Value(value) => {
                        entry.check(&value);
                        *keys.entry(&entry.key).or_default() |= value != Value::Null;
                    }
                    Reply::Refused => unread += 1,
                    Reply::Unknown | Reply::Unserved => {
                        panic!("{}: {reply:?}", String::from_utf8_lossy(&entry.key))
                    }
                }
            }
        }
        (keys.values().filter(|is_there| **is_there).count() as u64, unread)
    }

    /// In words, for a test's output.
    pub fn words(&self) -> String {
        format!(
            "{} writes acknowledged in {:.1} s ({:.0}/s), {} redirections, longest wait of a batch {:.1} ms, errors {:?}",
            self.acknowledged,
            self.time.as_secs_f64(),
            self.acknowledged as f64 / self.time.as_secs_f64(),
            self.redirects,
            self.longest_wait.as_secs_f64() * 1e3,
            self.errors
        )
    }
}

/// A number, filled up to so many bytes.
fn padded(number: u64, bytes: usize) -> Vec<u8> {
    let mut text = format!("{number:012}").into_bytes();
    text.resize(bytes, b'a' + (number % 26) as u8);
    text
}
