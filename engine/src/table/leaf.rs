//! Leaves: how entries are laid into buckets, and which sizes a leaf may have.

use super::bucket::{Bucket, ENTRIES, Entry, tag_of};
use super::{Child, FANOUT, Inner, LEVEL_BITS, branch, home, next_bucket};
use crate::arena::ArenaError;
use crate::memory::Memory;

/// Buckets of the largest leaf: 4 KiB.
pub const BUCKETS_MAX: usize = 64;

/// The sizes of leaves, in buckets; each is at most a third larger than the one before, most a quarter or less.
const SIZES: [u8; 20] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64];

/// The smallest leaf size above `bucket_count`, if there is one.
pub fn next_size(bucket_count: usize) -> Option<usize> {
    SIZES.iter().map(|size| usize::from(*size)).find(|size| *size > bucket_count)
}

/// The leaf size for `count` entries when they may change: 5 in 6 places taken at most.
pub fn size_for(count: usize) -> Option<usize> {
    let wanted = (count * 6).div_ceil(ENTRIES * 5).max(1);
    SIZES.iter().map(|size| usize::from(*size)).find(|size| *size >= wanted)
}

/// Lays an entry into its bucket or the next one; says whether there was room. Also used for leaves in place.
#[inline]
pub fn place(buckets: &mut [Bucket], shifted: u64, tag: u8, entry: Entry) -> bool {
    let at = home(shifted, buckets.len());
    if buckets[at].add(tag, entry) {
        return true;
    }
    let next = next_bucket(at, buckets.len());
    if next == at || !buckets[next].add(tag, entry) {
        return false;
    }
    buckets[at].set_overflowed();
    true
}

impl Memory {
    /// Makes a leaf, or an inner node above several, of entries with their full hashes. `depth` levels stand above it;
    /// `smallest` is the least number of buckets, if it is a leaf.
    pub(super) fn build(
        &mut self,
        entries: &[(u64, Entry)],
        depth: u32,
        smallest: usize,
        expiry_s: u32,
    ) -> Result<Child, ArenaError> {
        if entries.is_empty() {
            return Ok(Child::default());
        }
        let mut size = size_for(entries.len()).map(|size| size.max(smallest));
        while let Some(bucket_count) = size {
            if bucket_count > BUCKETS_MAX {
                break;
            }
            let mut buckets = [Bucket::default(); BUCKETS_MAX];
            let fits = entries.iter().all(|(hash, entry)| {
                place(&mut buckets[..bucket_count], hash << (LEVEL_BITS * depth), tag_of(*hash), *entry)
            });
            if fits {
                let node = self.create_node(bucket_count * size_of::<Bucket>())?;
                self.arena.slice_mut::<Bucket>(node, bucket_count).copy_from_slice(&buckets[..bucket_count]);
                return Ok(Child {
                    node,
                    birth: self.epoch,
                    expiry_s,
                    count: entries.len() as u16,
                    buckets: bucket_count as u8,
                    padding: 0,
                });
            }
            size = next_size(bucket_count);
        }
        self.build_inner(entries, depth, expiry_s)
    }

    fn build_inner(
        &mut self,
        entries: &[(u64, Entry)],
        depth: u32,
        expiry_s: u32,
    ) -> Result<Child, ArenaError> {
        if depth >= super::DEPTH_MAX {
            // Two dozen keys that agree in 60 bits of a seeded hash: not by chance, and not without knowing the seed.
            return Err(ArenaError::Full);
        }
        let mut parts: [Vec<(u64, Entry)>; FANOUT] = Default::default();
        for (hash, entry) in entries {
            parts[branch(hash << (LEVEL_BITS * depth))].push((*hash, *entry));
        }
        let mut inner = Inner::default();
        for (at, part) in parts.iter().enumerate() {
            match self.build(part, depth + 1, 1, expiry_s) {
                Ok(child) => inner.children[at] = child,
                Err(error) => {
                    for child in &inner.children[..at] {
                        self.drop_built(*child);
                    }
                    return Err(error);
                }
            }
        }
        let node = match self.create_node(size_of::<Inner>()) {
            Ok(node) => node,
            Err(error) => {
                for child in inner.children {
                    self.drop_built(child);
                }
                return Err(error);
            }
        };
        *self.arena.get_mut::<Inner>(node) = inner;
        Ok(Child { node, birth: self.epoch, expiry_s, ..Child::default() })
    }

    /// Takes back nodes that were built in vain; their entries stay with the old leaf.
    fn drop_built(&mut self, child: Child) {
        if child.is_inner() {
            let inner: Inner = *self.arena.get(child.node);
            for below in inner.children {
                self.drop_built(below);
            }
        }
        if !child.is_none() {
            self.drop_node(child.node, false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_fill_their_size_class() {
        for size in SIZES {
            let bytes = usize::from(size) * size_of::<Bucket>();
            assert_eq!(crate::arena::SizeClass::holding(bytes).bytes(), bytes);
        }
        assert_eq!(next_size(64), None);
        assert_eq!(size_for(1), Some(1));
        assert_eq!(size_for(640), Some(64));
        assert_eq!(size_for(641), None);
    }
}
