//! How long what expires has to live, for INFO: of a few keys exactly, of many by a sample of them.

use super::Shard;
use super::entry::Entry;
use crate::arena::Ref;

/// Keys that are looked at; as long as no more expire, all of them are.
const SAMPLES: u64 = 64;

/// What is known of the keys that expire, or hold fields that do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetimes {
    /// Keys that expire.
    pub keys: u64,
    /// Hashes with a field that expires.
    pub hashes: u64,
    /// Time to live of sampled keys, in milliseconds, added up.
    pub sampled_ms: u64,
    /// Keys that expire in that sample.
    pub samples: u64,
}

impl Shard {
    /// Looks at keys that expire. Exact up to 64 of them; beyond, what a sample of so many says of all.
    pub fn lifetimes(&mut self, now_ms: u64) -> Lifetimes {
        let total = self.expiring_keys.total();
        let objects = if total <= SAMPLES { self.all_expiring() } else { self.some_expiring() };
        let mut seen = Lifetimes::default();
        for object in &objects {
            let entry = Entry::of(&self.memory, *object, now_ms);
            if let Some(at_ms) = entry.expires_at_ms() {
                seen.keys += 1;
                seen.samples += 1;
                seen.sampled_ms += at_ms.saturating_sub(now_ms);
            }
            seen.hashes += u64::from(entry.hash().is_some_and(|hash| hash.expires_s().is_some()));
        }
        let of_all = |part: u64| (part * total).checked_div(objects.len() as u64).unwrap_or(0);
        Lifetimes { keys: of_all(seen.keys), hashes: of_all(seen.hashes), ..seen }
    }

    /// All keys that expire or hold fields that do.
    fn all_expiring(&self) -> Vec<Ref> {
        let (mut all, mut from) = (Vec::new(), 0);
        while let Some(slot) = self.expiring.next(from) {
            let table = &self.slots[slot.number()].table;
            let mut hash = Some(0);
            while let Some(view) = hash.and_then(|hash| self.memory.due_leaf(table, hash, u32::MAX)) {
                self.memory.expiring_entries(&view, &mut all);
                hash = view.end();
            }
            from = slot.number() + 1;
        }
        all
    }

    /// Some of them, by chance; one may be there twice.
    fn some_expiring(&mut self) -> Vec<Ref> {
        let Shard { memory, slots, expiring_keys, random, .. } = self;
        let one = |_| {
            let slot = expiring_keys.pick(random.bits())?;
            memory.random_expiring(&slots[slot.number()].table, || random.bits())
        };
        (0..SAMPLES).filter_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Expiry, Key, ShardLimits};
    use super::*;
    use crate::key::HashSeed;

    const NOW: u64 = 1_700_000_000_000;

    fn set(shard: &mut Shard, name: &str, expiry: Expiry) {
        shard.write(&Key::new(name.as_bytes(), HashSeed(5)), NOW).set(b"v", expiry).expect("room");
    }

    fn set_field(shard: &mut Shard, name: &str, field: &str, expiry: Expiry) {
        let key = Key::new(name.as_bytes(), HashSeed(5));
        shard.write(&key, NOW).hash_set(field.as_bytes(), b"v", expiry).expect("room");
    }

    #[test]
    fn a_few_keys_are_counted() {
        let mut shard = Shard::new(HashSeed(5), ShardLimits::default()).expect("address space");
        assert_eq!(shard.lifetimes(NOW), Lifetimes::default());
        set(&mut shard, "stays", Expiry::Clear);
        set(&mut shard, "a", Expiry::At(NOW + 1000));
        set(&mut shard, "b", Expiry::At(NOW + 3000));
        set_field(&mut shard, "h", "f", Expiry::At(NOW + 9000));
        set_field(&mut shard, "h", "g", Expiry::Clear);
        let expected = Lifetimes { keys: 2, hashes: 1, sampled_ms: 4000, samples: 2 };
        assert_eq!(shard.lifetimes(NOW), expected);
        for number in 0..40 {
            set(&mut shard, &format!("{{one slot}}{number}"), Expiry::At(NOW + 1000));
        }
        assert_eq!(shard.lifetimes(NOW).keys, 42);
    }

    #[test]
    fn many_are_told_from_some() {
        let mut shard = Shard::new(HashSeed(5), ShardLimits::default()).expect("address space");
        for number in 0..3000 {
            set(&mut shard, &number.to_string(), Expiry::At(NOW + 5000));
        }
        let expected = Lifetimes { keys: 3000, hashes: 0, sampled_ms: 64 * 5000, samples: 64 };
        assert_eq!(shard.lifetimes(NOW), expected);
        for number in 0..3000 {
            set_field(&mut shard, &format!("h{number}"), "f", Expiry::At(NOW + 5000));
        }
        let mixed = shard.lifetimes(NOW);
        assert!((1500..4500).contains(&mixed.keys) && mixed.keys + mixed.hashes <= 6000, "{mixed:?}");
    }
}
