//! Putting in place what comes from elsewhere: whole hashes, groups of fields, and pieces of long values of fields.

use super::effect::{CarriedField, Effect, Fields};
use super::fields::{drop_fields, put_field};
use super::put::Old;
use super::write::{Expiry, Write};
use super::{expire, packed};
use crate::arena::ArenaError;
use crate::large::LargeId;
use crate::memory::{Guard, Memory};
use crate::object::{self, Draft, Encoding, LargeValue, Parts, TableHash, inline_bytes_max};
use crate::table::Found;

fn expiry(expires_at_ms: Option<u64>) -> Expiry {
    expires_at_ms.map_or(Expiry::Clear, Expiry::At)
}

impl Write<'_, '_> {
    /// Makes the key a hash of these fields, none of which stands twice. A packed hash is built at once.
    pub(super) fn load_hash(
        &mut self,
        fields: &Fields<'_>,
        expires_at_ms: Option<u64>,
    ) -> Result<(), ArenaError> {
        if !self.load_packed(fields, expires_at_ms)? {
            self.load_table(fields, expires_at_ms)?;
        }
        let fields = *fields;
        self.emit(|key| Effect::Hash { key, fields, expires_at_ms, access: None });
        Ok(())
    }

    /// Sets fields with their expiry times; the key is a hash or not there.
    pub(super) fn load_fields(&mut self, fields: &Fields<'_>) -> Result<(), ArenaError> {
        let each = fields.iter().map(|field| (field.name, field.value, expiry(field.expires_at_ms)));
        self.hash_set_each(each).map(drop)
    }

    /// Overwrites bytes of a field's value, which is going to have `total` bytes at least; `false` if there is no such
    /// field, or if the offset lies behind its value.
    pub(super) fn hash_write(
        &mut self,
        name: &[u8],
        offset: usize,
        bytes: &[u8],
        total: usize,
    ) -> Result<bool, ArenaError> {
        let hash = self.entry().and_then(|entry| entry.hash());
        let Some(field) = hash.and_then(|hash| hash.stored_field(name)) else { return Ok(false) };
        let (length, expires_at_ms) = (field.value.len(), field.expires_at_ms);
        if offset > length {
            return Ok(false);
        }
        let reach = total.max(length).max(offset + bytes.len());
        if self.encoding() == Some(Encoding::PackedHash) || reach <= inline_bytes_max(name.len()) {
            let mut value = field.value.bytes().into_owned();
            value.resize(length.max(offset + bytes.len()), 0);
            value[offset..offset + bytes.len()].copy_from_slice(bytes);
            self.hash_set_each([(name, &value[..], expiry(expires_at_ms))].into_iter())?;
            return Ok(true);
        }
        self.in_table(|memory, hash, guard| {
            let id = own_large_field(memory, hash, name, guard)?;
            memory.write_large(id, offset, bytes, total);
            Ok(())
        })?;
        let total = reach as u64;
        self.emit(|key| Effect::HashWrite { key, name, offset: offset as u64, bytes, total });
        Ok(true)
    }

    /// Makes the key a packed hash of these fields; `false` if they need a table.
    fn load_packed(&mut self, fields: &Fields<'_>, expires_at_ms: Option<u64>) -> Result<bool, ArenaError> {
        let limits = self.shard.limits;
        let bytes_max = inline_bytes_max(self.key.bytes().len());
        let mut bytes = std::mem::take(&mut self.shard.packed);
        bytes.clear();
        let mut fits = true;
        for (others, CarriedField { name, value, expires_at_ms }) in fields.iter().enumerate() {
            let is_short = name.len().max(value.len()) <= limits.packed_value_bytes_max;
            fits = is_short && packed::fits(name, value) && others < limits.packed_fields_max;
            if !fits {
                break;
            }
            packed::push(&mut bytes, name, value, expires_at_ms);
        }
        fits &= bytes.len() <= bytes_max;
        let result = match fits {
            true => self.put(Encoding::PackedHash, [&bytes, b""], expires_at_ms, Old::Whole),
            false => Ok(()),
        };
        self.shard.packed = bytes;
        result.map(|()| fits)
    }

    fn load_table(&mut self, fields: &Fields<'_>, expires_at_ms: Option<u64>) -> Result<(), ArenaError> {
        let memory = &mut self.shard.memory;
        let (mut hash, before) = (TableHash::default(), memory.live_bytes());
        for field in fields.iter() {
            put_field(memory, &mut hash, field.name, field.value, field.expires_at_ms, Guard::Free)
                .inspect_err(|_| drop_fields(memory, &hash, before))?;
        }
        hash.bytes = memory.live_bytes() - before;
        let (nodes, bytes) = (hash.table.child, hash.bytes);
        self.put(Encoding::TableHash, [bytemuck::bytes_of(&hash), b""], expires_at_ms, Old::Whole)
            .inspect_err(|_| self.shard.memory.drop_table(nodes, bytes, false))
    }
}

/// The large string of a field, to be changed: its own, a twin of one that a fork keeps, or a new one of a short value.
fn own_large_field(
    memory: &mut Memory,
    hash: &mut TableHash,
    name: &[u8],
    guard: Guard,
) -> Result<LargeId, ArenaError> {
    let hashed = memory.hash(name);
    let found: Found = memory.find(&hash.table, hashed, name).expect("the caller has seen the field");
    let parts = Parts::of(&memory.arena, found.object);
    let expires_at_ms = parts.expires_at_ms(&memory.arena, found.object);
    let (id, old) = match parts.encoding {
        Encoding::Large => {
            let id = object::large_id(&memory.arena, found.object, &parts);
            if memory.is_own(&hash.table, hashed, found, guard) {
                return Ok(id);
            }
            (memory.share_large(id), Old::Shell)
        }
        _ => {
            let value = parts.value(&memory.arena, found.object).to_vec();
            (memory.create_large(&[&value]), Old::Whole)
        }
    };
    let value = LargeValue { id: id.0 };
    let draft = Draft {
        key: name,
        encoding: Encoding::Large,
        expires_at_ms,
        value: [bytemuck::bytes_of(&value), b""],
        access: 0,
    };
    let expires_s = expires_at_ms.map(expire::bound_s);
    memory
        .put(&mut hash.table, hashed, Some(found), &draft, expires_s, old, guard)
        .inspect_err(|_| memory.drop_large(id))?;
    Ok(id)
}
