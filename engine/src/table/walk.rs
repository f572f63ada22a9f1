//! Walking a table in hash order: leaf by leaf for forks, bucket by bucket for SCAN, by due time for expiry.

use super::bucket::{Bucket, ENTRIES, Entry, indices};
use super::change::earliest;
use super::{Child, FANOUT, Found, Inner, LEVEL_BITS, TableRoot, branch, home, next_bucket};
use crate::arena::{Purpose, Ref};
use crate::memory::Memory;

/// A leaf and the range of hashes that belong to it.
#[derive(Clone, Copy, Debug)]
pub struct LeafView {
    leaf: Child,
    depth: u32,
    low: u64,
}

impl LeafView {
    /// A leaf by itself, whatever its range.
    pub fn alone(leaf: Child) -> LeafView {
        LeafView { leaf, depth: 0, low: 0 }
    }

    /// The node of the leaf.
    pub fn node(&self) -> Ref {
        self.leaf.node
    }

    /// The first hash behind the leaf's range, unless the leaf is the last.
    pub fn end(&self) -> Option<u64> {
        if self.depth == 0 {
            return None;
        }
        self.low.checked_add(1 << (u64::BITS - LEVEL_BITS * self.depth))
    }

    /// How many places for entries the leaf has.
    pub fn places(&self) -> usize {
        self.leaf.bucket_count() * ENTRIES
    }

    /// The first hash of the leaf's range.
    pub fn low(&self) -> u64 {
        self.low
    }
}

impl Memory {
    /// The leaf, perhaps an empty one, whose range holds a hash.
    pub fn leaf_view(&self, root: Child, hash: u64) -> LeafView {
        let (mut leaf, mut depth) = (root, 0);
        while leaf.is_inner() {
            leaf = self.arena.get::<Inner>(leaf.node).children[branch(hash << (LEVEL_BITS * depth))];
            depth += 1;
        }
        let low = if depth == 0 { 0 } else { hash & !(u64::MAX >> (LEVEL_BITS * depth)) };
        LeafView { leaf, depth, low }
    }

    /// The entry at a place of a leaf, if there is one.
    pub fn entry_at(&self, view: &LeafView, place: usize) -> Option<Found> {
        let buckets = self.arena.slice::<Bucket>(view.leaf.node, view.leaf.bucket_count());
        let (bucket, index) = (place / ENTRIES, place % ENTRIES);
        (buckets[bucket].present() & (1 << index) != 0).then(|| Found {
            object: buckets[bucket].object(index),
            leaf: view.leaf.node,
            bucket: bucket as u8,
            index: index as u8,
        })
    }

    /// The children of an inner node.
    pub fn children(&self, inner: Child) -> impl Iterator<Item = Child> + use<> {
        let inner: Inner = *self.arena.get(inner.node);
        inner.children.into_iter().filter(|child| !child.is_none())
    }

    /// Asks for the objects of the bucket behind the one that begins at a place; at the first one, for its own too.
    #[inline]
    pub fn prefetch_ahead(&self, view: &LeafView, place: usize) {
        let buckets = self.arena.slice::<Bucket>(view.leaf.node, view.leaf.bucket_count());
        let next = place / ENTRIES + 1;
        let first = if place == 0 { 0 } else { next };
        for bucket in buckets.iter().take(next + 1).skip(first) {
            indices(bucket.present()).for_each(|index| self.arena.prefetch(bucket.object(index)));
        }
    }

    /// Visits all entries of one bucket's hash range, beginning with `cursor`; answers the next cursor, or nothing at
    /// the end. An entry that is there during the whole of a scan is visited exactly once.
    pub fn scan_bucket(&self, root: &TableRoot, cursor: u64, mut visit: impl FnMut(Ref)) -> Option<u64> {
        let view = self.leaf_view(root.child, cursor);
        if view.leaf.is_none() {
            return view.end();
        }
        let shift = LEVEL_BITS * view.depth;
        let buckets = self.arena.slice::<Bucket>(view.leaf.node, view.leaf.bucket_count());
        let at = home(cursor << shift, buckets.len());
        let mut visit_own = |bucket: &Bucket| {
            for object in indices(bucket.present()).map(|index| bucket.object(index)) {
                let hash = self.hash_of(object);
                if hash >= cursor && home(hash << shift, buckets.len()) == at {
                    visit(object);
                }
            }
        };
        visit_own(&buckets[at]);
        if buckets[at].overflowed() {
            visit_own(&buckets[next_bucket(at, buckets.len())]);
        }
        if at + 1 == buckets.len() {
            return view.end();
        }
        let boundary = ((at as u64 + 1) << 32).div_ceil(buckets.len() as u64);
        Some(view.low | (boundary << 32) >> shift)
    }

    /// An entry chosen by random bits; entries of one table are chosen with about equal chances.
    pub fn random_entry(&self, root: &TableRoot, mut random: impl FnMut() -> u64) -> Option<Found> {
        if root.count == 0 {
            return None;
        }
        // The leaf of a random hash: leaves hold about as much of the keys as of the hashes. A branch without keys is no
        // choice; trying anew keeps its neighbours' chances what they were.
        const DESCENTS: usize = 64;
        /// Carries whatever bits are random to the upper ones, by which leaves are found.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let child = (0..DESCENTS)
            .map(|_| self.leaf_of(root.child, random().wrapping_mul(SPREAD)).0)
            .find(|leaf| !leaf.is_none())
            .or_else(|| self.first_leaf(root.child))?;
        let view = LeafView::alone(child);
        // A leaf is at least two fifths full, or has one bucket; trying places at random keeps chances equal.
        const TRIES: usize = 64;
        for _ in 0..TRIES {
            if let Some(found) = self.entry_at(&view, random() as usize % view.places()) {
                return Some(found);
            }
        }
        (0..view.places()).find_map(|place| self.entry_at(&view, place))
    }

