//! What the slots must hold: every command that any node served, done once more in the plainest way.
//!
//! The simulator knows the instant at which each command is executed, and commands on one slot are executed by one node at
//! a time (that is I2, checked beside this). So the order of execution *is* a linearisation: if each answer is the one that
//! a single sequential store would have given, no acknowledged write was lost and every key is linearisable. This is
//! stricter than what clients could find out, who know only when they asked and when they were answered.

use std::collections::BTreeMap;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::shard::{Entry, ScanCursor, Shard};

use crate::clients::{Answer, Command, Verb};

/// The value of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// A string.
    Text(Vec<u8>),
    /// A hash.
    Hash(BTreeMap<Vec<u8>, Vec<u8>>),
}

/// What one slot holds: by key, the value and when it expires.
pub type Content = BTreeMap<Vec<u8>, (Value, Option<u64>)>;

/// What all slots hold.
#[derive(Clone, Default, Debug)]
pub struct Model {
    slots: BTreeMap<SlotId, Content>,
}

impl Model {
    /// Does a command; says what it must be answered.
    pub fn serve(&mut self, command: &Command, now_ms: u64) -> Answer {
        let content = self.slots.entry(command.slot).or_default();
        let key = &command.key;
        if content.get(key).is_some_and(|(_, expires)| expires.is_some_and(|at| at <= now_ms)) {
            content.remove(key);
        }
        let old = content.get_mut(key);
        match (&command.verb, old) {
            (Verb::Get | Verb::HashGet(_), None) => Answer::Nothing,
            (Verb::Delete | Verb::HashRemove(_) | Verb::Expire(_), None) => Answer::Number(0),
            (Verb::Get, Some((Value::Text(text), _))) => Answer::Bytes(text.clone()),
            (Verb::HashGet(name), Some((Value::Hash(fields), _))) => {
                fields.get(name).map_or(Answer::Nothing, |value| Answer::Bytes(value.clone()))
            }
            (Verb::Set(value, lifetime), _) => {
                content.insert(key.clone(), (Value::Text(value.clone()), lifetime.map(|ms| now_ms + ms)));
                Answer::Done
            }
            (Verb::Delete, Some(_)) => {
                content.remove(key);
                Answer::Number(1)
            }
            (Verb::Expire(ms), Some((_, expires))) => {
                *expires = Some(now_ms + ms);
                Answer::Number(1)
            }
            (Verb::HashSet(name, value), None) => {
                let fields = BTreeMap::from([(name.clone(), value.clone())]);
                content.insert(key.clone(), (Value::Hash(fields), None));
                Answer::Number(1)
            }
            (Verb::HashSet(name, value), Some((Value::Hash(fields), _))) => {
                Answer::Number(fields.insert(name.clone(), value.clone()).is_none().into())
            }
            (Verb::HashRemove(name), Some((Value::Hash(fields), _))) => {
                let removed = fields.remove(name).is_some();
                if fields.is_empty() {
                    content.remove(key);
                }
                Answer::Number(removed.into())
            }
            (Verb::Increment, None) => {
                content.insert(key.clone(), (Value::Text(b"1".to_vec()), None));
                Answer::Number(1)
            }
            (Verb::Increment, Some((Value::Text(text), _))) => increment(text),
            (Verb::Append(bytes), None) => {
                content.insert(key.clone(), (Value::Text(bytes.clone()), None));
                Answer::Number(bytes.len() as i64)
            }
            (Verb::Append(bytes), Some((Value::Text(text), _))) => {
                text.extend_from_slice(bytes);
                Answer::Number(text.len() as i64)
            }
            _ => Answer::WrongType,
        }
    }

    /// What a slot must hold.
    pub fn slot(&self, slot: SlotId) -> Option<&Content> {
        self.slots.get(&slot)
    }

    /// Says that what a slot held is gone, with the only core that had it.
    pub fn lose(&mut self, slot: SlotId) -> Content {
        self.slots.remove(&slot).unwrap_or_default()
    }

    /// Says that it was not lost after all.
    pub fn restore(&mut self, slot: SlotId, content: Content) {
        self.slots.insert(slot, content);
    }
}

fn increment(text: &mut Vec<u8>) -> Answer {
    let number = str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
    // Only the one decimal form counts: no sign but a minus, no leading zeros.
    let number = number.filter(|number| number.to_string().as_bytes() == &text[..]);
    match number.and_then(|number| number.checked_add(1)) {
        Some(number) => {
            *text = number.to_string().into_bytes();
            Answer::Number(number)
        }
        None => Answer::NotNumber,
    }
}

