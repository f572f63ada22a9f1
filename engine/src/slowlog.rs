//! The slow log: the commands that took longest to run, in short.
//!
//! Its memory is bounded whatever clients send: so many entries, each with so many arguments of so many bytes.

use std::collections::VecDeque;

use crate::info::codec::{Reader, put_bytes, put_text, put_u64};

/// Arguments kept of one command. The last one tells how many more there were.
pub const ARGUMENTS_MAX: usize = 32;

/// Bytes kept of one argument. What follows them tells how many more there were.
pub const ARGUMENT_BYTES_MAX: usize = 128;

/// Which commands are kept, and how many (`slowlog-log-slower-than` and `slowlog-max-len`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowlogLimits {
    /// The shortest time that is kept. Below 0: none is.
    pub slower_than_us: i64,
    /// Entries kept.
    pub entries_max: u64,
}

/// A command that took long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlowlogEntry {
    /// Unique in the node's life, higher for what came later on the same core.
    pub id: u64,
    /// When it ran, in seconds since 1970.
    pub unix_seconds: u64,
    /// How long it ran.
    pub duration_us: u64,
    /// Its name and arguments, shortened. At most `ARGUMENTS_MAX`.
    pub arguments: Vec<Box<[u8]>>,
    /// Where the client was connected from.
    pub peer: Box<str>,
    /// What the client called itself. Empty if it did not.
    pub client_name: Box<[u8]>,
}

impl SlowlogEntry {
    /// Appends the entry as bytes, for another core.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for number in [self.id, self.unix_seconds, self.duration_us, self.arguments.len() as u64] {
            put_u64(out, number);
        }
        self.arguments.iter().for_each(|argument| put_bytes(out, argument));
        put_text(out, &self.peer);
        put_bytes(out, &self.client_name);
    }

    /// Reads what [`encode`](Self::encode) wrote; `None` for other bytes.
    pub fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            id: reader.u64()?,
            unix_seconds: reader.u64()?,
            duration_us: reader.u64()?,
            arguments: reader.list(|reader| Some(reader.bytes()?.into()))?,
            peer: reader.text()?.into(),
            client_name: reader.bytes()?.into(),
        })
    }
}

/// A command that has run.
#[derive(Clone, Copy, Debug)]
pub struct Execution<'a> {
    /// When it ran, in seconds since 1970.
    pub unix_seconds: u64,
    /// How long it ran.
    pub duration_us: u64,
    /// Where the client was connected from.
    pub peer: &'a str,
    /// What the client called itself.
    pub client_name: &'a [u8],
}

/// The slow log of one core.
#[derive(Debug)]
pub struct Slowlog {
    /// Newest first.
    entries: VecDeque<SlowlogEntry>,
    id_next: u64,
    id_step: u64,
}

impl Slowlog {
    /// The empty log of core `index` of `count`. Cores count their ids in turn, so that no two are the same.
    #[must_use]
    pub fn new(index: u16, count: u16) -> Self {
        assert!(index < count);
        Self { entries: VecDeque::new(), id_next: index.into(), id_step: count.into() }
    }

    /// Notes a command, its name first among the arguments, if it took long enough; lets the oldest entries go if there
    /// are too many.
    pub fn note<'a>(
        &mut self,
        limits: SlowlogLimits,
        execution: Execution<'_>,
        arguments: impl ExactSizeIterator<Item = &'a [u8]>,
    ) {
        let Ok(slower_than_us) = u64::try_from(limits.slower_than_us) else { return };
        if execution.duration_us >= slower_than_us && limits.entries_max > 0 {
            self.entries.push_front(SlowlogEntry {
                id: self.id_next,
                unix_seconds: execution.unix_seconds,
                duration_us: execution.duration_us,
                arguments: shortened(arguments),
                peer: execution.peer.into(),
                client_name: execution.client_name.into(),
            });
            self.id_next += self.id_step;
        }
        self.entries.truncate(usize::try_from(limits.entries_max).unwrap_or(usize::MAX));
    }

    /// The entries, newest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &SlowlogEntry> {
        self.entries.iter()
    }

    /// Forgets all entries. Ids count on.
    pub fn reset(&mut self) {
        self.entries = VecDeque::new();
    }
}

fn shortened<'a>(arguments: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<Box<[u8]>> {
    let count = arguments.len();
    if count <= ARGUMENTS_MAX {
        return arguments.map(shortened_argument).collect();
    }
    let kept = ARGUMENTS_MAX - 1;
    let rest = format!("... ({} more arguments)", count - kept);
    let rest = rest.into_bytes().into_boxed_slice();
    arguments.take(kept).map(shortened_argument).chain([rest]).collect()
}

