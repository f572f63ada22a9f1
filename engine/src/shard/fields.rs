//! Changing the fields of a hash through the door.

use super::delta::Effect;
use super::expire::bound_s;
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
        let old = self.entry().and_then(|entry| entry.hash()).and_then(|hash| hash.field(name));
        let created = old.is_none();
        let expires_at_ms = expiry.after(old.and_then(|field| field.expires_at_ms));
        if !self.set_packed(name, value, expires_at_ms)? {
            self.in_table(|memory, hash, guard| put_field(memory, hash, name, value, expires_at_ms, guard))?;
        }
        self.emit(|key| Effect::HashSet { key, name, value, expires_at_ms });
        Ok(created)
    }

    /// Removes a field, and the key with the last one. Answers whether it was there.
    pub fn hash_remove(&mut self, name: &[u8]) -> Result<bool, ArenaError> {
        let Some(hash) = self.entry().and_then(|entry| entry.hash()) else { return Ok(false) };
        let was_live = hash.field(name).is_some();
        if hash.stored_field(name).is_none() {
            return Ok(false);
        }
        if hash.len() == 1 {
            self.remove()?;
            return Ok(was_live);
        }
        match self.packed_bytes() {
            Some(mut bytes) => {
                let (start, end) = packed::position(&bytes, name).expect("the field is stored");
                bytes.drain(start..end);
                let expires_at_ms = self.expires_at_ms();
                self.put(Encoding::PackedHash, [&bytes, b""], expires_at_ms, Old::Whole)?;
            }
            None => self.in_table(|memory, hash, guard| remove_field(memory, hash, name, guard))?,
        }
        self.emit(|key| Effect::HashRemove { key, name });
        Ok(was_live)
    }

    /// Changes when a field expires; `false` if there is no such field.
    pub fn hash_set_expiry(&mut self, name: &[u8], expires_at_ms: Option<u64>) -> Result<bool, ArenaError> {
        let Some(field) = self.entry().and_then(|entry| entry.hash()).and_then(|hash| hash.field(name))
        else {
            return Ok(false);
        };
        let value = field.value.bytes().into_owned();
        let expiry = expires_at_ms.map_or(Expiry::Clear, Expiry::At);
        self.hash_set(name, &value, expiry)?;
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

    fn packed_bytes(&self) -> Option<Vec<u8>> {
        let found = self.found()?;
        let arena = &self.shard.memory.arena;
        let parts = Parts::of(arena, found.object);
        (parts.encoding == Encoding::PackedHash).then(|| parts.value(arena, found.object).to_vec())
    }

    /// Sets a field of a packed hash, or of a new one; `false` if the hash has, or from now on needs, a table.
    fn set_packed(
        &mut self,
        name: &[u8],
        value: &[u8],
        expires_at_ms: Option<u64>,
    ) -> Result<bool, ArenaError> {
        let mut bytes = match (self.found(), self.packed_bytes()) {
            (None, _) => Vec::new(),
            (Some(_), Some(bytes)) => bytes,
            (Some(_), None) => return Ok(false),
        };
        let limits = *self.shard.limits();
        let mut fits =
            packed::fits(name, value) && name.len().max(value.len()) <= limits.packed_value_bytes_max;
        if fits {
            let mut field = Vec::with_capacity(10 + name.len() + value.len());
            packed::push(&mut field, name, value, expires_at_ms);
            match packed::position(&bytes, name) {
                Some((start, end)) => drop(bytes.splice(start..end, field)),
                None => {
                    fits = packed::fields(&bytes).count() < limits.packed_fields_max;
                    bytes.extend(field);
                }
            }
            fits &= bytes.len() <= inline_bytes_max(self.key.bytes.len());
        }
        let key_expires_at_ms = self.expires_at_ms();
        if fits {
            self.put(Encoding::PackedHash, [&bytes, b""], key_expires_at_ms, Old::Whole)?;
        } else {
            self.unpack(key_expires_at_ms)?;
        }
        Ok(fits)
    }

    /// Gives the hash, which is packed or not there, a table.
    fn unpack(&mut self, key_expires_at_ms: Option<u64>) -> Result<(), ArenaError> {
        let bytes = self.packed_bytes().unwrap_or_default();
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
        self.put(Encoding::TableHash, [bytemuck::bytes_of(&hash), b""], key_expires_at_ms, Old::Whole)
            .inspect_err(|_| self.shard.memory.drop_tables(vec![nodes], bytes, false))
    }

    /// Runs a change of the hash's table. A fork's view of the hash is kept first, so that the change can be written back
    /// whatever becomes of it.
    fn in_table<T>(
        &mut self,
        change: impl FnOnce(&mut Memory, &mut TableHash, Guard) -> Result<T, ArenaError>,
    ) -> Result<T, ArenaError> {
        let found = self.found().expect("the caller has seen a hash with a table");
        let memory = &self.shard.memory;
        let parts = Parts::of(&memory.arena, found.object);
        let mut hash = object::table_hash(&memory.arena, found.object, &parts);
        let expires_at_ms = parts.expires_at_ms(&memory.arena, found.object);
        self.put(Encoding::TableHash, [bytemuck::bytes_of(&hash), b""], expires_at_ms, Old::Shell)?;
        let memory = &mut self.shard.memory;
        let before = memory.live_bytes();
        let result = change(memory, &mut hash, self.guard);
        hash.bytes = hash.bytes + memory.live_bytes() - before;
        self.put(Encoding::TableHash, [bytemuck::bytes_of(&hash), b""], expires_at_ms, Old::Shell)
            .expect("the object is the slot's own now and of the same size, so it is overwritten in place");
        result
    }
}

fn drop_fields(memory: &mut Memory, hash: &TableHash, before: u64) {
    let bytes = memory.live_bytes() - before;
    memory.drop_tables(vec![hash.table.child], bytes, false);
}

fn put_field(
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
        return put(memory, Encoding::Inline, value);
    }
    let LargeId(id) = memory.create_large(&[value]);
    put(memory, Encoding::Large, bytemuck::bytes_of(&LargeValue { id }))
        .inspect_err(|_| memory.drop_large(LargeId(id)))
}

fn remove_field(
    memory: &mut Memory,
    hash: &mut TableHash,
    name: &[u8],
    guard: Guard,
) -> Result<(), ArenaError> {
    let hashed = memory.hash(name);
    let Some(found) = memory.find(&hash.table, hashed, name) else { return Ok(()) };
    let shared = memory.remove(&mut hash.table, hashed, found, guard)?;
    memory.drop_object(found.object, shared);
    Ok(())
}
