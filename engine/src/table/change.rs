//! Changing a table: insert, replace, remove, with the path copied first where a fork may see it.

use super::bucket::{Bucket, ENTRIES, Entry, indices, tag_of};
use super::leaf::{next_size, place};
use super::{Child, DEPTH_MAX, Found, Inner, LEVEL_BITS, TableRoot, branch};
use crate::arena::{ArenaError, Ref};
use crate::memory::{Guard, Memory};

/// Leaves of one inner node that hold no more than this in all become one leaf again.
const MERGE_COUNT_MAX: usize = 240;

/// The way from a root down to a leaf: the inner nodes, topmost first.
struct Path {
    inners: [Ref; DEPTH_MAX as usize + 1],
    depth: usize,
    /// The leaf, or nothing.
    leaf: Child,
}

impl Path {
    fn start(root: &TableRoot) -> Self {
        Self { inners: [Ref::NONE; DEPTH_MAX as usize + 1], depth: 0, leaf: root.child }
    }
}

impl Memory {
    /// Adds an entry for a key that is not there yet. `expires_s` is the earliest second at which it, or something in it,
    /// expires. On an error the table holds what it held.
    pub fn insert(
        &mut self,
        root: &mut TableRoot,
        hash: u64,
        object: Ref,
        expires_s: Option<u32>,
        guard: Guard,
    ) -> Result<(), ArenaError> {
        let mut path = Path::start(root);
        self.own_path(root, &mut path, hash, guard)?;
        let entry = Entry { object, expiring: expires_s.is_some(), fresh: guard.is_keep() };
        let mut leaf = path.leaf;
        let shifted = hash << (LEVEL_BITS * path.depth as u32);
        let buckets = self.arena.slice_mut::<Bucket>(leaf.node, leaf.bucket_count());
        if !leaf.is_none() && place(buckets, shifted, tag_of(hash), entry) {
            leaf.count += 1;
        } else {
            let mut entries = self.gather(leaf);
            entries.push((hash, entry));
            let smallest = next_size(leaf.bucket_count()).unwrap_or(usize::MAX);
            let built = self.build(&entries, path.depth as u32, smallest, leaf.expiry_s);
            self.scratch = entries;
            let built = built?;
            if !leaf.is_none() {
                self.drop_node(leaf.node, false);
            }
            leaf = built;
        }
        self.set_leaf(root, &path, hash, leaf);
        root.count += 1;
        if let Some(expires_s) = expires_s {
            root.expiring += 1;
            self.note_expiry(root, hash, expires_s);
        }
        Ok(())
    }

    /// Puts another object in the place of one that was found, for the same key. The old object is still the caller's;
    /// the answer says whether a fork may see it.
    pub fn replace(
        &mut self,
        root: &mut TableRoot,
        hash: u64,
        found: Found,
        object: Ref,
        expires_s: Option<u32>,
        guard: Guard,
    ) -> Result<bool, ArenaError> {
        let mut leaf = found.leaf;
        if guard.is_keep() {
            let mut path = Path::start(root);
            self.own_path(root, &mut path, hash, guard)?;
            leaf = path.leaf.node;
        }
        let bucket = self.bucket_mut(leaf, found.bucket);
        let old = bucket.entry(usize::from(found.index));
        assert_eq!(old.object, found.object, "the table changed since the entry was found");
        let entry = Entry { object, expiring: expires_s.is_some(), fresh: guard.is_keep() };
        bucket.set(usize::from(found.index), entry);
        root.expiring = root.expiring + u32::from(entry.expiring) - u32::from(old.expiring);
        if let Some(expires_s) = expires_s {
            self.note_expiry(root, hash, expires_s);
        }
        Ok(guard.is_keep() && !old.fresh)
    }

    /// Whether the object that was found may be changed in place.
    pub fn is_own(&self, root: &TableRoot, hash: u64, found: Found, guard: Guard) -> bool {
        if !guard.is_keep() {
            return true;
        }
        // The path is unshared exactly if the leaf is: a child is never older than its parent's copy of it says.
        let (leaf, _) = self.leaf_of(root.child, hash);
        !guard.shares(leaf.birth)
            && self.arena.slice::<Bucket>(leaf.node, leaf.bucket_count())[usize::from(found.bucket)]
                .entry(usize::from(found.index))
                .fresh
    }

