//! Changing the fields of a hash through the door.

use super::effect::{CarriedField, Effect, Fields, group_bytes};
use super::expire::bound_s;
use super::limits::ShardLimits;
use super::packed;
use super::put::Old;
use super::write::{Expiry, Write};
use crate::arena::ArenaError;
use crate::large::LargeId;
use crate::memory::{Guard, Memory};
use crate::object::{self, Draft, Encoding, LargeValue, Parts, TableHash, inline_bytes_max};
use crate::table::Found;

impl Write<'_, '_> {
    /// Sets a field; the key is a hash or not there. Answers whether the field is new.
    pub fn hash_set(&mut self, name: &[u8], value: &[u8], expiry: Expiry) -> Result<bool, ArenaError> {
        Ok(self.hash_set_many([(name, value)].into_iter(), expiry)? == 1)
    }

    /// Sets fields one after another; the key is a hash or not there. Answers how many are new. On an error those before
    /// the one that found no memory are set.
    pub fn hash_set_many<'f>(
        &mut self,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8])> + Clone,
        expiry: Expiry,
    ) -> Result<usize, ArenaError> {
        self.hash_set_each(fields.map(|(name, value)| (name, value, expiry)))
    }

    /// The same, each field with an expiry time of its own.
    pub(super) fn hash_set_each<'f>(
        &mut self,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8], Expiry)> + Clone,
    ) -> Result<usize, ArenaError> {
        let (mut set, mut created) = (0, 0);
        let result = match self.set_packed(fields.clone())? {
            Some(in_packed) => {
                (set, created) = (usize::MAX, in_packed);
                Ok(())
            }
            None => {
                let now_ms = self.now_ms;
                self.in_table(|memory, hash, guard| {
                    for (name, value, expiry) in fields.clone() {
                        let is_new = set_field(memory, hash, name, value, expiry, now_ms, guard)?;
                        set += 1;
                        created += usize::from(is_new);
                    }
                    Ok(())
                })
            }
        };
        if self.is_watched() {
            self.emit_fields(fields.take(set));
        }
        self.drop_hollow(result)?;
        Ok(created)
    }

    /// Removes a field, and the key with the last one. Answers whether it was there.
    pub fn hash_remove(&mut self, name: &[u8]) -> Result<bool, ArenaError> {
        Ok(self.hash_remove_many([name].into_iter())? == 1)
    }

    /// Removes fields, and the key with the last one. Answers how many were there.
    pub fn hash_remove_many<'f>(
        &mut self,
        names: impl Iterator<Item = &'f [u8]>,
    ) -> Result<usize, ArenaError> {
        let (now_ms, is_watched) = (self.now_ms, self.is_watched());
        let is_live = |at: Option<u64>| at.is_none_or(|at| at > now_ms);
        let mut gone: Vec<&'f [u8]> = Vec::new();
        let mut live = 0;
        let mut count = |name, expires_at_ms| {
            live += usize::from(is_live(expires_at_ms));
            if is_watched {
                gone.push(name);
            }
        };
        match self.encoding() {
            Some(Encoding::PackedHash) => self.in_packed(|bytes, _| {
                let before = bytes.len();
                for name in names {
                    if let Ok(place) = packed::place(bytes, name) {
                        packed::remove(bytes, &place);
                        count(name, place.expires_at_ms);
                    }
                }
                bytes.len() < before
            })?,
            Some(Encoding::TableHash) => {
                let removed = self.in_table(|memory, hash, guard| {
                    for name in names {
                        if let Some(expires_at_ms) = remove_field(memory, hash, name, guard)? {
                            count(name, expires_at_ms);
                        }
                    }
                    Ok(())
                });
                self.drop_hollow(removed)?;
            }
            _ => return Ok(0),
        }
        // With the last field the key went, and that is all that watchers need to know.
        if self.found().is_some() {
            gone.into_iter().for_each(|name| self.emit(|key| Effect::HashRemove { key, name }));
        }
        Ok(live)
    }

    /// Changes when a field expires; `false` if there is no such field. Its value stays where it is, however large.
    pub fn hash_set_expiry(&mut self, name: &[u8], expires_at_ms: Option<u64>) -> Result<bool, ArenaError> {
        let hash = self.entry().and_then(|entry| entry.hash());
        if hash.is_none_or(|hash| hash.field(name).is_none()) {
            return Ok(false);
        }
        if !self.expire_packed(name, expires_at_ms)? {
            self.in_table(|memory, hash, guard| expire_field(memory, hash, name, expires_at_ms, guard))?;
        }
        self.emit(|key| Effect::HashExpire { key, name, expires_at_ms });
        Ok(true)
    }

    /// Gives the key's entry a true bound after a sweep of its fields.
    pub(super) fn settle_field_bound(&mut self, now_ms: u64) {
        if self.encoding() != Some(Encoding::TableHash) {
            return;
        }
        let settled = self.in_table(|memory, hash, _| {
            let Some(view) = memory.due_leaf(&hash.table, 0, (now_ms / 1000) as u32) else { return Ok(()) };
            let mut objects = Vec::new();
            memory.expiring_entries(&view, &mut objects);
            let earliest_ms = objects
                .into_iter()
                .filter_map(|object| Parts::of(&memory.arena, object).expires_at_ms(&memory.arena, object))
                .min();
            memory.set_expiry_bound(&mut hash.table, view.low(), earliest_ms.map_or(0, bound_s));
            Ok(())
        });
        // Without memory the bound stays too early, and the sweep comes by once more.
        let _ = settled;
    }

    /// Removes a hash that has no field left, or never got one; hands the result on.
    fn drop_hollow(&mut self, result: Result<(), ArenaError>) -> Result<(), ArenaError> {
        if self.entry().and_then(|entry| entry.hash()).is_some_and(|hash| hash.is_empty()) {
            self.remove()?;
        }
        result
    }

    fn is_watched(&self) -> bool {
        self.shard.is_watched(self.key.slot())
    }

    /// Tells the slot's watchers of fields that were set.
    fn emit_fields<'f>(&mut self, fields: impl Iterator<Item = (&'f [u8], &'f [u8], Expiry)>) {
        let group_bytes = group_bytes(self.key.bytes());
        let mut group = std::mem::take(&mut self.shard.carried);
        for (name, value, expiry) in fields {
            let hash = self.entry().and_then(|entry| entry.hash());
            let kept = hash.and_then(|hash| hash.stored_field(name)).and_then(|field| field.expires_at_ms);
            let field = CarriedField { name, value, expires_at_ms: expiry.after(kept) };
            if value.len() > group_bytes {
                self.emit_group(&mut group);
                self.emit(|key| Effect::HashSet { key, fields: Fields::One(field) });
                continue;
            }
            field.encode_into(&mut group);
            if group.len() >= group_bytes {
                self.emit_group(&mut group);
            }
        }
        self.emit_group(&mut group);
        self.shard.carried = group;
    }

    fn emit_group(&mut self, group: &mut Vec<u8>) {
        if !group.is_empty() {
            self.shard.emit(
                self.key.slot(),
                &Effect::HashSet { key: self.key.bytes(), fields: Fields::Encoded(group) },
            );
            group.clear();
        }
    }

    /// Sets fields of a packed hash, or of a new one, and answers how many are new; nothing if the hash has, or from now
    /// on needs, a table.
    fn set_packed<'f>(
        &mut self,
        fields: impl Iterator<Item = (&'f [u8], &'f [u8], Expiry)>,
    ) -> Result<Option<usize>, ArenaError> {
        if self.encoding() == Some(Encoding::TableHash) {
            return Ok(None);
        }
        let (now_ms, mut created, mut fits) = (self.now_ms, 0, true);
        let bytes_max = inline_bytes_max(self.key.bytes().len());
        self.in_packed(|bytes, limits| {
            for (name, value, expiry) in fields {
                let is_short = name.len().max(value.len()) <= limits.packed_value_bytes_max;
                fits = is_short && packed::fits(name, value);
                if !fits {
                    break;
                }
                match packed::place(bytes, name) {
                    Ok(old) => {
                        let live = old.expires_at_ms.filter(|at| *at > now_ms);
                        created += usize::from(old.expires_at_ms != live);
                        packed::replace(bytes, &old, name, value, expiry.after(live));
                    }
                    Err(others) => {
                        fits = others < limits.packed_fields_max;
                        created += 1;
                        packed::push(bytes, name, value, expiry.after(None));
                    }
                }
                fits &= bytes.len() <= bytes_max;
                if !fits {
                    break;
                }
            }
            fits && !bytes.is_empty()
        })?;
        if !fits {
            self.unpack()?;
        }
        Ok(fits.then_some(created))
    }

    /// Changes when a field of a packed hash expires; `false` if the hash has, or from now on needs, a table.
    fn expire_packed(&mut self, name: &[u8], expires_at_ms: Option<u64>) -> Result<bool, ArenaError> {
        if self.encoding() == Some(Encoding::TableHash) {
            return Ok(false);
        }
        let bytes_max = inline_bytes_max(self.key.bytes().len());
        let mut fits = true;
        self.in_packed(|bytes, _| {
            let place = packed::place(bytes, name).expect("the caller has seen the field");
            packed::set_expiry(bytes, &place, expires_at_ms);
            fits = bytes.len() <= bytes_max;
            fits
        })?;
        if !fits {
            self.unpack()?;
        }
        Ok(fits)
    }

    /// Runs a change of the hash's packed bytes, none of a key that is not there; they are stored if the change says so.
    pub(super) fn in_packed(
        &mut self,
        change: impl FnOnce(&mut Vec<u8>, &ShardLimits) -> bool,
    ) -> Result<(), ArenaError> {
        let mut bytes = std::mem::take(&mut self.shard.packed);
        bytes.clear();
        bytes.extend_from_slice(self.packed_bytes());
        let result = match change(&mut bytes, &self.shard.limits) {
            false => Ok(()),
            true if bytes.is_empty() => self.remove().map(|_| ()),
            true => self.put(Encoding::PackedHash, [&bytes, b""], self.expires_at_ms(), Old::Whole),
        };
        self.shard.packed = bytes;
        result
    }

    /// The bytes of a packed hash; none if the key is not there.
    fn packed_bytes(&self) -> &[u8] {
        let Some(found) = self.found() else { return b"" };
        let arena = &self.shard.memory.arena;
        let parts = Parts::of(arena, found.object);
        assert_eq!(parts.encoding, Encoding::PackedHash, "the caller has seen a packed hash");
        parts.value(arena, found.object)
    }

    /// Gives the hash, which is packed or not there, a table.
    fn unpack(&mut self) -> Result<(), ArenaError> {
        let bytes = self.packed_bytes().to_vec();
        let memory = &mut self.shard.memory;
        let mut hash = TableHash::default();
        let before = memory.live_bytes();
        for field in packed::fields(&bytes) {
            let value = field.value.bytes();
            put_field(memory, &mut hash, field.name, &value, field.expires_at_ms, Guard::Free)
                .inspect_err(|_| drop_fields(memory, &hash, before))?;
        }
        hash.bytes = memory.live_bytes() - before;
        let (nodes, bytes) = (hash.table.child, hash.bytes);
        self.put(Encoding::TableHash, [bytemuck::bytes_of(&hash), b""], self.expires_at_ms(), Old::Whole)
            .inspect_err(|_| self.shard.memory.drop_table(nodes, bytes, false))
    }

    /// Runs a change of the hash's table. A fork's view of the hash is kept first, so that the change can be written back
    /// whatever becomes of it.
    pub(super) fn in_table<T>(
        &mut self,
        change: impl FnOnce(&mut Memory, &mut TableHash, Guard) -> Result<T, ArenaError>,
    ) -> Result<T, ArenaError> {
        let found = self.found().expect("the caller has seen a hash with a table");
        let memory = &self.shard.memory;
        let parts = Parts::of(&memory.arena, found.object);
        let mut hash = object::table_hash(&memory.arena, found.object, &parts);
        let expires_at_ms = parts.expires_at_ms(&memory.arena, found.object);
        let slot_table = &self.shard.slots[self.key.slot().number()].table;
        if !memory.is_own(slot_table, self.key.hash(), found, self.guard) {
            self.put(Encoding::TableHash, [bytemuck::bytes_of(&hash), b""], expires_at_ms, Old::Shell)?;
        }
        let bound = |hash: &TableHash| (hash.table.expiring > 0, hash.table.child.expiry_s);
        let bound_before = bound(&hash);
        let memory = &mut self.shard.memory;
        let before = memory.live_bytes();
        let result = change(memory, &mut hash, self.guard);
        hash.bytes = hash.bytes + memory.live_bytes() - before;
        if bound(&hash) == bound_before {
            let found = self.found().expect("the hash stays where it is");
            let value = [bytemuck::bytes_of(&hash), b""];
            object::overwrite_value(&mut self.shard.memory.arena, found.object, Encoding::TableHash, value);
        } else {
            self.put(Encoding::TableHash, [bytemuck::bytes_of(&hash), b""], expires_at_ms, Old::Shell)
                .expect(
                    "the object is the slot's own now and of the same size, so it is overwritten in place",
                );
        }
        result
    }
}

