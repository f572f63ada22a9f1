//! The door for changing one key: what it does is seen by forks, watchers and the accounting.

use super::effect::Effect;
use super::entry::{Entry, Kind};
use super::expire::bound_s;
use super::put::Old;
use super::text::{Decimal, Text};
use super::{Key, Shard, Slot};
use crate::access::{self, AccessKind, Travel};
use crate::arena::ArenaError;
use crate::memory::Guard;
use crate::number::parse_i64;
use crate::object::{self, Draft, Encoding, LargeValue, Parts, TableHash, inline_bytes_max};
use crate::table::Found;

/// What happens to the expiry time of a key or field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expiry {
    /// It stays; what is new has none.
    Keep,
    /// There is none any more.
    Clear,
    /// A Unix time in milliseconds.
    At(u64),
}

impl Expiry {
    /// The expiry time that follows from the old one.
    pub fn after(self, old: Option<u64>) -> Option<u64> {
        match self {
            Expiry::Keep => old,
            Expiry::Clear => None,
            Expiry::At(ms) => Some(ms),
        }
    }
}

/// A change of one key under way. Dropping it settles the accounts.
#[derive(Debug)]
pub struct Write<'s, 'k> {
    pub(super) shard: &'s mut Shard,
    pub(super) key: Key<'k>,
    pub(super) now_ms: u64,
    pub(super) guard: Guard,
    found: Option<Found>,
    before: Slot,
    live_before: u64,
}

impl Shard {
    /// The door: all changes of a key go through it. Opening it counts as a use of the key and removes an expired one.
    #[inline]
    pub fn write<'s, 'k>(&'s mut self, key: &Key<'k>, now_ms: u64) -> Write<'s, 'k> {
        let write = self.amend(key, now_ms);
        if let Some(found) = write.found {
            write.shard.note_use(found.object, now_ms);
        }
        write
    }

    /// The door for changes that are no use of the key: those that the shard makes by itself, and those of clients that
    /// leave no trace (`CLIENT NO-TOUCH`).
    pub fn amend<'s, 'k>(&'s mut self, key: &Key<'k>, now_ms: u64) -> Write<'s, 'k> {
        let found = self.lookup(key);
        let guard = self.guard(key.slot, key.hash);
        let before = self.slots[key.slot.number()];
        let live_before = self.memory.live_bytes();
        let mut write = Write { shard: self, key: *key, now_ms, guard, found, before, live_before };
        if write.expires_at_ms().is_some_and(|at| at <= now_ms) && write.remove().is_ok() {
            write.shard.stats.expired_keys += 1;
        }
        write
    }
}

impl Drop for Write<'_, '_> {
    fn drop(&mut self) {
        let Shard { memory, slots, used, expiring, staged, forks, keys, expiring_keys, sweep, .. } =
            &mut *self.shard;
        let slot = &mut slots[self.key.slot.number()];
        slot.bytes = slot.bytes + memory.live_bytes() - self.live_before;
        let (old, new) = (&self.before.table, &slot.table);
        if old.count != new.count && !staged.has(self.key.slot) {
            keys.set(self.key.slot, new.count);
            used.set(self.key.slot, new.count > 0);
        }
        if old.child.expiry_s != new.child.expiry_s && !staged.has(self.key.slot) {
            sweep.note(new.child.expiry_s);
        }
        if old.expiring != new.expiring && !staged.has(self.key.slot) {
            expiring_keys.set(self.key.slot, new.expiring);
            expiring.set(self.key.slot, new.expiring > 0);
        }
        if !memory.retired.is_empty() {
            forks.retire(self.key.slot, self.key.hash, memory);
            self.shard.end_overrun_forks(self.key.slot);
        }
    }
}