    /// Notes in place that the entry's object got, or lost, something that expires.
    pub fn set_expiring(&mut self, root: &mut TableRoot, hash: u64, found: Found, expires_s: Option<u32>) {
        let bucket = self.bucket_mut(found.leaf, found.bucket);
        let old = bucket.entry(usize::from(found.index));
        if !old.expiring && expires_s.is_none() {
            return;
        }
        bucket.set(usize::from(found.index), Entry { expiring: expires_s.is_some(), ..old });
        root.expiring = root.expiring + u32::from(expires_s.is_some()) - u32::from(old.expiring);
        if let Some(expires_s) = expires_s {
            self.note_expiry(root, hash, expires_s);
        }
    }

    /// Takes an entry away. The object is still the caller's; the answer says whether a fork may see it.
    pub fn remove(
        &mut self,
        root: &mut TableRoot,
        hash: u64,
        found: Found,
        guard: Guard,
    ) -> Result<bool, ArenaError> {
        let mut path = Path::start(root);
        self.own_path(root, &mut path, hash, guard)?;
        let mut leaf = path.leaf;
        let bucket = self.bucket_mut(leaf.node, found.bucket);
        let old = bucket.entry(usize::from(found.index));
        assert_eq!(old.object, found.object, "the table changed since the entry was found");
        bucket.clear(usize::from(found.index));
        root.count -= 1;
        root.expiring -= u32::from(old.expiring);
        leaf.count -= 1;
        self.shrink(root, &path, hash, leaf, guard);
        Ok(guard.is_keep() && !old.fresh)
    }

    /// Makes the leaf smaller when it has become sparse. Not having memory for that is no error: it stays as it is.
    fn shrink(&mut self, root: &mut TableRoot, path: &Path, hash: u64, leaf: Child, guard: Guard) {
        if leaf.count == 0 {
            self.drop_node(leaf.node, false);
            self.set_leaf(root, path, hash, Child::default());
            if !self.drop_empty(root, path, hash, guard) {
                self.merge(root, path, hash, guard);
            }
            return;
        }
        self.set_leaf(root, path, hash, leaf);
        let sparse = usize::from(leaf.count) * 5 < leaf.bucket_count() * ENTRIES * 2;
        if leaf.bucket_count() == 1 || !sparse {
            return;
        }
        let entries = self.gather(leaf);
        let built = self.build(&entries, path.depth as u32, 1, leaf.expiry_s);
        self.scratch = entries;
        let Ok(built) = built else { return };
        self.drop_node(leaf.node, false);
        self.set_leaf(root, path, hash, built);
        self.merge(root, path, hash, guard);
    }

    /// Drops the inner nodes on the path that have no child left; says whether there was one.
    fn drop_empty(&mut self, root: &mut TableRoot, path: &Path, hash: u64, guard: Guard) -> bool {
        let mut dropped = false;
        for depth in (0..path.depth).rev() {
            let inner: &Inner = self.arena.get(path.inners[depth]);
            if inner.children.iter().any(|child| !child.is_none()) {
                break;
            }
            let own = self.child_at(root, path, depth, hash);
            self.drop_node(own.node, guard.walks(own.birth));
            self.set_child(root, path, depth, hash, Child::default());
            dropped = true;
        }
        dropped
    }

    /// Makes one leaf of the children of the lowest inner node on the path, if they hold little. Never while a fork is
    /// live: it may still need the path's siblings.
    fn merge(&mut self, root: &mut TableRoot, path: &Path, hash: u64, guard: Guard) {
        let Some(above) = path.depth.checked_sub(1).filter(|_| guard == Guard::Free) else { return };
        let inner: Inner = *self.arena.get(path.inners[above]);
        let count: usize = inner.children.iter().map(|child| usize::from(child.count)).sum();
        if count > MERGE_COUNT_MAX || inner.children.iter().any(|child| child.is_inner()) {
            return;
        }
        let mut entries = Vec::with_capacity(count);
        let mut expiry_s = 0;
        for child in inner.children {
            entries.extend(self.gather(child));
            expiry_s = earliest(expiry_s, child.expiry_s);
        }
        let Ok(built) = self.build(&entries, above as u32, 1, expiry_s) else { return };
        for child in inner.children.iter().filter(|child| !child.is_none()) {
            self.drop_node(child.node, false);
        }
        self.drop_node(path.inners[above], false);
        self.set_child(root, path, above, hash, built);
    }

