//! Forks: frozen views of a slot, opened in O(1), walked step by step, while writes go on.
//!
//! Opening a fork notes the slot's root and raises the epoch; nothing is copied. From then on a write ahead of the fork's
//! cursor copies the nodes on its way first and retires what it replaces (`Guard`). Writes behind the cursor change in
//! place: the fork is past them. The cursor moves leaf by leaf in hash order. A fork is walked item by item, or copied as
//! effects (`copy`), not both.

mod copy;

use std::collections::{HashMap, VecDeque};

pub use copy::Copied;

use super::entry::Entry;
use super::hash::Field;
use super::text::Text;
use super::{Shard, Slot};
use crate::arena::Ref;
use crate::key::SlotId;
use crate::memory::{Bag, Kept, Memory};
use crate::object::{self, Encoding, Parts};
use crate::table::TableRoot;

/// Names a fork of this shard.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ForkId(u64);

/// Why a fork cannot be walked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ForkError {
    /// There is no such fork: it was closed.
    Unknown,
    /// It retained more than `fork-retained-max` and was ended: open a new one.
    Overrun,
}

/// What a fork shows: a key with its value, or one field of a large hash.
#[derive(Clone, Copy, Debug)]
pub struct ForkItem<'a> {
    /// The key.
    pub key: &'a [u8],
    /// When the key expires, if ever, in Unix milliseconds.
    pub expires_at_ms: Option<u64>,
    /// The value, or a piece of it.
    pub value: ForkValue<'a>,
}

