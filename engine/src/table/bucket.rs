//! Buckets: twelve entries in one cache line.

use bytemuck::{Pod, Zeroable};

use crate::arena::{Ref, equal_bytes};

/// Entries in a bucket.
pub const ENTRIES: usize = 12;

const OVERFLOWED: u16 = 0x8000;

/// Twelve one-byte tags that are compared at once, and the twelve objects that they stand for.
#[derive(Clone, Copy, Pod, Zeroable, Default, Debug)]
#[repr(C, align(8))]
pub struct Bucket {
    /// The low byte of each entry's hash, never 0; 0 where there is no entry.
    tags: [u8; ENTRIES],
    /// Bits 0–11: the entry has something that expires. Bit 15: an entry of this bucket stands in the next one.
    expiring: u16,
    /// Bits 0–11: the entry's object was made after the youngest fork of the slot.
    fresh: u16,
    objects: [Ref; ENTRIES],
}

const _: () = assert!(size_of::<Bucket>() == 64);

/// What an entry is, apart from its place.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The object.
    pub object: Ref,
    /// Whether it, or a field in it, expires.
    pub expiring: bool,
    /// Whether it was made after the youngest fork of its slot.
    pub fresh: bool,
}

/// The tag of a hash.
#[inline]
pub fn tag_of(hash: u64) -> u8 {
    (hash as u8).max(1)
}

impl Bucket {
    /// The entries with this tag, as bits.
    #[inline]
    pub fn matches(&self, tag: u8) -> u16 {
        let line: &[u64; 8] = bytemuck::cast_ref(self);
        equal_bytes(line[0], line[1], tag) & 0xfff
    }

    /// The entries that are there, as bits.
    #[inline]
    pub fn present(&self) -> u16 {
        !self.matches(0) & 0xfff
    }

    /// The object of an entry.
    #[inline]
    pub fn object(&self, index: usize) -> Ref {
        self.objects[index]
    }

    /// The entry at an index that is present.
    pub fn entry(&self, index: usize) -> Entry {
        let bit = 1 << index;
        Entry {
            object: self.objects[index],
            expiring: self.expiring & bit != 0,
            fresh: self.fresh & bit != 0,
        }
    }

    /// Whether entries of this bucket stand in the next one.
    #[inline]
    pub fn overflowed(&self) -> bool {
        self.expiring & OVERFLOWED != 0
    }

    /// Notes that an entry of this bucket stands in the next one.
    pub fn set_overflowed(&mut self) {
        self.expiring |= OVERFLOWED;
    }

    /// Entries that expire, as bits.
    pub fn expiring(&self) -> u16 {
        self.expiring & !OVERFLOWED
    }

    /// Adds an entry if there is room.
    pub fn add(&mut self, tag: u8, entry: Entry) -> bool {
        let free = self.matches(0);
        if free == 0 {
            return false;
        }
        let index = free.trailing_zeros() as usize;
        self.tags[index] = tag;
        self.set(index, entry);
        true
    }

    /// Changes the entry at an index.
    pub fn set(&mut self, index: usize, entry: Entry) {
        let bit = 1 << index;
        self.objects[index] = entry.object;
        self.expiring = if entry.expiring { self.expiring | bit } else { self.expiring & !bit };
        self.fresh = if entry.fresh { self.fresh | bit } else { self.fresh & !bit };
    }

    /// Takes an entry away.
    pub fn clear(&mut self, index: usize) {
        self.tags[index] = 0;
        self.set(index, Entry { object: Ref::NONE, expiring: false, fresh: false });
    }

    /// Forgets what is younger than the youngest fork: a new fork sees all of it.
    pub fn forget_fresh(&mut self) {
        self.fresh = 0;
    }
}

/// The indices of the bits that are set.
pub fn indices(mut bits: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        if bits == 0 {
            return None;
        }
        let index = bits.trailing_zeros() as usize;
        bits &= bits - 1;
        Some(index)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_entries_fit_and_are_found_by_tag() {
        let mut bucket = Bucket::default();
        for number in 1..=12u32 {
            let entry = Entry { object: Ref(number), expiring: number % 2 == 0, fresh: number % 3 == 0 };
            assert!(bucket.add((number % 4 + 1) as u8, entry));
        }
        assert!(!bucket.add(9, Entry { object: Ref(13), expiring: false, fresh: false }));
        let found: Vec<u32> = indices(bucket.matches(2)).map(|index| bucket.object(index).0).collect();
        assert_eq!(found, [1, 5, 9]);
        assert_eq!(bucket.present(), 0xfff);
        bucket.clear(4);
        assert_eq!(indices(bucket.matches(2)).count(), 2);
        bucket.set_overflowed();
        assert!(bucket.overflowed());
        assert_eq!(bucket.expiring().count_ones(), 6);
        assert!(bucket.entry(11).expiring && bucket.entry(11).fresh);
        bucket.forget_fresh();
        assert!(!bucket.entry(11).fresh);
    }

    #[test]
    fn no_hash_has_the_tag_of_an_empty_entry() {
        assert!((0..=255u64).all(|hash| tag_of(hash) != 0));
    }
}
