//! Iterating over keys: SCAN's cursor, and keys chosen at random.

use super::Shard;
use super::entry::Entry;
use crate::key::{SLOT_COUNT, SlotId};
use crate::object::Parts;

/// Where a scan goes on: a slot and, within it, a hash. Every core and every moment understands it alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ScanCursor(u64);

/// Bits of the hash that a cursor holds; the slot has the 14 above.
const HASH_BITS: u32 = 50;

impl ScanCursor {
    /// The beginning; as an answer, the end.
    pub const START: ScanCursor = ScanCursor(0);

    /// The cursor that a client sent.
    pub fn from_number(number: u64) -> ScanCursor {
        ScanCursor(number)
    }

    /// The cursor as a client writes it. Like Redis, which asks strtoul, this takes a sign, and nothing for 0.
    pub fn parse(text: &[u8]) -> Option<ScanCursor> {
        let (negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] => (false, digits),
            digits => (false, digits),
        };
        let number = digits.iter().try_fold(0u64, |number, byte| {
            let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
            number.checked_mul(10)?.checked_add(digit)
        })?;
        Some(ScanCursor(if negative { number.wrapping_neg() } else { number }))
    }

    /// The number for the client.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The slot at which it goes on.
    pub fn slot(self) -> usize {
        (self.0 >> HASH_BITS) as usize
    }

    /// The beginning of a slot; behind the last one, the end.
    pub fn at_slot(slot: usize) -> ScanCursor {
        if slot >= SLOT_COUNT { ScanCursor::START } else { ScanCursor((slot as u64) << HASH_BITS) }
    }

    fn hash(self) -> u64 {
        self.0 << (u64::BITS - HASH_BITS)
    }

    fn within(slot: SlotId, hash: u64) -> ScanCursor {
        ScanCursor((slot.number() as u64) << HASH_BITS | hash >> (u64::BITS - HASH_BITS))
    }
}

impl Shard {
    /// Shows keys from a cursor on until about `count` were looked at, in slots below `slot_end`; answers where to go on.
    /// A key that is there during the whole scan is shown at least once. Keys that have expired are passed over.
    pub fn scan(
        &self,
        cursor: ScanCursor,
        slot_end: usize,
        count: usize,
        now_ms: u64,
        mut show: impl FnMut(Entry<'_>),
    ) -> ScanCursor {
        let mut looked_at = 0;
        let (mut number, mut hash) = (cursor.slot(), cursor.hash());
        while let Some(slot) = self.used.next(number).filter(|slot| slot.number() < slot_end) {
            if slot.number() != number {
                hash = 0;
            }
            let before = looked_at;
            let next = self.memory.scan_bucket(&self.slots[slot.number()].table, hash, |object| {
                looked_at += 1;
                let parts = Parts::of(&self.memory.arena, object);
                let expires_at_ms = parts.expires_at_ms(&self.memory.arena, object);
                if expires_at_ms.is_none_or(|at| at > now_ms) {
                    show(Entry::new(&self.memory, object, parts, now_ms));
                }
            });
            (number, hash) = match next {
                Some(next) => (slot.number(), next),
                None => (slot.number() + 1, 0),
            };
            // An empty bucket costs a look too.
            looked_at = looked_at.max(before + 1);
            if looked_at >= count {
                return match SlotId::new(number) {
                    Some(slot) => ScanCursor::within(slot, hash),
                    None => ScanCursor::START,
                };
            }
        }
        ScanCursor::at_slot(slot_end)
    }

    /// A key chosen by random bits, each with about the same chance; nothing if none was met that has not expired.
    pub fn random(&self, now_ms: u64, mut random: impl FnMut() -> u64) -> Option<Entry<'_>> {
        /// Expired keys that are passed over before giving up.
        const TRIES: usize = 100;
        for _ in 0..TRIES {
            let slot = self.keys.pick(random())?;
            let found = self.memory.random_entry(&self.slots[slot.number()].table, &mut random)?;
            let entry = Entry::of(&self.memory, found.object, now_ms);
            if entry.expires_at_ms().is_none_or(|at| at > now_ms) {
                return Some(entry);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Expiry, Shard, ShardLimits};
    use super::ScanCursor;
    use crate::core::Random;
    use crate::key::HashSeed;

    #[test]
    fn random_keys_are_fair_between_slots_of_any_size() {
        let mut shard = Shard::new(HashSeed(9), ShardLimits::default()).expect("address space");
        for number in 0..1000 {
            let large_slot = format!("{{a}}{number}");
            let key = shard.key(large_slot.as_bytes());
            shard.write(&key, 0).set(b"x", Expiry::Clear).expect("room");
            if number < 250 {
                let own_slot = number.to_string();
                let key = shard.key(own_slot.as_bytes());
                shard.write(&key, 0).set(b"x", Expiry::Clear).expect("room");
            }
        }
        let mut random = Random::new(3);
        const DRAWS: usize = 20_000;
        let mut counts = std::collections::HashMap::new();
        for _ in 0..DRAWS {
            let entry = shard.random(0, || random.bits()).expect("there are keys");
            *counts.entry(entry.key().to_vec()).or_insert(0usize) += 1;
        }
        let from_large: usize = counts.iter().filter(|(key, _)| key[0] == b'{').map(|(_, n)| n).sum();
        assert!((DRAWS * 77 / 100..DRAWS * 83 / 100).contains(&from_large), "{from_large} of {DRAWS}");
        assert_eq!(counts.len(), 1250, "every key has its chance");
        assert!(counts.values().all(|n| *n <= 60), "16 are expected of each");
    }

    #[test]
    fn cursors_are_numbers() {
        for (text, number) in [
            ("0", 0),
            ("", 0),
            ("12", 12),
            ("007", 7),
            ("+5", 5),
            ("-1", u64::MAX),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(ScanCursor::parse(text.as_bytes()).map(ScanCursor::number), Some(number), "{text:?}");
        }
        for text in ["x", "1 ", " 1", "1x", "18446744073709551616", "--1"] {
            assert_eq!(ScanCursor::parse(text.as_bytes()), None, "{text:?}");
        }
    }
}
