//! The ghost queue: fingerprints of keys that were evicted lately, in bounded memory.
//!
//! A bucket is one cache line, a ring of 15 fingerprints. With as many places as keys are to be remembered, a key is
//! remembered for about that many evictions. When the size changes, the old buckets are kept for reading meanwhile.

const PLACES: usize = 15;

#[derive(Clone, Copy, Default, Debug)]
#[repr(align(64))]
struct Bucket {
    fingerprints: [u32; PLACES],
    /// Where the next fingerprint goes. `0 <= next < PLACES`.
    next: u32,
}

/// Keys that were evicted lately.
#[derive(Default, Debug)]
pub struct Ghost {
    buckets: Vec<Bucket>,
    old: Vec<Bucket>,
    /// Keys noted since the size changed.
    noted: usize,
}

fn at(buckets: &[Bucket], hash: u64) -> usize {
    ((u128::from(hash) * buckets.len() as u128) >> 64) as usize
}

/// Never 0, which is no key.
fn fingerprint(hash: u64) -> u32 {
    (hash as u32).max(1)
}

impl Ghost {
    /// Keys that are remembered.
    pub fn capacity(&self) -> usize {
        self.buckets.len() * PLACES
    }

    /// Bytes of the fingerprints.
    pub fn bytes(&self) -> u64 {
        ((self.buckets.len() + self.old.len()) * size_of::<Bucket>()) as u64
    }

    /// Remembers about `wanted` keys from now on, if that is far from what it was.
    pub fn fit(&mut self, wanted: usize) {
        const CAPACITY_MIN: usize = 1024;
        let wanted = wanted.max(CAPACITY_MIN);
        if wanted > self.capacity() * 2 || wanted * 8 < self.capacity() {
            let buckets = vec![Bucket::default(); wanted.next_power_of_two() / PLACES + 1];
            self.old = std::mem::replace(&mut self.buckets, buckets);
            self.noted = 0;
        }
    }

    /// Remembers a key that was evicted.
    pub fn note(&mut self, hash: u64) {
        let place = at(&self.buckets, hash);
        let Some(bucket) = self.buckets.get_mut(place) else { return };
        bucket.fingerprints[bucket.next as usize] = fingerprint(hash);
        bucket.next = (bucket.next + 1) % PLACES as u32;
        self.noted += 1;
        if self.noted == self.old.len() * PLACES {
            self.old = Vec::new();
        }
    }

    /// Whether a key is remembered; it is forgotten by that.
    pub fn take(&mut self, hash: u64) -> bool {
        for buckets in [&mut self.buckets, &mut self.old] {
            let place = at(buckets, hash);
            let Some(bucket) = buckets.get_mut(place) else { continue };
            if let Some(found) = bucket.fingerprints.iter_mut().find(|held| **held == fingerprint(hash)) {
                *found = 0;
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Random;

    #[test]
    fn about_as_many_keys_are_remembered_as_wanted() {
        let mut ghost = Ghost::default();
        assert!(!ghost.take(7));
        ghost.fit(8192);
        let mut random = Random::new(1);
        let hashes: Vec<u64> = (0..30_000).map(|_| random.bits()).collect();
        hashes.iter().for_each(|hash| ghost.note(*hash));
        let recent = hashes[30_000 - 4000..].iter().filter(|hash| ghost.take(**hash)).count();
        assert!(recent > 3900, "{recent} of the last 4000 are remembered");
        assert!(hashes[..10_000].iter().filter(|hash| ghost.take(**hash)).count() < 100);
        assert!(!ghost.take(hashes[29_999]), "taken once");
    }

    #[test]
    fn another_size_keeps_what_is_remembered() {
        let mut ghost = Ghost::default();
        ghost.fit(1024);
        ghost.note(5 << 40);
        ghost.fit(10_000);
        assert!(ghost.take(5 << 40));
        assert!(ghost.bytes() < 100_000);
        (0..1100u64).for_each(|hash| ghost.note(hash << 32));
        assert!(ghost.old.is_empty());
    }
}
