//! What lies in the cluster while slots move and is not written meanwhile: strings, hashes, large ones, keys that expire.

use super::cluster::{Cluster, MOVING};
use super::link::{Link, Reply};
use super::sizes::Sizes;
use crate::served::Value;
use whimbrel_engine::key::SlotId;

/// Bytes of a string and of a hash's value.
const STRING_BYTES: usize = 512;
const FIELD_BYTES: usize = 32;
/// Fields of a small hash.
const FIELDS: usize = 16;
/// Fields of the large hash that one command writes or reads.
const FIELDS_AT_ONCE: usize = 500;
/// Commands that are sent at once.
const COMMANDS_AT_ONCE: usize = 256;
/// Keys that expire, in a far future.
const EXPIRING: usize = 100;
/// When they do, in milliseconds since 1970.
const EXPIRES_MS: i64 = 4_000_000_000_000;

/// The data.
pub struct Data {
    sizes: Sizes,
    large_hash: String,
    large_string: String,
}

impl Data {
    /// Writes it.
    pub fn fill(cluster: &Cluster, sizes: &Sizes) -> Data {
        let data = Data {
            sizes: *sizes,
            large_hash: key_in("large-hash", MOVING),
            large_string: key_in("large-string", MOVING),
        };
        let mut link = Link::new(cluster);
        data.each(&mut |commands: &[Pair]| {
            let writes: Vec<Vec<Vec<u8>>> = commands.iter().map(|pair| pair.write.clone()).collect();
            for (pair, reply) in commands.iter().zip(link.ask_all(&writes)) {
                let is_done = matches!(reply, Reply::Value(Value::Simple(_) | Value::Integer(_)));
                assert!(is_done, "{}: {reply:?}", String::from_utf8_lossy(&pair.write[1]));
            }
        });
        data
    }

    /// Keys that there are.
    pub fn keys(&self) -> u64 {
        (self.sizes.strings + self.sizes.hashes + EXPIRING + 2) as u64
    }

    /// Reads everything back. Returns how many commands read, and how many could not because the owner does not live; one
    /// that lives must answer.
    pub fn check(&self, link: &mut Link) -> (u64, u64) {
        let (mut read, mut unread) = (0, 0);
        self.each(&mut |commands: &[Pair]| {
            let reads: Vec<Vec<Vec<u8>>> = commands.iter().map(|pair| pair.read.clone()).collect();
            for (pair, reply) in commands.iter().zip(link.ask_all(&reads)) {
                match reply {
                    Reply::Value(value) => {
                        read += 1;
                        assert!(
                            value == pair.expected,
                            "{} has changed: {}",
                            String::from_utf8_lossy(&pair.read[1]),
                            format!("{value:?}").chars().take(80).collect::<String>()
                        );
                    }
                    Reply::Refused => unread += 1,
                    Reply::Unknown | Reply::Unserved => {
                        panic!("{}: {reply:?}", String::from_utf8_lossy(&pair.read[1]))
                    }
                }
            }
        });
        (read, unread)
    }

    /// Gives every command that writes the data, with the one that reads it back, in batches.
    fn each(&self, take: &mut dyn FnMut(&[Pair])) {
        let mut batch = Vec::new();
        let mut give = |pair: Pair, take: &mut dyn FnMut(&[Pair])| {
            let is_large = pair.write.len() > FIELDS * 4 || pair.write[2].len() > STRING_BYTES;
            batch.push(pair);
            if batch.len() == COMMANDS_AT_ONCE || is_large {
                take(&batch);
                batch.clear();
            }
        };
        for number in 0..self.sizes.strings {
            give(string(&format!("s:{number}"), filling(number, STRING_BYTES)), take);
        }
        for number in 0..self.sizes.hashes {
            let fields: Vec<usize> = (0..FIELDS).collect();
            give(hash(&format!("h:{number}"), &fields), take);
        }
        for number in 0..EXPIRING {
            give(expiring(&format!("e:{number}")), take);
        }
        let fields: Vec<usize> = (0..self.sizes.large_hash_fields).collect();
        for fields in fields.chunks(FIELDS_AT_ONCE) {
            give(hash(&self.large_hash, fields), take);
        }
        give(string(&self.large_string, filling(7, self.sizes.large_string_bytes)), take);
    }
}

/// A command that writes, and one that reads with the reply that it must have.
struct Pair {
    write: Vec<Vec<u8>>,
    read: Vec<Vec<u8>>,
    expected: Value,
}

fn words(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

fn string(key: &str, value: Vec<u8>) -> Pair {
    let mut write = words(&["SET", key]);
    write.push(value.clone());
    Pair { write, read: words(&["GET", key]), expected: Value::Bulk(value) }
}

fn hash(key: &str, fields: &[usize]) -> Pair {
    let (mut write, mut read) = (words(&["HSET", key]), words(&["HMGET", key]));
    let mut expected = Vec::new();
    for &field in fields {
        let name = format!("field:{field}").into_bytes();
        let value = filling(field, FIELD_BYTES);
        write.extend([name.clone(), value.clone()]);
        read.push(name);
        expected.push(Value::Bulk(value));
    }
    Pair { write, read, expected: Value::Array(expected) }
}

fn expiring(key: &str) -> Pair {
    let write = words(&["SET", key, "x", "PXAT", &EXPIRES_MS.to_string()]);
    Pair { write, read: words(&["PEXPIRETIME", key]), expected: Value::Integer(EXPIRES_MS) }
}

/// Bytes that tell by themselves whose they are.
fn filling(number: usize, bytes: usize) -> Vec<u8> {
    let mark = format!("{number}.").into_bytes();
    mark.into_iter().cycle().take(bytes).collect()
}

/// A key with this beginning whose slot is among these.
pub fn key_in(beginning: &str, (first, last): (u16, u16)) -> String {
    let slots = usize::from(first)..=usize::from(last);
    let mut names = (0u64..).map(|number| format!("{beginning}.{number}"));
    names
        .find(|name| slots.contains(&SlotId::of(name.as_bytes()).number()))
        .expect("slots have keys without end")
}