pub(super) fn drop_fields(memory: &mut Memory, hash: &TableHash, before: u64) {
    let bytes = memory.live_bytes() - before;
    memory.drop_table(hash.table.child, bytes, false);
}

pub(super) fn put_field(
    memory: &mut Memory,
    hash: &mut TableHash,
    name: &[u8],
    value: &[u8],
    expires_at_ms: Option<u64>,
    guard: Guard,
) -> Result<(), ArenaError> {
    let hashed = memory.hash(name);
    let found: Option<Found> = memory.find(&hash.table, hashed, name);
    let expires_s = expires_at_ms.map(bound_s);
    let mut put = |memory: &mut Memory, encoding, value| {
        let draft = Draft { key: name, encoding, expires_at_ms, value: [value, b""], access: 0 };
        memory.put(&mut hash.table, hashed, found, &draft, expires_s, Old::Whole, guard)
    };
    if value.len() <= inline_bytes_max(name.len()) {
        return put(memory, Encoding::Inline, value).map(drop);
    }
    let LargeId(id) = memory.create_large(&[value]);
    put(memory, Encoding::Large, bytemuck::bytes_of(&LargeValue { id }))
        .map(drop)
        .inspect_err(|_| memory.drop_large(LargeId(id)))
}

/// Sets a field; answers whether it is new.
fn set_field(
    memory: &mut Memory,
    hash: &mut TableHash,
    name: &[u8],
    value: &[u8],
    expiry: Expiry,
    now_ms: u64,
    guard: Guard,
) -> Result<bool, ArenaError> {
    let found = memory.find(&hash.table, memory.hash(name), name);
    let old =
        found.map(|found| Parts::of(&memory.arena, found.object).expires_at_ms(&memory.arena, found.object));
    let live = old.flatten().filter(|at| *at > now_ms);
    put_field(memory, hash, name, value, expiry.after(live), guard)?;
    Ok(old.is_none_or(|old| old != live))
}