/// What a slot of a shard holds for clients, expired keys left out.
pub fn served_content(shard: &Shard, slot: SlotId, now_ms: u64) -> Content {
    let mut content = Content::new();
    let end = slot.number() + 1;
    shard.scan(ScanCursor::at_slot(slot.number()), end, usize::MAX, now_ms, |entry| {
        note(&mut content, &entry);
    });
    content
}

/// What a slot of a shard holds, staged or not, expired keys left out.
pub fn held_content(shard: &mut Shard, slot: SlotId, now_ms: u64) -> Content {
    let mut keys = Vec::new();
    let fork = shard.fork(slot);
    let walked = shard.walk_fork(fork, usize::MAX, |item| keys.push(item.key.to_vec()));
    shard.close_fork(fork);
    let mut content = Content::new();
    if walked.is_err() {
        return content;
    }
    keys.dedup();
    for key in keys {
        let key = shard.key(&key);
        if let Some(entry) = shard.peek(&key, now_ms) {
            note(&mut content, &entry);
        }
    }
    content
}

fn note(content: &mut Content, entry: &Entry<'_>) {
    let value = if let Some(text) = entry.text() {
        Value::Text(text.bytes().into_owned())
    } else {
        let mut fields = BTreeMap::new();
        if let Some(hash) = entry.hash() {
            hash.for_each(|field| {
                fields.insert(field.name.to_vec(), field.value.bytes().into_owned());
            });
        }
        Value::Hash(fields)
    };
    content.insert(entry.key().to_vec(), (value, entry.expires_at_ms()));
}

/// The first difference between what is there and what must be, in words; nothing if there is none. `now_ms` says what
/// has expired.
pub fn difference(found: &Content, wanted: &Content, now_ms: u64) -> Option<String> {
    let live = |(_, expires): &&(Value, Option<u64>)| expires.is_none_or(|at| at > now_ms);
    for (key, wanted) in wanted.iter().filter(|(_, value)| live(value)) {
        let key_shown = key.escape_ascii();
        match found.get(key) {
            None => return Some(format!("{key_shown} is missing")),
            Some(found) if found != wanted => {
                return Some(format!("{key_shown} is {}, not {}", shown(found), shown(wanted)));
            }
            Some(_) => {}
        }
    }
    let extra = found.iter().find(|(key, _)| wanted.get(*key).as_ref().is_none_or(|value| !live(value)));
    extra.map(|(key, value)| format!("{} is there ({}) and must not be", key.escape_ascii(), shown(value)))
}

fn shown((value, expires): &(Value, Option<u64>)) -> String {
    let value = match value {
        Value::Text(text) => crate::clients::Shown(text).to_string(),
        Value::Hash(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}={}", name.escape_ascii(), crate::clients::Shown(value)))
                .collect();
            format!("{{{}}}", fields.join(" "))
        }
    };
    match expires {
        Some(at) => format!("{value} until {at}"),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use whimbrel_engine::key::HashSeed;
    use whimbrel_engine::shard::ShardLimits;

    use super::*;
    use crate::clients::{Keyspace, KeyspaceNature};
    use crate::dice::Dice;

    #[test]
    fn the_model_answers_as_a_shard_does() {
        let mut keyspace = Keyspace::new(KeyspaceNature {
            slots: 3,
            keys_per_slot: 9,
            value_bytes_max: 2_000,
            large_per_million: 10_000,
            large_bytes: 300_000,
            writes_per_million: 700_000,
        });
        let mut dice = Dice::new(5, 0);
        let mut shard = Shard::new(HashSeed(5), ShardLimits::default()).unwrap();
        let mut model = Model::default();
        let mut now_ms = 1_000_000;
        for _ in 0..20_000 {
            now_ms += dice.below(3);
            let command = keyspace.command(&mut dice);
            let answer = command.serve(&mut shard, now_ms).unwrap();
            assert_eq!(answer, model.serve(&command, now_ms), "{command}");
        }
        for slot in keyspace.slots().collect::<Vec<_>>() {
            let wanted = model.slot(slot).unwrap();
            let served = served_content(&shard, slot, now_ms);
            assert_eq!(difference(&served, wanted, now_ms), None);
            assert_eq!(held_content(&mut shard, slot, now_ms), served);
            let mut other = served.clone();
            other.pop_first();
            assert!(difference(&other, wanted, now_ms).unwrap().ends_with("is missing"));
        }
    }
}
