//! What clients ask, and what a real shard answers.

use std::fmt;

use whimbrel_engine::arena::ArenaError;
use whimbrel_engine::key::SlotId;
use whimbrel_engine::shard::{Expiry, Key, Kind, Shard};

/// What is done with a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verb {
    /// GET.
    Get,
    /// SET, perhaps with a lifetime in milliseconds.
    Set(Vec<u8>, Option<u64>),
    /// DEL.
    Delete,
    /// HGET.
    HashGet(Vec<u8>),
    /// HSET.
    HashSet(Vec<u8>, Vec<u8>),
    /// HDEL.
    HashRemove(Vec<u8>),
    /// PEXPIRE.
    Expire(u64),
    /// INCR.
    Increment,
    /// APPEND.
    Append(Vec<u8>),
}

/// A command of a client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// The key.
    pub key: Vec<u8>,
    /// The slot of the key.
    pub slot: SlotId,
    /// What is done with it.
    pub verb: Verb,
}

/// What a client is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Nothing is there.
    Nothing,
    /// A value.
    Bytes(Vec<u8>),
    /// A number.
    Number(i64),
    /// Done.
    Done,
    /// The key holds another type.
    WrongType,
    /// The string is no number.
    NotNumber,
}

impl Command {
    /// Whether the command may change something.
    pub fn writes(&self) -> bool {
        !matches!(self.verb, Verb::Get | Verb::HashGet(_))
    }

    /// Does the command at a shard, as the commands of the engine do it.
    pub fn serve(&self, shard: &mut Shard, now_ms: u64) -> Result<Answer, ArenaError> {
        let key = shard.key(&self.key);
        match &self.verb {
            Verb::Get => Ok(get(shard, &key, now_ms)),
            Verb::HashGet(name) => Ok(hash_get(shard, &key, name, now_ms)),
            _ => self.serve_write(shard, &key, now_ms),
        }
    }

    fn serve_write(&self, shard: &mut Shard, key: &Key<'_>, now_ms: u64) -> Result<Answer, ArenaError> {
        let mut write = shard.write(key, now_ms);
        let kind = write.kind();
        let wanted = match self.verb {
            Verb::HashSet(..) | Verb::HashRemove(_) => Some(Kind::Hash),
            Verb::Increment | Verb::Append(_) => Some(Kind::String),
            _ => None,
        };
        if kind.is_some() && wanted.is_some() && kind != wanted {
            return Ok(Answer::WrongType);
        }
        Ok(match &self.verb {
            Verb::Set(value, None) => write.set(value, Expiry::Clear).map(|()| Answer::Done)?,
            Verb::Set(value, Some(ms)) => write.set(value, Expiry::At(now_ms + ms)).map(|()| Answer::Done)?,
            Verb::Delete => Answer::Number(i64::from(write.remove()?)),
            Verb::HashSet(name, value) => Answer::Number(write.hash_set(name, value, Expiry::Clear)?.into()),
            Verb::HashRemove(name) => Answer::Number(write.hash_remove(name)?.into()),
            Verb::Expire(ms) => Answer::Number(write.set_expiry(Some(now_ms + ms))?.into()),
            Verb::Append(bytes) => Answer::Number(write.append(bytes)? as i64),
            Verb::Increment => {
                let old = write.entry().and_then(|entry| entry.text()).map_or(Some(0), |text| text.integer());
                match old.and_then(|old| old.checked_add(1)) {
                    Some(new) => write.set_integer(new, Expiry::Keep).map(|()| Answer::Number(new))?,
                    None => Answer::NotNumber,
                }
            }
            Verb::Get | Verb::HashGet(_) => unreachable!("the caller answers readers"),
        })
    }
}

fn get(shard: &mut Shard, key: &Key<'_>, now_ms: u64) -> Answer {
    match shard.find(key, now_ms) {
        None => Answer::Nothing,
        Some(entry) => match entry.text() {
            Some(text) => Answer::Bytes(text.bytes().into_owned()),
            None => Answer::WrongType,
        },
    }
}

fn hash_get(shard: &mut Shard, key: &Key<'_>, name: &[u8], now_ms: u64) -> Answer {
    match shard.find(key, now_ms) {
        None => Answer::Nothing,
        Some(entry) => match entry.hash() {
            Some(hash) => match hash.field(name) {
                Some(field) => Answer::Bytes(field.value.bytes().into_owned()),
                None => Answer::Nothing,
            },
            None => Answer::WrongType,
        },
    }
}

/// Bytes for a story: short ones in full, long ones by their beginning and length.
pub struct Shown<'b>(pub &'b [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN_BYTES_MAX: usize = 24;
        if self.0.len() <= SHOWN_BYTES_MAX {
            return write!(f, "{}", self.0.escape_ascii());
        }
        write!(f, "{}… ({} bytes)", self.0[..SHOWN_BYTES_MAX].escape_ascii(), self.0.len())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = Shown(&self.key);
        match &self.verb {
            Verb::Get => write!(f, "GET {key}"),
            Verb::Set(value, None) => write!(f, "SET {key} {}", Shown(value)),
            Verb::Set(value, Some(ms)) => write!(f, "SET {key} {} PX {ms}", Shown(value)),
            Verb::Delete => write!(f, "DEL {key}"),
            Verb::HashGet(name) => write!(f, "HGET {key} {}", Shown(name)),
            Verb::HashSet(name, value) => write!(f, "HSET {key} {} {}", Shown(name), Shown(value)),
            Verb::HashRemove(name) => write!(f, "HDEL {key} {}", Shown(name)),
            Verb::Expire(ms) => write!(f, "PEXPIRE {key} {ms}"),
            Verb::Increment => write!(f, "INCR {key}"),
            Verb::Append(bytes) => write!(f, "APPEND {key} {}", Shown(bytes)),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Nothing => write!(f, "(nothing)"),
            Answer::Bytes(bytes) => write!(f, "{}", Shown(bytes)),
            Answer::Number(number) => write!(f, "{number}"),
            Answer::Done => write!(f, "OK"),
            Answer::WrongType => write!(f, "WRONGTYPE"),
            Answer::NotNumber => write!(f, "not a number"),
        }
    }
}
