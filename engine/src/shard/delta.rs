//! Deltas: the effects of writes, numbered per slot, for whoever watches the slot.
//!
//! Effects are deterministic: expiry times are absolute, computed values are written out. Applying them in order to a copy
//! of what the slot held when the watch began gives what the slot holds now.

use std::collections::VecDeque;

use super::Shard;
use crate::key::SlotId;

/// Names a watch of this shard.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct WatchId(u32);

/// What a write did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect<'a> {
    /// The key is gone.
    Delete {
        /// The key.
        key: &'a [u8],
    },
    /// The key is this string.
    Set {
        /// The key.
        key: &'a [u8],
        /// The string, in two pieces.
        value: [&'a [u8]; 2],
        /// When it expires.
        expires_at_ms: Option<u64>,
    },
    /// Bytes of the string were overwritten; a gap before them is filled with zero bytes.
    Write {
        /// The key.
        key: &'a [u8],
        /// The first byte that was overwritten.
        offset: u64,
        /// What stands there now.
        bytes: &'a [u8],
    },
    /// The key expires at another time, or never.
    Expire {
        /// The key.
        key: &'a [u8],
        /// When it expires.
        expires_at_ms: Option<u64>,
    },
    /// The field of the hash is this.
    HashSet {
        /// The key.
        key: &'a [u8],
        /// The field.
        name: &'a [u8],
        /// Its value.
        value: &'a [u8],
        /// When the field expires.
        expires_at_ms: Option<u64>,
    },
    /// The field is gone; with the last one, the key.
    HashRemove {
        /// The key.
        key: &'a [u8],
        /// The field.
        name: &'a [u8],
    },
    /// The field expires at another time, or never.
    HashExpire {
        /// The key.
        key: &'a [u8],
        /// The field.
        name: &'a [u8],
        /// When the field expires.
        expires_at_ms: Option<u64>,
    },
    /// All keys of the slot are gone.
    Flush,
}

/// An effect with its place in the order of its slot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delta {
    /// The slot that was written.
    pub slot: SlotId,
    /// 1 for the first effect since the watch began, then counting up.
    pub sequence: u64,
    /// The effect as bytes (`Effect::decode`).
    pub effect: Vec<u8>,
}

/// One watch of one slot.
#[derive(Debug)]
pub struct Watch {
    slot: SlotId,
    sequence: u64,
    queue: VecDeque<Delta>,
    queued_bytes: usize,
    queued_bytes_max: usize,
    overrun: bool,
}

impl<'a> Effect<'a> {
    /// The effect as bytes: a code, then its parts, each with its length.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut put = |code: u8, expires_at_ms: Option<u64>, number: u64, parts: &[&[u8]]| {
            out.push(code);
            out.extend(expires_at_ms.map_or(u64::MAX, |at| at.min(u64::MAX - 1)).to_le_bytes());
            out.extend(number.to_le_bytes());
            for part in parts {
                out.extend((part.len() as u64).to_le_bytes());
                out.extend_from_slice(part);
            }
        };
        match *self {
            Effect::Delete { key } => put(1, None, 0, &[key]),
            Effect::Set { key, value, expires_at_ms } => put(2, expires_at_ms, 0, &[key, &value.concat()]),
            Effect::Write { key, offset, bytes } => put(3, None, offset, &[key, bytes]),
            Effect::Expire { key, expires_at_ms } => put(4, expires_at_ms, 0, &[key]),
            Effect::HashSet { key, name, value, expires_at_ms } => {
                put(5, expires_at_ms, 0, &[key, name, value])
            }
            Effect::HashRemove { key, name } => put(6, None, 0, &[key, name]),
            Effect::Flush => put(7, None, 0, &[]),
            Effect::HashExpire { key, name, expires_at_ms } => put(8, expires_at_ms, 0, &[key, name]),
        }
        out
    }

    /// Reads an effect back; nothing if the bytes are none.
    pub fn decode(bytes: &'a [u8]) -> Option<Effect<'a>> {
        let (code, rest) = bytes.split_first()?;
        let (expiry, rest) = rest.split_first_chunk::<8>()?;
        let (number, mut rest) = rest.split_first_chunk::<8>()?;
        let expires_at_ms = Some(u64::from_le_bytes(*expiry)).filter(|at| *at != u64::MAX);
        let mut part = || {
            let (length, behind) = rest.split_first_chunk::<8>()?;
            let (part, behind) =
                behind.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
            rest = behind;
            Some(part)
        };
        let effect = match code {
            1 => Effect::Delete { key: part()? },
            2 => Effect::Set { key: part()?, value: [part()?, b""], expires_at_ms },
            3 => Effect::Write { key: part()?, offset: u64::from_le_bytes(*number), bytes: part()? },
            4 => Effect::Expire { key: part()?, expires_at_ms },
            5 => Effect::HashSet { key: part()?, name: part()?, value: part()?, expires_at_ms },
            6 => Effect::HashRemove { key: part()?, name: part()? },
            7 => Effect::Flush,
            8 => Effect::HashExpire { key: part()?, name: part()?, expires_at_ms },
            _ => return None,
        };
        rest.is_empty().then_some(effect)
    }
}