fn shortened_argument(argument: &[u8]) -> Box<[u8]> {
    let Some((kept, rest)) =
        argument.split_at_checked(ARGUMENT_BYTES_MAX).filter(|(_, rest)| !rest.is_empty())
    else {
        return argument.into();
    };
    [kept, format!("... ({} more bytes)", rest.len()).as_bytes()].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SlowlogLimits = SlowlogLimits { slower_than_us: 100, entries_max: 3 };

    fn note(log: &mut Slowlog, limits: SlowlogLimits, duration_us: u64, arguments: &[&[u8]]) {
        let execution =
            Execution { unix_seconds: 7, duration_us, peer: "127.0.0.1:4000", client_name: b"me" };
        log.note(limits, execution, arguments.iter().copied());
    }

    fn ids(log: &Slowlog) -> Vec<u64> {
        log.entries().map(|entry| entry.id).collect()
    }

    #[test]
    fn what_was_slow_is_kept_newest_first() {
        let mut log = Slowlog::new(0, 1);
        note(&mut log, LIMITS, 99, &[b"GET", b"a"]);
        note(&mut log, LIMITS, 100, &[b"GET", b"b"]);
        note(&mut log, LIMITS, 5000, &[b"KEYS", b"*"]);
        assert_eq!(ids(&log), [1, 0]);
        let newest = log.entries().next().unwrap();
        let expected = SlowlogEntry {
            id: 1,
            unix_seconds: 7,
            duration_us: 5000,
            arguments: vec![b"KEYS"[..].into(), b"*"[..].into()],
            peer: "127.0.0.1:4000".into(),
            client_name: b"me"[..].into(),
        };
        assert_eq!(newest, &expected);
        let mut bytes = Vec::new();
        newest.encode(&mut bytes);
        assert_eq!(SlowlogEntry::decode(&mut Reader(&bytes)), Some(expected));
        assert_eq!(SlowlogEntry::decode(&mut Reader(&bytes[1..])), None);
    }

    #[test]
    fn the_oldest_go_and_ids_count_on() {
        let mut log = Slowlog::new(0, 1);
        for _ in 0..5 {
            note(&mut log, LIMITS, 100, &[b"PING"]);
        }
        assert_eq!(ids(&log), [4, 3, 2]);
        log.reset();
        assert_eq!(log.entries().len(), 0);
        note(&mut log, LIMITS, 100, &[b"PING"]);
        assert_eq!(ids(&log), [5]);
    }

    #[test]
    fn limits_may_change_between_commands() {
        let mut log = Slowlog::new(0, 1);
        for _ in 0..3 {
            note(&mut log, LIMITS, 100, &[b"PING"]);
        }
        note(&mut log, SlowlogLimits { slower_than_us: -1, entries_max: 3 }, u64::MAX, &[b"PING"]);
        assert_eq!(ids(&log), [2, 1, 0]);
        note(&mut log, SlowlogLimits { slower_than_us: 100, entries_max: 1 }, 5, &[b"PING"]);
        assert_eq!(ids(&log), [2]);
        note(&mut log, SlowlogLimits { slower_than_us: 0, entries_max: 1 }, 0, &[b"PING"]);
        assert_eq!(ids(&log), [3]);
        note(&mut log, SlowlogLimits { slower_than_us: 0, entries_max: 0 }, 5, &[b"PING"]);
        assert_eq!(ids(&log), []);
    }

    #[test]
    fn cores_give_different_ids() {
        let mut log = Slowlog::new(1, 4);
        note(&mut log, LIMITS, 100, &[b"PING"]);
        note(&mut log, LIMITS, 100, &[b"PING"]);
        assert_eq!(ids(&log), [5, 1]);
    }

    #[test]
    fn many_and_long_arguments_are_shortened() {
        let cases: [(usize, usize, &str); 3] =
            [(32, 32, "a"), (33, 32, "... (2 more arguments)"), (1000, 32, "... (969 more arguments)")];
        for (count, kept, last) in cases {
            let arguments = shortened(vec![&b"a"[..]; count].into_iter());
            assert_eq!(arguments.len(), kept);
            assert_eq!(&arguments[30][..], b"a");
            assert_eq!(&arguments[31][..], last.as_bytes());
        }
        let long = [b'x'; 1000];
        assert_eq!(&shortened_argument(&long[..128])[..], &long[..128]);
        let text = shortened_argument(&long);
        assert_eq!(text.len(), 128 + "... (872 more bytes)".len());
        assert!(text.ends_with(b"x... (872 more bytes)"));
    }
}
