//! All memory of one shard, and the one rule by which what a fork may see is kept.
//!
//! *Live* is what the slots hold now. What is unlinked while a fork may still see it is *retired* and freed when no fork
//! needs it; what is unlinked and too long to be freed at once is *reclaimed* step by step. Everything that is allocated is
//! in exactly one of the three, so the bytes that forks retain are what remains after the other two.

use std::collections::VecDeque;

use crate::access::AccessKind;
use crate::arena::{Arena, ArenaError, Purpose, Ref};
use crate::key::{self, HashSeed};
use crate::large::{LargeId, LargeString, Larges};
use crate::object::{self, Draft, Encoding, Parts};
use crate::table::{Bucket, Child, Entry, Inner, indices};

/// Whether a change must keep what it replaces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    /// The slot has no live fork: change in place, free at once.
    Free,
    /// All live forks are past this key: change in place, free at once, but leave nodes above that they still walk.
    Passed {
        /// The epoch of the slot's youngest fork.
        fork_epoch: u32,
    },
    /// A live fork needs it: nodes born at or before this epoch, and objects that are not fresh, stay as they are.
    Keep {
        /// The epoch of the slot's youngest fork.
        fork_epoch: u32,
    },
}

impl Guard {
    /// Whether a node with this birth may be seen by a fork.
    #[inline]
    pub fn shares(self, birth: u32) -> bool {
        matches!(self, Guard::Keep { fork_epoch } if birth <= fork_epoch)
    }

    /// Whether a fork, past this key or not, may still walk through an inner node with this birth.
    #[inline]
    pub fn walks(self, birth: u32) -> bool {
        match self {
            Guard::Free => false,
            Guard::Passed { fork_epoch } | Guard::Keep { fork_epoch } => birth <= fork_epoch,
        }
    }

    /// Whether something must be kept at all.
    #[inline]
    pub fn is_keep(self) -> bool {
        matches!(self, Guard::Keep { .. })
    }
}

/// Something that was unlinked while a fork may still see it.
#[derive(Debug)]
pub enum Retired {
    /// A node, alone.
    Node(Ref),
    /// An object whose nested table, if it has one, lives on.
    Shell(Ref),
    /// An object with all that hangs on it.
    Whole(Ref),
    /// A table with all that hangs on it.
    Table(Child),
}

/// Something that is freed step by step. `counted`: its bytes were live until it was unlinked and count as reclaiming; what
/// was retired counts as retained until it is really gone.
#[derive(Debug)]
enum Reclaim {
    Tables { stack: Vec<Child>, counted: bool },
    Large { string: LargeString, counted: bool },
    Retired(Vec<Retired>),
}

/// A large string of more chunks than this is dropped step by step.
const CHUNKS_AT_ONCE: usize = 4;

/// All memory of one shard.
#[derive(Debug)]
pub struct Memory {
    /// The pages.
    pub arena: Arena,
    /// Values outside the pages.
    pub larges: Larges,
    /// Seeds the hash of keys and fields.
    pub seed: HashSeed,
    /// What uses of keys are noted as.
    pub access: AccessKind,
    /// The birth of what is made now. Greater than the epoch of every fork.
    pub epoch: u32,
    /// What the operation under way unlinked behind a fork.
    pub retired: Vec<Retired>,
    /// Entries on their way into rebuilt leaves; kept for its memory.
    pub(crate) scratch: Vec<(u64, Entry)>,
    /// Everything is taken to lie in a sparse page, so that tests move it.
    #[cfg(test)]
    pub(crate) moves_all: bool,
    live_bytes: u64,
    reclaiming: VecDeque<Reclaim>,
    reclaiming_bytes: u64,
}

impl Memory {
    /// Reserves the memory of a shard.
    pub fn new(seed: HashSeed) -> Result<Memory, ArenaError> {
        Ok(Memory {
            arena: Arena::new()?,
            larges: Larges::default(),
            seed,
            access: AccessKind::default(),
            epoch: 1,
            retired: Vec::new(),
            scratch: Vec::new(),
            #[cfg(test)]
            moves_all: false,
            live_bytes: 0,
            reclaiming: VecDeque::new(),
            reclaiming_bytes: 0,
        })
    }

    /// Bytes of what the slots hold now.
    pub fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    /// Bytes that are unlinked and wait to be freed.
    pub fn reclaiming_bytes(&self) -> u64 {
        self.reclaiming_bytes
    }

    /// Bytes that are kept only because a fork, or a send under way, may still need them.
    pub fn retained_bytes(&self) -> u64 {
        // In the middle of a rename two live keys share the chunks of a large string; there is nothing retained then.
        self.allocated_bytes().saturating_sub(self.live_bytes + self.reclaiming_bytes)
    }