/// The value of a key, or a piece of it.
#[derive(Clone, Copy, Debug)]
pub enum ForkValue<'a> {
    /// A string.
    Text(Text<'a>),
    /// A hash with this many fields; its fields follow, each as an item of its own.
    Hash(usize),
    /// The next field of the hash that began last.
    Field(Field<'a>),
}

/// Where a fork's walk stands inside a hash with a table.
#[derive(Clone, Copy, Debug)]
struct Inside {
    /// The object of the hash.
    object: Ref,
    fields: TableRoot,
    hash: u64,
    place: usize,
    /// Whether a copy has written fields of it.
    has_begun: bool,
}

/// What a fork's copy has yet to write of a long value.
#[derive(Clone, Copy, Debug)]
struct Rest {
    /// The key with the value, or the field.
    object: Ref,
    /// Bytes that were written.
    offset: usize,
}

#[derive(Debug)]
struct Fork {
    slot: SlotId,
    epoch: u32,
    root: TableRoot,
    /// Keys with a smaller hash have been shown; nothing when all have.
    cursor: Option<u64>,
    /// The next place in the leaf at the cursor.
    place: usize,
    inside: Option<Inside>,
    rest: Option<Rest>,
    overrun: bool,
    /// Slots that took over nodes of this fork's slot and must keep them too.
    borrowers: Vec<SlotId>,
}

/// What a slot keeps for its forks.
#[derive(Default, Debug)]
struct Keeping {
    /// Open forks, oldest first, and those of slots whose nodes came here.
    forks: Vec<ForkId>,
    /// What was unlinked.
    retired: Bag,
    /// The place in `retired` at which it is looked through again.
    look: usize,
}

/// The forks of one shard.
#[derive(Default, Debug)]
pub struct Forks {
    last: u64,
    open: HashMap<ForkId, Fork>,
    keeping: HashMap<SlotId, Keeping>,
    /// Slots of which one fork of several has ended, with how much is to be looked through.
    ended: VecDeque<(SlotId, usize)>,
}

impl Forks {
    /// Forks that are open.
    pub fn live(&self) -> u64 {
        self.open.len() as u64
    }

    /// Whether a fork of the slot still has a key with this hash ahead of it.
    pub fn needs(&self, slot: SlotId, hash: u64) -> bool {
        let Some(keeping) = self.keeping.get(&slot) else { return false };
        keeping.forks.iter().filter_map(|id| self.open.get(id)).any(|fork| fork.needs(slot, hash))
    }

    /// Takes over what an operation on a hash has unlinked.
    pub fn retire(&mut self, slot: SlotId, hash: u64, memory: &mut Memory) {
        /// Kept things that are looked at for each new one, so that what forks have passed is freed as they go.
        const LOOKS: usize = 2;
        let keeping = self.keeping.entry(slot).or_default();
        let (death, count) = (memory.epoch, memory.retired.len());
        for (what, bytes) in memory.retired.drain(..) {
            keeping.retired.push(Kept { what, bytes, death, hash });
        }
        self.look(slot, count * LOOKS, memory);
    }

    /// Frees what no fork of the slot needs any more, as far as `count` looks tell; all of it if no fork needs anything.
    fn look(&mut self, slot: SlotId, count: usize, memory: &mut Memory) {
        let Some(keeping) = self.keeping.get_mut(&slot) else { return };
        let is_needed = |id: &ForkId| self.open.get(id).is_some_and(|fork| !fork.overrun);
        if !keeping.forks.iter().any(is_needed) {
            memory.release(std::mem::take(&mut keeping.retired));
            if keeping.forks.is_empty() {
                self.keeping.remove(&slot);
            }
            return;
        }
        for _ in 0..count.min(keeping.retired.len()) {
            if keeping.look >= keeping.retired.len() {
                keeping.look = 0;
            }
            let Kept { death, hash, .. } = *keeping.retired.at(keeping.look);
            let mut forks = keeping.forks.iter().filter_map(|id| self.open.get(id));
            if forks.any(|fork| fork.epoch < death && fork.needs(slot, hash)) {
                keeping.look += 1;
            } else {
                memory.release_one(keeping.retired.take(keeping.look));
            }
        }
    }

    /// A fork of the slot has ended: what only it needed is to be freed.
    fn end(&mut self, slot: SlotId, memory: &mut Memory) {
        self.look(slot, 0, memory);
        if let Some(keeping) = self.keeping.get(&slot)
            && !keeping.retired.is_empty()
        {
            self.ended.push_back((slot, keeping.retired.len()));
        }
    }

    /// Whether there is something to look through.
    pub fn is_looking(&self) -> bool {
        !self.ended.is_empty()
    }

    /// Looks through a bounded part of what slots keep of which a fork has ended; `false` if there is none.
    pub fn look_step(&mut self, memory: &mut Memory) -> bool {
        const LOOKS: usize = 256;
        let Some((slot, left)) = self.ended.pop_front() else { return false };
        self.look(slot, left.min(LOOKS), memory);
        if left > LOOKS {
            self.ended.push_front((slot, left - LOOKS));
        }
        true
    }

    fn youngest_epoch(&self, slot: SlotId) -> u32 {
        let forks = self.keeping.get(&slot).map_or(&[][..], |keeping| &keeping.forks);
        forks.iter().filter_map(|id| self.open.get(id)).map(|fork| fork.epoch).max().unwrap_or(0)
    }
}

impl Fork {
    fn needs(&self, slot: SlotId, hash: u64) -> bool {
        // A borrower's keys have other hashes: it keeps everything until the fork is closed.
        !self.overrun && (self.slot != slot || self.cursor.is_some_and(|cursor| hash >= cursor))
    }
}

impl Shard {
    /// Freezes a slot: O(1), whatever it holds. The fork is to be closed.
    pub fn fork(&mut self, slot: SlotId) -> ForkId {
        self.forks.last += 1;
        self.stats.forks_opened += 1;
        let id = ForkId(self.forks.last);
        let Slot { table, .. } = self.slots[slot.number()];
        let epoch = self.memory.epoch;
        self.memory.epoch = epoch.checked_add(1).expect("a shard forks less often than 2^32 times");
        self.slots[slot.number()].fork_epoch = epoch;
        self.forks.keeping.entry(slot).or_default().forks.push(id);
        let fork = Fork {
            slot,
            epoch,
            root: table,
            cursor: Some(0),
            place: 0,
            inside: None,
            rest: None,
            overrun: false,
            borrowers: Vec::new(),
        };
        self.forks.open.insert(id, fork);
        id
    }

    /// Keys that the fork holds in all.
    pub fn fork_keys(&self, id: ForkId) -> Result<u64, ForkError> {
        self.forks.open.get(&id).map(|fork| u64::from(fork.root.count)).ok_or(ForkError::Unknown)
    }

    /// How many forks are open.
    pub fn forks_open(&self) -> usize {
        self.forks.open.len()
    }

    /// Shows up to `items_max` further items of the fork; `false` when all were shown. Expired keys are shown with their
    /// expiry time: the fork is what the slot held, not what readers would have seen.
    pub fn walk_fork(
        &mut self,
        id: ForkId,
        items_max: usize,
        mut show: impl FnMut(ForkItem<'_>),
    ) -> Result<bool, ForkError> {
        let fork = self.forks.open.get_mut(&id).ok_or(ForkError::Unknown)?;
        if fork.overrun {
            return Err(ForkError::Overrun);
        }
        // Empty places count a little, so that sparse tables do not make a step long.
        let mut budget = items_max.saturating_mul(8);
        while budget > 0 && fork.cursor.is_some() {
            budget = budget.saturating_sub(if fork.step(&self.memory, &mut show) { 8 } else { 1 });
        }
        let more = fork.cursor.is_some();
        Ok(more)
    }

    /// Ends a fork; what only it retained is reclaimed in the background.
    pub fn close_fork(&mut self, id: ForkId) {
        let Some(fork) = self.forks.open.remove(&id) else { return };
        for slot in fork.borrowers.into_iter().chain([fork.slot]) {
            if let Some(keeping) = self.forks.keeping.get_mut(&slot) {
                keeping.forks.retain(|other| *other != id);
            }
            self.slots[slot.number()].fork_epoch = self.forks.youngest_epoch(slot);
            self.forks.end(slot, &mut self.memory);
        }
    }

    /// Bytes that forks (and sends under way) retain.
    pub fn retained_bytes(&self) -> u64 {
        self.memory.retained_bytes()
    }

    /// Nodes of one slot's value now hang in another slot: the other slot keeps what the first one's forks need.
    pub(super) fn lend(&mut self, from: SlotId, to: SlotId) {
        let Some(keeping) = self.forks.keeping.get(&from) else { return };
        for id in keeping.forks.clone() {
            if let Some(fork) = self.forks.open.get_mut(&id)
                && fork.slot != to
                && !fork.borrowers.contains(&to)
            {
                fork.borrowers.push(to);
                self.forks.keeping.entry(to).or_default().forks.push(id);
            }
        }
        self.slots[to.number()].fork_epoch = self.forks.youngest_epoch(to);
    }

    /// Ends the forks of a slot if more is retained than is allowed. All of them: to find out what only one of them needs
    /// would take a while, and the write waits. What waits to be freed is not held against them.
    pub(super) fn end_overrun_forks(&mut self, slot: SlotId) {
        let needed = self.memory.retained_bytes().saturating_sub(self.memory.released_bytes());
        if needed <= self.limits.fork_retained_bytes_max {
            return;
        }
        let Forks { open, keeping, .. } = &mut self.forks;
        for id in keeping.get(&slot).map_or(&[][..], |keeping| &keeping.forks) {
            if let Some(fork) = open.get_mut(id)
                && !std::mem::replace(&mut fork.overrun, true)
            {
                self.stats.forks_overrun += 1;
            }
        }
        self.forks.look(slot, 0, &mut self.memory);
    }
}

impl Fork {
    /// Looks at one more place; says whether there was something to show.
    fn step(&mut self, memory: &Memory, show: &mut impl FnMut(ForkItem<'_>)) -> bool {
        if let Some(inside) = &mut self.inside {
            let shown = inside.step(memory, show);
            if shown.is_none() {
                self.inside = None;
            }
            return shown.unwrap_or(false);
        }
        let Some(cursor) = self.cursor else { return false };
        let view = memory.leaf_view(self.root.child, cursor);
        if self.place == view.places() {
            self.place = 0;
            self.cursor = view.end();
            return false;
        }
        let found = memory.entry_at(&view, self.place);
        self.place += 1;
        let Some(found) = found else { return false };
        self.show(memory, found.object, show);
        true
    }

    fn show(&mut self, memory: &Memory, object: Ref, show: &mut impl FnMut(ForkItem<'_>)) {
        // Time zero: nothing has expired yet.
        let entry = Entry::of(memory, object, 0);
        let (key, expires_at_ms) = (entry.key(), entry.expires_at_ms());
        if let Some(text) = entry.text() {
            show(ForkItem { key, expires_at_ms, value: ForkValue::Text(text) });
        } else if let Some(hash) = entry.hash() {
            show(ForkItem { key, expires_at_ms, value: ForkValue::Hash(hash.len()) });
            let parts = Parts::of(&memory.arena, object);
            if parts.encoding == Encoding::TableHash {
                let fields = object::table_hash(&memory.arena, object, &parts).table;
                self.inside = Some(Inside { object, fields, hash: 0, place: 0, has_begun: false });
            } else {
                hash.for_each(|field| show(ForkItem { key, expires_at_ms, value: ForkValue::Field(field) }));
            }
        }
    }
}

impl Inside {
    /// Looks at one more place; nothing when all fields were shown.
    fn step(&mut self, memory: &Memory, show: &mut impl FnMut(ForkItem<'_>)) -> Option<bool> {
        let view = memory.leaf_view(self.fields.child, self.hash);
        if self.place == view.places() {
            self.place = 0;
            self.hash = view.end()?;
            return Some(false);
        }
        let found = memory.entry_at(&view, self.place);
        self.place += 1;
        let Some(found) = found else { return Some(false) };
        let entry = Entry::of(memory, self.object, 0);
        let value = ForkValue::Field(Field::of(memory, found.object));
        show(ForkItem { key: entry.key(), expires_at_ms: entry.expires_at_ms(), value });
        Some(true)
    }
}

#[cfg(test)]
mod tests;