    /// An entry that expires, or holds something that does, chosen by random bits; entries that never expire are passed
    /// over without a look at their objects.
    pub fn random_expiring(&self, root: &TableRoot, mut random: impl FnMut() -> u64) -> Option<Ref> {
        /// Places tried at random before all of a leaf are looked at.
        const TRIES: usize = 48;
        if root.expiring == 0 {
            return None;
        }
        let mut child = root.child;
        while child.is_inner() {
            let inner: &Inner = self.arena.get(child.node);
            let first = random() as usize;
            child = (0..FANOUT)
                .map(|step| if step < FANOUT / 2 { random() as usize } else { first + step })
                .chain(first..first + FANOUT)
                .map(|at| inner.children[at % FANOUT])
                .find(|child| !child.is_none() && child.expiry_s != 0)?;
        }
        let buckets = self.arena.slice::<Bucket>(child.node, child.bucket_count());
        let start = random() as usize;
        for _ in 0..TRIES {
            let place = random() as usize % (buckets.len() * ENTRIES);
            let (bucket, index) = (&buckets[place / ENTRIES], place % ENTRIES);
            if bucket.expiring() & 1 << index != 0 {
                return Some(bucket.object(index));
            }
        }
        (start % buckets.len()..buckets.len())
            .chain(0..start % buckets.len())
            .find_map(|at| indices(buckets[at].expiring()).next().map(|index| buckets[at].object(index)))
    }

    /// Moves the nodes on the way to a hash that lie in sparse pages. No fork may see the table.
    pub fn settle_path(&mut self, root: &mut TableRoot, hash: u64) {
        let mut above: Option<(Ref, usize)> = None;
        let (mut child, mut shifted) = (root.child, hash);
        while !child.is_none() {
            let node = self.settle(Purpose::Node, child.node);
            if node != child.node {
                child.node = node;
                match above {
                    None => root.child.node = node,
                    Some((inner, at)) => self.arena.get_mut::<Inner>(inner).children[at].node = node,
                }
            }
            if !child.is_inner() {
                return;
            }
            let at = branch(shifted);
            above = Some((node, at));
            child = self.arena.get::<Inner>(node).children[at];
            shifted <<= LEVEL_BITS;
        }
    }

    /// Moves the object at a place of a leaf if it lies in a sparse page; answers where it is. No fork may see it.
    pub fn settle_object(&mut self, view: &LeafView, place: usize, object: Ref) -> Ref {
        let moved = self.settle(Purpose::Object, object);
        if moved != object {
            let buckets = self.arena.slice_mut::<Bucket>(view.leaf.node, view.leaf.bucket_count());
            let bucket = &mut buckets[place / ENTRIES];
            let entry = bucket.entry(place % ENTRIES);
            assert_eq!(entry.object, object, "the entry stands where it was found");
            bucket.set(place % ENTRIES, Entry { object: moved, ..entry });
        }
        moved
    }

    /// The first leaf that is not empty.
    fn first_leaf(&self, mut child: Child) -> Option<Child> {
        while child.is_inner() {
            let inner: &Inner = self.arena.get(child.node);
            child = *inner.children.iter().find(|child| !child.is_none())?;
        }
        (!child.is_none()).then_some(child)
    }

    /// The first leaf at or behind a hash that may hold something that has expired by `now_s`.
    pub fn due_leaf(&self, root: &TableRoot, from: u64, now_s: u32) -> Option<LeafView> {
        let mut hash = from;
        loop {
            let (mut child, mut depth) = (root.child, 0);
            while child.is_inner() && is_due(child, now_s) {
                child = self.arena.get::<Inner>(child.node).children[branch(hash << (LEVEL_BITS * depth))];
                depth += 1;
            }
            let low = if depth == 0 { 0 } else { hash & !(u64::MAX >> (LEVEL_BITS * depth)) };
            let view = LeafView { leaf: child, depth, low };
            if is_due(child, now_s) && !child.is_none() {
                return Some(view);
            }
            hash = view.end()?;
        }
    }

    /// The entries of a leaf that expire, or hold something that does.
    pub fn expiring_entries(&self, view: &LeafView, into: &mut Vec<Ref>) {
        let buckets = self.arena.slice::<Bucket>(view.leaf.node, view.leaf.bucket_count());
        for bucket in buckets {
            into.extend(indices(bucket.expiring()).map(|index| bucket.object(index)));
        }
    }

    /// Sets the bound of the leaf that holds a hash, and of all that stands above it.
    pub fn set_expiry_bound(&mut self, root: &mut TableRoot, hash: u64, expiry_s: u32) {
        root.child = self.bound(root.child, hash, expiry_s);
    }

    fn bound(&mut self, mut child: Child, shifted: u64, expiry_s: u32) -> Child {
        if !child.is_inner() {
            child.expiry_s = expiry_s;
            return child;
        }
        let at = branch(shifted);
        let below = self.arena.get::<Inner>(child.node).children[at];
        let below = self.bound(below, shifted << LEVEL_BITS, expiry_s);
        let inner: &mut Inner = self.arena.get_mut(child.node);
        inner.children[at] = below;
        child.expiry_s = inner.children.iter().fold(0, |bound, child| earliest(bound, child.expiry_s));
        child
    }
}

fn is_due(child: Child, now_s: u32) -> bool {
    child.expiry_s != 0 && child.expiry_s <= now_s
}