impl<'k> Write<'_, 'k> {
    /// The key as it is now.
    pub fn entry(&self) -> Option<Entry<'_>> {
        self.found.map(|found| Entry::of(&self.shard.memory, found.object, self.now_ms))
    }

    /// The type of the value, if there is one.
    pub fn kind(&self) -> Option<Kind> {
        self.entry().map(|entry| entry.kind())
    }

    /// When the key expires, if ever, in Unix milliseconds.
    pub fn expires_at_ms(&self) -> Option<u64> {
        let found = self.found?;
        Parts::of(&self.shard.memory.arena, found.object)
            .expires_at_ms(&self.shard.memory.arena, found.object)
    }

    /// Makes the key a string.
    pub fn set(&mut self, value: &[u8], expiry: Expiry) -> Result<(), ArenaError> {
        let expires_at_ms = expiry.after(self.expires_at_ms());
        match parse_i64(value) {
            Some(integer) => self.put_integer(integer, expires_at_ms)?,
            None => self.put_text([value, b""], expires_at_ms)?,
        }
        let access = self.travel();
        self.emit(|key| Effect::Set { key, value, expires_at_ms, access });
        Ok(())
    }

    /// Makes the key an integer.
    pub fn set_integer(&mut self, value: i64, expiry: Expiry) -> Result<(), ArenaError> {
        let expires_at_ms = expiry.after(self.expires_at_ms());
        self.put_integer(value, expires_at_ms)?;
        let (text, access) = (Decimal::of(value), self.travel());
        self.emit(|key| Effect::Set { key, value: text.as_bytes(), expires_at_ms, access });
        Ok(())
    }

    /// Appends to the string, which may be missing; answers its new length. The key is a string or not there.
    pub fn append(&mut self, bytes: &[u8]) -> Result<usize, ArenaError> {
        let length = self.text_length();
        self.set_range(length, bytes)
    }

    /// Overwrites the string from an offset on, filling a gap with zero bytes; answers its new length. The key is a
    /// string or not there.
    pub fn set_range(&mut self, offset: usize, bytes: &[u8]) -> Result<usize, ArenaError> {
        self.set_range_of(offset, bytes, 0)
    }

    /// The same to a string that is going to have `expected` bytes at least.
    pub(super) fn set_range_of(
        &mut self,
        offset: usize,
        bytes: &[u8],
        expected: usize,
    ) -> Result<usize, ArenaError> {
        let length = self.text_length();
        let total = length.max(offset + bytes.len());
        if self.encoding() == Some(Encoding::Large) {
            let id = self.own_large()?;
            self.write_large(id, length, offset, bytes, expected);
        } else {
            let old = self.entry().and_then(|entry| entry.text()).map(|text| text.bytes().into_owned());
            let mut whole = old.unwrap_or_default();
            let expires_at_ms = self.expires_at_ms();
            if total <= inline_bytes_max(self.key.bytes.len()) {
                whole.resize(total, 0);
                whole[offset..offset + bytes.len()].copy_from_slice(bytes);
                self.put_text([&whole, b""], expires_at_ms)?;
            } else {
                let id = self.shard.memory.create_large(&[&whole]);
                self.write_large(id, length, offset, bytes, expected);
                self.put_large(id, expires_at_ms, Old::Whole)?;
            }
        }
        let reach = total.max(expected) as u64;
        self.emit(|key| Effect::Write { key, offset: offset as u64, bytes, total: reach });
        Ok(total)
    }

    /// Changes when the key expires; `false` if there is no key.
    pub fn set_expiry(&mut self, expires_at_ms: Option<u64>) -> Result<bool, ArenaError> {
        let Some(found) = self.found else { return Ok(false) };
        let parts = Parts::of(&self.shard.memory.arena, found.object);
        let mut value = parts.value(&self.shard.memory.arena, found.object).to_vec();
        if parts.encoding == Encoding::Large {
            let id = object::large_id(&self.shard.memory.arena, found.object, &parts);
            let twin = self.shard.memory.share_large(id);
            value = bytemuck::bytes_of(&LargeValue { id: twin.0 }).to_vec();
            self.put(Encoding::Large, [&value, b""], expires_at_ms, Old::Shell)
                .inspect_err(|_| self.shard.memory.drop_large(twin))?;
        } else {
            self.put(parts.encoding, [&value, b""], expires_at_ms, Old::Shell)?;
        }
        self.emit(|key| Effect::Expire { key, expires_at_ms });
        Ok(true)
    }

    /// Makes the last use of the key so many seconds old; nothing happens under a policy that counts uses.
    pub fn set_idle_s(&mut self, idle_s: u64) {
        self.set_access(|kind, access, now_ms| kind.with_idle_s(access, idle_s, now_ms));
    }

    /// Sets the counter of the key's uses; nothing happens under a policy that does not count them.
    pub fn set_frequency(&mut self, frequency: u8) {
        self.set_access(|kind, access, now_ms| kind.with_frequency(access, frequency, now_ms));
    }

    /// How the key was used, for those who watch the slot.
    fn travel(&self) -> Option<Travel> {
        let found = self.found.filter(|_| self.shard.is_watched(self.key.slot))?;
        let memory = &self.shard.memory;
        Some(memory.access.travel(object::access(&memory.arena, found.object)))
    }

    /// Notes how the key was used where it comes from.
    pub(super) fn arrive(&mut self, travel: Travel) {
        let is_staged = self.shard.is_staged(self.key.slot);
        self.set_access(|kind, access, _| {
            let arrived = kind.arrived(access, travel);
            if is_staged { access::awaiting(arrived, travel) } else { arrived }
        });
    }

    fn set_access(&mut self, change: impl FnOnce(AccessKind, u32, u64) -> u32) {
        let Some(found) = self.found else { return };
        let memory = &mut self.shard.memory;
        let access = change(memory.access, object::access(&memory.arena, found.object), self.now_ms);
        object::set_access(&mut memory.arena, found.object, access);
    }

    /// Removes the key; `false` if there is none.
    pub fn remove(&mut self) -> Result<bool, ArenaError> {
        let Some(found) = self.found else { return Ok(false) };
        let Shard { memory, slots, .. } = &mut *self.shard;
        let table = &mut slots[self.key.slot.number()].table;
        let shared = memory.remove(table, self.key.hash, found, self.guard)?;
        let shared = shared || memory.shares_below(found.object, self.guard);
        memory.drop_object(found.object, shared);
        self.found = None;
        self.emit(|key| Effect::Delete { key });
        Ok(true)
    }

    pub(super) fn encoding(&self) -> Option<Encoding> {
        self.found.map(|found| Parts::of(&self.shard.memory.arena, found.object).encoding)
    }

    pub(super) fn found(&self) -> Option<Found> {
        self.found
    }

    /// Tells the slot's watchers what happened.
    pub(super) fn emit<'e>(&mut self, effect: impl FnOnce(&'k [u8]) -> Effect<'e>)
    where
        'k: 'e,
    {
        self.shard.stats.changes += 1;
        if self.shard.is_watched(self.key.slot) {
            self.shard.emit(self.key.slot, &effect(self.key.bytes));
        }
    }

    /// Puts a value in the key's place and finds the key anew.
    pub(super) fn put(
        &mut self,
        encoding: Encoding,
        value: [&[u8]; 2],
        expires_at_ms: Option<u64>,
        old: Old,
    ) -> Result<(), ArenaError> {
        let fields_s = match encoding {
            Encoding::PackedHash => {
                super::packed::fields(value[0]).filter_map(|field| field.expires_at_ms).min()
            }
            _ => None,
        };
        let mut expires_s = [fields_s, expires_at_ms].into_iter().flatten().min().map(bound_s);
        if encoding == Encoding::TableHash {
            let hash: TableHash = bytemuck::pod_read_unaligned(value[0]);
            if hash.table.expiring > 0 {
                expires_s =
                    Some(expires_s.map_or(hash.table.child.expiry_s, |s| s.min(hash.table.child.expiry_s)));
            }
        }
        let Shard { memory, slots, clock_ms, .. } = &mut *self.shard;
        let table = &mut slots[self.key.slot.number()].table;
        let access = match self.found {
            Some(found) => object::access(&memory.arena, found.object),
            None => memory.access.initial(self.now_ms.max(*clock_ms)),
        };
        let draft = Draft { key: self.key.bytes, encoding, expires_at_ms, value, access };
        let replaced = self.found.map(|found| found.object);
        let put = memory.put(table, self.key.hash, self.found, &draft, expires_s, old, self.guard)?;
        debug_assert!(
            put.is_none_or(|put| memory.find(table, self.key.hash, self.key.bytes) == Some(put)),
            "the object is where it was put"
        );
        self.found = put.or_else(|| memory.find(table, self.key.hash, self.key.bytes));
        let object = self.found.expect("it was just put").object;
        if !self.shard.is_staged(self.key.slot) {
            self.shard.note_object(self.key.hash, object, replaced);
        }
        Ok(())
    }

    fn put_integer(&mut self, value: i64, expires_at_ms: Option<u64>) -> Result<(), ArenaError> {
        self.put(Encoding::Integer, [&value.to_ne_bytes(), b""], expires_at_ms, Old::Whole)
    }

    fn put_text(&mut self, value: [&[u8]; 2], expires_at_ms: Option<u64>) -> Result<(), ArenaError> {
        if value[0].len() + value[1].len() <= inline_bytes_max(self.key.bytes.len()) {
            return self.put(Encoding::Inline, value, expires_at_ms, Old::Whole);
        }
        let id = self.shard.memory.create_large(&value);
        self.put_large(id, expires_at_ms, Old::Whole)
    }

    fn put_large(
        &mut self,
        id: crate::large::LargeId,
        expires_at_ms: Option<u64>,
        old: Old,
    ) -> Result<(), ArenaError> {
        let value = LargeValue { id: id.0 };
        self.put(Encoding::Large, [bytemuck::bytes_of(&value), b""], expires_at_ms, old)
            .inspect_err(|_| self.shard.memory.drop_large(id))
    }

    /// The large string of the key, to be changed: its own, or a twin of one that a fork keeps.
    fn own_large(&mut self) -> Result<crate::large::LargeId, ArenaError> {
        let found = self.found.expect("the caller has seen a large string");
        let memory = &mut self.shard.memory;
        let parts = Parts::of(&memory.arena, found.object);
        let id = object::large_id(&memory.arena, found.object, &parts);
        let table = &self.shard.slots[self.key.slot.number()].table;
        if memory.is_own(table, self.key.hash, found, self.guard) {
            return Ok(id);
        }
        let expires_at_ms = parts.expires_at_ms(&memory.arena, found.object);
        let twin = memory.share_large(id);
        self.put_large(twin, expires_at_ms, Old::Shell)?;
        Ok(twin)
    }

    /// Overwrites a large string, filling the gap between its length and the offset.
    fn write_large(
        &mut self,
        id: crate::large::LargeId,
        length: usize,
        offset: usize,
        bytes: &[u8],
        expected: usize,
    ) {
        const ZEROS: [u8; 4096] = [0; 4096];
        let mut at = length;
        while at < offset {
            let count = (offset - at).min(ZEROS.len());
            self.shard.memory.write_large(id, at, &ZEROS[..count], 0);
            at += count;
        }
        self.shard.memory.write_large(id, offset, bytes, expected);
    }

    fn text_length(&self) -> usize {
        self.entry().and_then(|entry| entry.text()).map_or(0, |text: Text<'_>| text.len())
    }
}
