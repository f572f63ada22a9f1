//! All memory of one shard, and the one rule by which what a fork may see is kept.
//!
//! *Live* is what the slots hold now. What is unlinked while a fork may still see it is *retired* and freed when no fork
//! needs it; what is unlinked and too long to be freed at once is *reclaimed* step by step. Everything that is allocated is
//! in exactly one of the three, so the bytes that forks retain are what remains after the other two.

mod reclaim;
mod retired;

use crate::access::AccessKind;
use crate::arena::{Arena, ArenaError, Purpose, Ref, ReturningPage};
use crate::key::{self, HashSeed};
use crate::large::{LargeId, Larges};
use crate::object::{self, Draft, Encoding, Parts};
use crate::table::{Child, Entry};

use reclaim::{From, Reclaiming};
pub use retired::{Bag, Kept, Retired};

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
    /// What the operation under way unlinked behind a fork, with its bytes.
    pub retired: Vec<(Retired, u64)>,
    /// Entries on their way into rebuilt leaves; kept for its memory.
    pub(crate) scratch: Vec<(u64, Entry)>,
    /// Everything is taken to lie in a sparse page, so that tests move it.
    #[cfg(test)]
    pub(crate) moves_all: bool,
    live_bytes: u64,
    /// Allocations that were moved out of sparse pages.
    pub moved: u64,
    reclaiming: Reclaiming,
    /// What is on its way back to the kernel.
    pub returned: Vec<Returned>,
}

/// Memory that nothing uses any more. Dropping it gives it back to the kernel, which may take longer than a turn of a core, so
/// a thread that has time should do it.
#[derive(Debug)]
pub enum Returned {
    /// An empty page of an arena.
    Page(ReturningPage),
    /// A chunk of a large string.
    Bytes(Vec<u8>),
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
            moved: 0,
            reclaiming: Reclaiming::default(),
            returned: Vec::new(),
        })
    }

    /// Bytes of what the slots hold now.
    pub fn live_bytes(&self) -> u64 {
        self.live_bytes
    }

    /// Bytes that are kept only because a fork, or a send under way, may still need them.
    pub fn retained_bytes(&self) -> u64 {
        // In the middle of a rename two live keys share the chunks of a large string; there is nothing retained then.
        self.allocated_bytes().saturating_sub(self.live_bytes + self.reclaiming_bytes())
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
        let bytes = self.arena.size(node) as u64;
        self.live_bytes -= bytes;
        if shared {
            self.retired.push((Retired::Node(node), bytes));
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
        let bytes = self.object_bytes(object);
        self.live_bytes -= bytes;
        if shared {
            self.retired.push((Retired::Whole(object), bytes));
        } else {
            self.free_whole(object, From::Live);
        }
    }

    /// Lets go of an object whose nested table was taken over by its successor.
    pub fn drop_shell(&mut self, object: Ref, shared: bool) {
        let parts = Parts::of(&self.arena, object);
        let mut bytes = self.arena.size(object) as u64;
        if parts.encoding == Encoding::Large {
            bytes += self.larges.at(object::large_id(&self.arena, object, &parts)).taken();
        }
        self.live_bytes -= bytes;
        if shared {
            self.retired.push((Retired::Shell(object), bytes));
        } else {
            self.free_live_shell(object);
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

    /// Lets go of a whole table (a slot that was flushed or moved away) that held `bytes` live bytes.
    pub fn drop_table(&mut self, root: Child, bytes: u64, shared: bool) {
        self.live_bytes -= bytes;
        if shared {
            self.retired.push((Retired::Table(root), bytes));
        } else {
            self.reclaim_table(root, bytes);
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
}