    /// Bytes of everything that is allocated.
    pub fn allocated_bytes(&self) -> u64 {
        self.arena.usage().allocated_bytes + self.larges.allocated_bytes()
    }

    /// The hash of a key or field.
    #[inline]
    pub fn hash(&self, bytes: &[u8]) -> u64 {
        key::hash(bytes, self.seed)
    }

    /// The hash of an object's key.
    #[inline]
    pub fn hash_of(&self, object: Ref) -> u64 {
        self.hash(Parts::of(&self.arena, object).key(&self.arena, object))
    }

    /// Makes an object.
    pub fn create(&mut self, draft: &Draft<'_>) -> Result<Ref, ArenaError> {
        let object = draft.create(&mut self.arena)?;
        self.live_bytes += self.arena.size(object) as u64;
        Ok(object)
    }

    /// Makes a large string.
    pub fn create_large(&mut self, parts: &[&[u8]]) -> LargeId {
        let id = self.larges.insert(parts);
        self.live_bytes += self.larges.at(id).taken();
        id
    }

    /// Makes a second owner of a large string's chunks.
    pub fn share_large(&mut self, id: LargeId) -> LargeId {
        let twin = self.larges.share(id);
        self.live_bytes += self.larges.at(twin).taken();
        twin
    }

    /// Overwrites and extends a live large string, which is going to have `total` bytes at least.
    pub fn write_large(&mut self, id: LargeId, offset: usize, bytes: &[u8], total: usize) {
        let before = self.larges.at(id).taken();
        self.larges.write(id, offset, bytes, total);
        self.live_bytes = self.live_bytes - before + self.larges.at(id).taken();
    }

    /// Makes a node.
    pub fn create_node(&mut self, bytes: usize) -> Result<Ref, ArenaError> {
        let node = self.arena.allocate(Purpose::Node, bytes)?;
        self.live_bytes += self.arena.size(node) as u64;
        Ok(node)
    }

    /// Lets go of a node: retired if a fork may see it, else freed.
    pub fn drop_node(&mut self, node: Ref, shared: bool) {
        self.live_bytes -= self.arena.size(node) as u64;
        if shared {
            self.retired.push(Retired::Node(node));
        } else {
            self.arena.free(node);
        }
    }

    /// Whether a fork may see something that hangs on an object, though perhaps not the object itself: the fields of a hash
    /// outlive the objects that name their table.
    pub fn shares_below(&self, object: Ref, guard: Guard) -> bool {
        guard.is_keep() && Parts::of(&self.arena, object).encoding == Encoding::TableHash
    }

    /// Lets go of an unlinked object and all that hangs on it: retired if a fork may see it, else freed.
    pub fn drop_object(&mut self, object: Ref, shared: bool) {
        self.live_bytes -= self.object_bytes(object);
        if shared {
            self.retired.push(Retired::Whole(object));
        } else {
            self.free_whole(object, true);
        }
    }

    /// Lets go of an object whose nested table was taken over by its successor.
    pub fn drop_shell(&mut self, object: Ref, shared: bool) {
        let parts = Parts::of(&self.arena, object);
        self.live_bytes -= self.arena.size(object) as u64;
        if parts.encoding == Encoding::Large {
            let id = object::large_id(&self.arena, object, &parts);
            self.live_bytes -= self.larges.at(id).taken();
        }
        if shared {
            self.retired.push(Retired::Shell(object));
        } else {
            self.free_shell(object, true);
        }
    }

    /// Takes back an object that found no place; what its value names stays with the caller.
    pub fn drop_bare(&mut self, object: Ref) {
        self.live_bytes -= self.arena.size(object) as u64;
        self.arena.free(object);
    }

    /// Takes back a large string that found no place.
    pub fn drop_large(&mut self, id: LargeId) {
        self.live_bytes -= self.larges.at(id).taken();
        self.larges.remove(id);
    }

    /// Lets go of whole tables (slots that were flushed or moved away) that held `bytes` live bytes.
    pub fn drop_tables(&mut self, roots: Vec<Child>, bytes: u64, shared: bool) {
        self.live_bytes -= bytes;
        if shared {
            self.retired.extend(roots.into_iter().map(Retired::Table));
        } else {
            self.reclaiming_bytes += bytes;
            self.reclaiming.push_back(Reclaim::Tables { stack: roots, counted: true });
        }
    }

    /// What no fork needs any more is freed from here on.
    pub fn reclaim_retired(&mut self, retired: Vec<Retired>) {
        if !retired.is_empty() {
            self.reclaiming.push_back(Reclaim::Retired(retired));
        }
    }

    /// Live bytes of an object with all that hangs on it.
    pub fn object_bytes(&self, object: Ref) -> u64 {
        let parts = Parts::of(&self.arena, object);
        let own = self.arena.size(object) as u64;
        match parts.encoding {
            Encoding::Large => own + self.larges.at(object::large_id(&self.arena, object, &parts)).taken(),
            Encoding::TableHash => own + object::table_hash(&self.arena, object, &parts).bytes,
            Encoding::Inline | Encoding::Integer | Encoding::PackedHash => own,
        }
    }