/// Changes when a field expires, which is there.
fn expire_field(
    memory: &mut Memory,
    hash: &mut TableHash,
    name: &[u8],
    expires_at_ms: Option<u64>,
    guard: Guard,
) -> Result<(), ArenaError> {
    let hashed = memory.hash(name);
    let found = memory.find(&hash.table, hashed, name).expect("the caller has seen the field");
    let parts = Parts::of(&memory.arena, found.object);
    let mut value = parts.value(&memory.arena, found.object).to_vec();
    let twin = (parts.encoding == Encoding::Large).then(|| {
        let twin = memory.share_large(object::large_id(&memory.arena, found.object, &parts));
        value = bytemuck::bytes_of(&LargeValue { id: twin.0 }).to_vec();
        twin
    });
    let draft = Draft { key: name, encoding: parts.encoding, expires_at_ms, value: [&value, b""], access: 0 };
    let expires_s = expires_at_ms.map(bound_s);
    memory.put(&mut hash.table, hashed, Some(found), &draft, expires_s, Old::Shell, guard).inspect_err(
        |_| {
            if let Some(twin) = twin {
                memory.drop_large(twin);
            }
        },
    )?;
    Ok(())
}

/// Removes a field; answers when it would have expired, if it was there.
fn remove_field(
    memory: &mut Memory,
    hash: &mut TableHash,
    name: &[u8],
    guard: Guard,
) -> Result<Option<Option<u64>>, ArenaError> {
    let hashed = memory.hash(name);
    let Some(found) = memory.find(&hash.table, hashed, name) else { return Ok(None) };
    let expires_at_ms = Parts::of(&memory.arena, found.object).expires_at_ms(&memory.arena, found.object);
    let shared = memory.remove(&mut hash.table, hashed, found, guard)?;
    memory.drop_object(found.object, shared);
    Ok(Some(expires_at_ms))
}
