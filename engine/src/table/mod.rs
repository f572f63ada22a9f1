//! The table: finds an object by its key's hash. Slots are tables of keys, large hashes are tables of fields.
//!
//! A table is a tree by hash bits: inner nodes have 16 children (four bits each), leaves have 1 to 64 buckets of one cache
//! line. Within a leaf, buckets are ordered by hash, so that walking a table in hash order visits every entry that stays
//! exactly once, however the table grows or shrinks meanwhile. A leaf grows by about a quarter at a time; one of 64 full
//! buckets becomes an inner node with 16 small leaves. No operation touches more than one leaf and the inner nodes above
//! it, hence at most 4 KiB and a few small nodes, however large the table is.
//!
//! Every node's birth epoch stands in its parent. A change behind a fork copies the path to the leaf first (`Guard`).

mod bucket;
mod change;
mod leaf;
mod walk;

use bytemuck::{Pod, Zeroable};

use crate::arena::Ref;
use crate::memory::Memory;
use crate::object;

pub use bucket::{Bucket, ENTRIES, Entry, indices, tag_of};
pub use leaf::BUCKETS_MAX;
pub use walk::LeafView;

/// Children of an inner node.
pub const FANOUT: usize = 16;

/// Hash bits that one level uses.
const LEVEL_BITS: u32 = 4;

/// Levels of inner nodes at the most; below them a leaf cannot split any more.
const DEPTH_MAX: u32 = 14;

/// A node as its parent knows it.
#[derive(Clone, Copy, Pod, Zeroable, Default, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Child {
    /// Where the node is, or nothing.
    pub node: Ref,
    /// The epoch in which the node was made.
    pub birth: u32,
    /// Nothing below expires before this Unix second; 0 if nothing below expires at all.
    pub expiry_s: u32,
    /// Entries, of a leaf.
    count: u16,
    /// Buckets of a leaf, 0 of an inner node.
    buckets: u8,
    padding: u8,
}

const _: () = assert!(size_of::<Child>() == 16);

impl Child {
    /// Whether there is no node.
    #[inline]
    pub fn is_none(self) -> bool {
        self.node.is_none()
    }

    /// Whether the node has children rather than entries.
    #[inline]
    pub fn is_inner(self) -> bool {
        self.buckets == 0 && !self.node.is_none()
    }

    /// Buckets of a leaf.
    #[inline]
    pub fn bucket_count(self) -> usize {
        usize::from(self.buckets)
    }

    /// Bytes of the node.
    fn bytes(self) -> usize {
        if self.is_inner() { size_of::<Inner>() } else { self.bucket_count() * size_of::<Bucket>() }
    }
}

/// A node with children.
#[derive(Clone, Copy, Pod, Zeroable, Default, Debug)]
#[repr(C)]
pub struct Inner {
    /// By four bits of the hash, in order.
    pub children: [Child; FANOUT],
}

/// A table.
#[derive(Clone, Copy, Pod, Zeroable, Default, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct TableRoot {
    /// The topmost node.
    pub child: Child,
    /// Entries in the table.
    pub count: u32,
    /// Entries that expire, or hold something that does.
    pub expiring: u32,
}

const _: () = assert!(size_of::<TableRoot>() == 24);

/// Where an entry was found. Holds until the table is changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// The object.
    pub object: Ref,
    leaf: Ref,
    bucket: u8,
    index: u8,
}

impl Found {
    /// The same place, where another object was put.
    pub fn with_object(self, object: Ref) -> Found {
        Found { object, ..self }
    }
}

/// The bucket that a hash, shifted to the leaf's level, belongs to.
#[inline]
fn home(shifted: u64, bucket_count: usize) -> usize {
    (((shifted >> 32) * bucket_count as u64) >> 32) as usize
}

/// The child of an inner node that a shifted hash belongs to.
#[inline]
fn branch(shifted: u64) -> usize {
    (shifted >> (u64::BITS - LEVEL_BITS)) as usize
}

impl Memory {
    /// Finds the entry of a key.
    #[inline]
    pub fn find(&self, root: &TableRoot, hash: u64, key: &[u8]) -> Option<Found> {
        let (leaf, shifted) = self.leaf_of(root.child, hash);
        if leaf.is_none() {
            return None;
        }
        let tag = tag_of(hash);
        let buckets = self.arena.slice::<Bucket>(leaf.node, leaf.bucket_count());
        let mut at = home(shifted, buckets.len());
        let overflowed = buckets[at].overflowed();
        for _ in 0..2 {
            for index in indices(buckets[at].matches(tag)) {
                let object = buckets[at].object(index);
                if object::key_is(&self.arena, object, key) {
                    return Some(Found { object, leaf: leaf.node, bucket: at as u8, index: index as u8 });
                }
            }
            if !overflowed {
                break;
            }
            at = next_bucket(at, buckets.len());
        }
        None
    }

    /// Asks for the bucket that a key will be looked for in.
    #[inline]
    pub fn prefetch_bucket(&self, root: &TableRoot, hash: u64) {
        let (leaf, shifted) = self.leaf_of(root.child, hash);
        if !leaf.is_none() {
            let at = home(shifted, leaf.bucket_count());
            self.arena
                .prefetch(Ref(leaf.node.0 + (at * (size_of::<Bucket>() / crate::arena::UNIT_BYTES)) as u32));
        }
    }

    /// Asks for the object that probably belongs to a hash.
    #[inline]
    pub fn prefetch_object(&self, root: &TableRoot, hash: u64) {
        let (leaf, shifted) = self.leaf_of(root.child, hash);
        if leaf.is_none() {
            return;
        }
        let buckets = self.arena.slice::<Bucket>(leaf.node, leaf.bucket_count());
        let bucket = &buckets[home(shifted, buckets.len())];
        if let Some(index) = indices(bucket.matches(tag_of(hash))).next() {
            let object = bucket.object(index);
            // Most objects lie in two cache lines, some in three.
            self.arena.prefetch(object);
            self.arena.prefetch(Ref(object.0.saturating_add(8)));
            self.arena.prefetch(Ref(object.0.saturating_add(11)));
        }
    }

    /// The leaf that a hash belongs to, and the hash shifted to its level.
    #[inline]
    fn leaf_of(&self, mut child: Child, hash: u64) -> (Child, u64) {
        let mut shifted = hash;
        while child.is_inner() {
            child = self.arena.get::<Inner>(child.node).children[branch(shifted)];
            shifted <<= LEVEL_BITS;
        }
        (child, shifted)
    }
}

#[inline]
fn next_bucket(at: usize, bucket_count: usize) -> usize {
    if at + 1 == bucket_count { 0 } else { at + 1 }
}

#[cfg(test)]
mod tests;