    /// Whether anything waits to be freed.
    pub fn is_reclaiming(&self) -> bool {
        !self.reclaiming.is_empty()
    }

    /// Frees one bounded piece of what waits: a leaf, a chunk, or a few retired things.
    pub fn reclaim_step(&mut self) -> bool {
        /// Retired things freed in one step.
        const RETIRED_AT_ONCE: usize = 64;
        let Some(first) = self.reclaiming.pop_front() else { return false };
        match first {
            Reclaim::Tables { mut stack, counted } => {
                if let Some(child) = stack.pop() {
                    self.free_child(child, counted, &mut stack);
                }
                if !stack.is_empty() {
                    self.reclaiming.push_front(Reclaim::Tables { stack, counted });
                }
            }
            Reclaim::Large { mut string, counted } => {
                let before = string.taken();
                let more = string.drop_last_chunk();
                if counted {
                    self.reclaiming_bytes -= before - string.taken();
                }
                if more {
                    self.reclaiming.push_front(Reclaim::Large { string, counted });
                }
            }
            Reclaim::Retired(mut list) => {
                for retired in list.split_off(list.len().saturating_sub(RETIRED_AT_ONCE)) {
                    self.free_retired(retired);
                }
                if !list.is_empty() {
                    self.reclaiming.push_back(Reclaim::Retired(list));
                }
            }
        }
        true
    }

    fn free_retired(&mut self, retired: Retired) {
        match retired {
            Retired::Node(node) => self.arena.free(node),
            Retired::Shell(object) => self.free_shell(object, false),
            Retired::Whole(object) => self.free_whole(object, false),
            Retired::Table(child) => {
                self.reclaiming.push_back(Reclaim::Tables { stack: vec![child], counted: false });
            }
        }
    }

    /// Frees one node of a table; children that are left go on the stack.
    fn free_child(&mut self, child: Child, counted: bool, stack: &mut Vec<Child>) {
        if child.is_none() {
            return;
        }
        if child.is_inner() {
            let inner: Inner = *self.arena.get(child.node);
            stack.extend(inner.children.iter().filter(|child| !child.is_none()));
        } else {
            for at in 0..child.bucket_count() {
                let bucket: Bucket = self.arena.slice::<Bucket>(child.node, child.bucket_count())[at];
                for index in indices(bucket.present()) {
                    let object = bucket.object(index);
                    if counted {
                        self.reclaiming_bytes -= self.arena.size(object) as u64;
                        self.uncount_large(object);
                    }
                    self.free_nested(object, counted);
                }
            }
        }
        if counted {
            self.reclaiming_bytes -= self.arena.size(child.node) as u64;
        }
        self.arena.free(child.node);
    }

    /// Frees an object of a table that is being reclaimed; the bytes below it are already counted as reclaiming.
    fn free_nested(&mut self, object: Ref, counted: bool) {
        let parts = Parts::of(&self.arena, object);
        match parts.encoding {
            Encoding::TableHash => {
                let hash = object::table_hash(&self.arena, object, &parts);
                self.reclaiming.push_back(Reclaim::Tables { stack: vec![hash.table.child], counted });
                self.arena.free(object);
            }
            _ => self.free_shell(object, false),
        }
    }

    fn uncount_large(&mut self, object: Ref) {
        let parts = Parts::of(&self.arena, object);
        if parts.encoding == Encoding::Large {
            let id = object::large_id(&self.arena, object, &parts);
            self.reclaiming_bytes -= self.larges.at(id).taken();
        }
    }

    /// Frees an object that was unlinked by itself, with all that hangs on it.
    fn free_whole(&mut self, object: Ref, counted: bool) {
        let parts = Parts::of(&self.arena, object);
        if parts.encoding == Encoding::TableHash {
            let hash = object::table_hash(&self.arena, object, &parts);
            if counted {
                self.reclaiming_bytes += hash.bytes;
            }
            self.reclaiming.push_back(Reclaim::Tables { stack: vec![hash.table.child], counted });
        }
        self.free_shell(object, counted);
    }

    fn free_shell(&mut self, object: Ref, counted: bool) {
        let parts = Parts::of(&self.arena, object);
        if parts.encoding == Encoding::Large {
            let string = self.larges.remove(object::large_id(&self.arena, object, &parts));
            if string.chunks().len() > CHUNKS_AT_ONCE {
                if counted {
                    self.reclaiming_bytes += string.taken();
                }
                self.reclaiming.push_back(Reclaim::Large { string, counted });
            }
        }
        self.arena.free(object);
    }
}