impl Shard {
    /// Begins to queue the effects on a slot, up to `queued_bytes_max`; behind that the watch is overrun and its queue
    /// dropped.
    pub fn watch(&mut self, slot: SlotId, queued_bytes_max: usize) -> WatchId {
        self.watch_last += 1;
        let id = WatchId(self.watch_last);
        self.slots[slot.number()].watches += 1;
        let watch = Watch {
            slot,
            sequence: 0,
            queue: VecDeque::new(),
            queued_bytes: 0,
            queued_bytes_max,
            overrun: false,
        };
        self.watches.insert(id, watch);
        id
    }

    /// Takes the next delta of a watch.
    pub fn next_delta(&mut self, id: WatchId) -> Option<Delta> {
        let watch = self.watches.get_mut(&id)?;
        let delta = watch.queue.pop_front()?;
        watch.queued_bytes -= delta.effect.len();
        Some(delta)
    }

    /// Whether deltas of a watch were lost because nobody took them.
    pub fn is_overrun(&self, id: WatchId) -> bool {
        self.watches.get(&id).is_none_or(|watch| watch.overrun)
    }

    /// Ends a watch.
    pub fn unwatch(&mut self, id: WatchId) {
        if let Some(watch) = self.watches.remove(&id) {
            self.slots[watch.slot.number()].watches -= 1;
        }
    }

    /// Queues an effect for all who watch the slot.
    pub(super) fn emit(&mut self, slot: SlotId, effect: &Effect<'_>) {
        let effect = effect.encode();
        for watch in self.watches.values_mut().filter(|watch| watch.slot == slot && !watch.overrun) {
            watch.sequence += 1;
            watch.queued_bytes += effect.len();
            watch.queue.push_back(Delta { slot, sequence: watch.sequence, effect: effect.clone() });
            if watch.queued_bytes > watch.queued_bytes_max {
                watch.overrun = true;
                watch.queue = VecDeque::new();
                watch.queued_bytes = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_come_back_as_they_were() {
        let (key, name) = (&b"key"[..], &b"name"[..]);
        for effect in [
            Effect::Delete { key },
            Effect::Set { key, value: [b"value", b""], expires_at_ms: Some(9) },
            Effect::Write { key, offset: 3, bytes: b"bytes" },
            Effect::Expire { key, expires_at_ms: None },
            Effect::HashSet { key, name, value: b"", expires_at_ms: Some(0) },
            Effect::HashRemove { key, name },
            Effect::HashExpire { key, name, expires_at_ms: Some(7) },
            Effect::HashExpire { key, name, expires_at_ms: None },
            Effect::Flush,
        ] {
            let bytes = effect.encode();
            assert_eq!(Effect::decode(&bytes), Some(effect));
            assert!((0..bytes.len()).all(|length| Effect::decode(&bytes[..length]).is_none()), "truncated");
        }
    }
}