    /// Goes from the start down to the leaf of a hash. Where a fork must keep what it sees, shared nodes on the way are copied first.
    ///
    /// The path is written where the caller reads it, field by field: a copy of it would be read in larger pieces than it was
    /// written in, for which a processor waits until all stores before it are in the cache, a new value's among them.
    fn own_path(
        &mut self,
        root: &mut TableRoot,
        path: &mut Path,
        hash: u64,
        guard: Guard,
    ) -> Result<(), ArenaError> {
        loop {
            if guard.shares(path.leaf.birth) && !path.leaf.is_none() {
                path.leaf = self.own(path.leaf)?;
                self.set_child(root, path, path.depth, hash, path.leaf);
            }
            if !path.leaf.is_inner() {
                return Ok(());
            }
            path.inners[path.depth] = path.leaf.node;
            let at = branch(hash << (LEVEL_BITS * path.depth as u32));
            path.leaf = self.arena.get::<Inner>(path.leaf.node).children[at];
            path.depth += 1;
        }
    }

    /// Copies a node that a fork may see; the original is retired.
    fn own(&mut self, child: Child) -> Result<Child, ArenaError> {
        let node = self.create_node(child.bytes())?;
        self.arena.copy(child.node, node, child.bytes());
        if !child.is_inner() {
            self.arena
                .slice_mut::<Bucket>(node, child.bucket_count())
                .iter_mut()
                .for_each(Bucket::forget_fresh);
        }
        self.drop_node(child.node, true);
        Ok(Child { node, birth: self.epoch, ..child })
    }

    fn set_leaf(&mut self, root: &mut TableRoot, path: &Path, hash: u64, leaf: Child) {
        self.set_child(root, path, path.depth, hash, leaf);
    }

    /// What stands on the path at a depth.
    fn child_at(&self, root: &TableRoot, path: &Path, depth: usize, hash: u64) -> Child {
        match depth.checked_sub(1) {
            None => root.child,
            Some(above) => {
                self.arena.get::<Inner>(path.inners[above]).children
                    [branch(hash << (LEVEL_BITS * above as u32))]
            }
        }
    }

    /// Sets what stands on the path at a depth.
    fn set_child(&mut self, root: &mut TableRoot, path: &Path, depth: usize, hash: u64, child: Child) {
        match depth.checked_sub(1) {
            None => root.child = child,
            Some(above) => {
                let inner: &mut Inner = self.arena.get_mut(path.inners[above]);
                inner.children[branch(hash << (LEVEL_BITS * above as u32))] = child;
            }
        }
    }

    /// Lowers the bounds above an entry to the second at which it expires.
    pub(super) fn note_expiry(&mut self, root: &mut TableRoot, hash: u64, expires_s: u32) {
        root.child.expiry_s = earliest(root.child.expiry_s, expires_s);
        let (mut child, mut shifted) = (root.child, hash);
        while child.is_inner() {
            let inner: &mut Inner = self.arena.get_mut(child.node);
            let below = &mut inner.children[branch(shifted)];
            below.expiry_s = earliest(below.expiry_s, expires_s);
            (child, shifted) = (*below, shifted << LEVEL_BITS);
        }
    }

    /// All entries of a leaf with their hashes, in the shard's scratch memory.
    fn gather(&mut self, leaf: Child) -> Vec<(u64, Entry)> {
        let mut entries = std::mem::take(&mut self.scratch);
        entries.clear();
        if leaf.is_none() {
            return entries;
        }
        let buckets = self.arena.slice::<Bucket>(leaf.node, leaf.bucket_count());
        for (at, bucket) in buckets.iter().enumerate() {
            if let Some(next) = buckets.get(at + 1) {
                indices(next.present()).for_each(|index| self.arena.prefetch(next.object(index)));
            }
            for index in indices(bucket.present()) {
                let entry = bucket.entry(index);
                entries.push((self.hash_of(entry.object), entry));
            }
        }
        entries
    }

    #[inline]
    fn bucket_mut(&mut self, leaf: Ref, bucket: u8) -> &mut Bucket {
        &mut self.arena.slice_mut::<Bucket>(leaf, usize::from(bucket) + 1)[usize::from(bucket)]
    }
}

/// The earlier of two bounds, where 0 is never.
pub(super) fn earliest(one: u32, other: u32) -> u32 {
    match (one, other) {
        (0, bound) | (bound, 0) => bound,
        (one, other) => one.min(other),
    }
}
