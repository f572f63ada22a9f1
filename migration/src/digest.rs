//! Digests by which both sides know that they speak of the same: of each lane's frames, and of what each slot came to.

use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

/// The digest of all numbered frames of a lane, in their order. It is made of their checksums, so it costs next to nothing.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LaneDigest(u64);

impl LaneDigest {
    /// Adds the next frame by its checksum.
    #[inline]
    pub fn add(&mut self, checksum: u64) {
        self.0 = xxh3_64_with_seed(&checksum.to_le_bytes(), self.0);
    }

    /// The digest.
    pub fn value(self) -> u64 {
        self.0
    }
}

/// The digest of what each slot came to, in the order of the batch.
#[derive(Default)]
pub struct SlotsDigest {
    hash: Xxh3,
    keys: u64,
    deltas: u64,
}

impl SlotsDigest {
    /// Adds the next slot: which copy of it, how many deltas since, how many keys now.
    pub fn add(&mut self, copy: u16, deltas: u64, keys: u64) {
        self.hash.update(&u64::from(copy).to_le_bytes());
        self.hash.update(&deltas.to_le_bytes());
        self.hash.update(&keys.to_le_bytes());
        self.keys += keys;
        self.deltas += deltas;
    }

    /// All keys, all deltas, and the digest.
    pub fn value(&self) -> (u64, u64, u64) {
        (self.keys, self.deltas, self.hash.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_number_of_frames_matter() {
        let digest = |checksums: &[u64]| {
            let mut digest = LaneDigest::default();
            checksums.iter().for_each(|checksum| digest.add(*checksum));
            digest.value()
        };
        let all = [digest(&[]), digest(&[1]), digest(&[1, 2]), digest(&[2, 1]), digest(&[1, 2, 2])];
        for (index, one) in all.iter().enumerate() {
            assert!(all[..index].iter().all(|other| other != one));
        }
    }

    #[test]
    fn every_figure_of_every_slot_matters() {
        let digest = |slots: &[(u16, u64, u64)]| {
            let mut digest = SlotsDigest::default();
            slots.iter().for_each(|(copy, deltas, keys)| digest.add(*copy, *deltas, *keys));
            digest.value()
        };
        assert_eq!(digest(&[(1, 2, 3), (1, 5, 0)]), digest(&[(1, 2, 3), (1, 5, 0)]));
        assert_eq!(digest(&[(1, 2, 3), (1, 5, 0)]).0, 3);
        assert_eq!(digest(&[(1, 2, 3), (1, 5, 0)]).1, 7);
        for other in [[(2, 2, 3), (1, 5, 0)], [(1, 2, 3), (1, 4, 1)], [(1, 5, 0), (1, 2, 3)]] {
            assert_ne!(digest(&[(1, 2, 3), (1, 5, 0)]).2, digest(&other).2);
        }
    }
}
