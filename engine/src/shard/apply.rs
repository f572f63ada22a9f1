//! Applying effects, and what concerns whole keys or slots: rename, copy, flush.

use super::effect::{Effect, Run, runs_of_one};
use super::put::Old;
use super::write::Expiry;
use super::{Key, Shard, Slot};
use crate::arena::ArenaError;
use crate::key::{SLOT_COUNT, SlotId};
use crate::object::{self, Encoding, LargeValue, Parts};

/// Why an effect could not be applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ApplyError {
    /// The shard has no memory left.
    Memory(ArenaError),
    /// The effect does not fit what is there: the copy is not what the effects were made for.
    Mismatch,
    /// The bytes are no run of effects.
    Malformed,
}

impl From<ArenaError> for ApplyError {
    fn from(error: ArenaError) -> Self {
        ApplyError::Memory(error)
    }
}

/// No value is longer: twice what a request may hold at most.
const TEXT_BYTES_MAX: u64 = 1 << 32;

fn expiry(expires_at_ms: Option<u64>) -> Expiry {
    expires_at_ms.map_or(Expiry::Clear, Expiry::At)
}

impl Shard {
    /// Does to this shard what a run says; answers how many effects there were. On an error those before are done.
    pub fn apply_run(&mut self, slot: SlotId, run: &[u8]) -> Result<u64, ApplyError> {
        let (mut run, mut count) = (Run::new(run), 0);
        while !run.rest().is_empty() {
            count += self.apply_part(slot, &mut run, usize::MAX)?;
        }
        Ok(count)
    }

    /// The same for as many effects as take up `bytes_max`, or as can be done in a few dozen microseconds, but one at
    /// least; the run then holds what is left.
    pub fn apply_part(
        &mut self,
        slot: SlotId,
        run: &mut Run<'_>,
        bytes_max: usize,
    ) -> Result<u64, ApplyError> {
        /// Short keys that are put in place in one go.
        const WORK_MAX: usize = 64;
        let (bytes, mut count, mut work) = (run.rest().len(), 0, 0);
        while let Some(effect) = run.next() {
            let effect = effect?;
            self.apply(slot, &effect)?;
            count += 1;
            work += effect.work();
            if work >= WORK_MAX || bytes - run.rest().len() >= bytes_max {
                break;
            }
        }
        Ok(count)
    }

    /// Does to this shard what a write did to another. Expiry is the source's to decide: it says when a key is gone.
    pub fn apply(&mut self, slot: SlotId, effect: &Effect<'_>) -> Result<(), ApplyError> {
        const NOTHING_EXPIRES: u64 = 0;
        let Some(bytes) = effect.key() else {
            self.flush_slot(slot);
            return Ok(());
        };
        let key = self.key(bytes);
        if key.slot != slot {
            return Err(ApplyError::Mismatch);
        }
        if let Effect::Rename { to, .. } = *effect {
            let to = self.key(to);
            let fits = to.slot == slot && self.rename(&key, &to, NOTHING_EXPIRES)?;
            return fits.then_some(()).ok_or(ApplyError::Mismatch);
        }
        let mut write = self.amend(&key, NOTHING_EXPIRES);
        let is_text = write.entry().is_none_or(|entry| entry.text().is_some());
        let is_hash = write.entry().is_none_or(|entry| entry.hash().is_some());
        let fits = match *effect {
            Effect::Delete { .. } => write.remove()?,
            Effect::Set { value, expires_at_ms, access, .. } => {
                write.set(value, expiry(expires_at_ms))?;
                access.into_iter().for_each(|access| write.arrive(access));
                true
            }
            Effect::Write { offset, bytes, total, .. } if is_text && total <= TEXT_BYTES_MAX => {
                write.set_range_of(offset as usize, bytes, total as usize)?;
                true
            }
            Effect::Expire { expires_at_ms, .. } => write.set_expiry(expires_at_ms)?,
            Effect::Hash { fields, expires_at_ms, access, .. } => {
                write.load_hash(&fields, expires_at_ms)?;
                access.into_iter().for_each(|access| write.arrive(access));
                true
            }
            Effect::HashSet { fields, .. } if is_hash => write.load_fields(&fields).map(|()| true)?,
            Effect::HashWrite { name, offset, bytes, total, .. } if is_hash && total <= TEXT_BYTES_MAX => {
                write.hash_write(name, offset as usize, bytes, total as usize)?
            }
            Effect::HashExpire { name, expires_at_ms, .. } => write.hash_set_expiry(name, expires_at_ms)?,
            Effect::HashRemove { name, .. } => write.hash_remove(name)?,
            _ => false,
        };
        fits.then_some(()).ok_or(ApplyError::Mismatch)
    }

    /// Gives a key another name, in O(1) however large its value; what had that name before is gone. `false` if there is
    /// no such key.
    pub fn rename(&mut self, from: &Key<'_>, to: &Key<'_>, now_ms: u64) -> Result<bool, ArenaError> {
        if self.write(from, now_ms).found().is_none() {
            return Ok(false);
        }
        if from.bytes == to.bytes {
            return Ok(true);
        }
        self.write(to, now_ms).remove()?;
        let found = self.lookup(from).expect("the key was there, and another one was removed");
        let parts = Parts::of(&self.memory.arena, found.object);
        let expires_at_ms = parts.expires_at_ms(&self.memory.arena, found.object);
        let mut value = parts.value(&self.memory.arena, found.object).to_vec();
        if value.len() > object::inline_bytes_max(to.bytes.len()) {
            // A longer name leaves less room beside it; the value moves to where it fits.
            return self.copy(from, to, now_ms).and_then(|_| self.write(from, now_ms).remove());
        }
        if parts.encoding == Encoding::TableHash {
            self.lend(from.slot, to.slot);
        }
        let nested_bytes = match parts.encoding {
            Encoding::TableHash => object::table_hash(&self.memory.arena, found.object, &parts).bytes,
            _ => 0,
        };
        let mut write = self.write(to, now_ms);
        if parts.encoding == Encoding::Large {
            let id = object::large_id(&write.shard.memory.arena, found.object, &parts);
            let twin = write.shard.memory.share_large(id);
            value = bytemuck::bytes_of(&LargeValue { id: twin.0 }).to_vec();
        }
        write.put(parts.encoding, [&value, b""], expires_at_ms, Old::Whole)?;
        drop(write);
        self.slots[to.slot.number()].bytes += nested_bytes;
        self.slots[from.slot.number()].bytes -= nested_bytes;
        self.write(from, now_ms).remove_shell()?;
        if from.slot == to.slot {
            self.emit(to.slot, &Effect::Rename { key: from.bytes, to: to.bytes });
        } else {
            self.emit(from.slot, &Effect::Delete { key: from.bytes });
            self.emit_whole(to);
        }
        Ok(true)
    }

    /// Copies a key's value and expiry to another key, whose value is replaced. `false` if there is no such key.
    pub fn copy(&mut self, from: &Key<'_>, to: &Key<'_>, now_ms: u64) -> Result<bool, ArenaError> {
        let Some(entry) = self.peek(from, now_ms) else { return Ok(false) };
        let expires_at_ms = entry.expires_at_ms();
        let text = entry.text().map(|text| text.bytes().into_owned());
        let mut fields = Vec::new();
        if let Some(hash) = entry.hash() {
            hash.for_each(|field| {
                fields.push((field.name.to_vec(), field.value.bytes().into_owned(), field.expires_at_ms));
            });
        }
        let mut write = self.write(to, now_ms);
        write.remove()?;
        if let Some(text) = text {
            write.set(&text, expiry(expires_at_ms))?;
            return Ok(true);
        }
        for (name, value, field_expires_at_ms) in fields {
            write.hash_set(&name, &value, expiry(field_expires_at_ms))?;
        }
        if expires_at_ms.is_some() {
            write.set_expiry(expires_at_ms)?;
        }
        Ok(true)
    }

    /// Empties a slot in O(1); its memory is reclaimed in the background.
    pub fn flush_slot(&mut self, slot: SlotId) {
        let Slot { table, bytes, fork_epoch, watch } = self.slots[slot.number()];
        if table.child.is_none() {
            return;
        }
        self.slots[slot.number()] = Slot { fork_epoch, watch, ..Slot::default() };
        self.keys.set(slot, 0);
        self.expiring_keys.set(slot, 0);
        self.used.set(slot, false);
        self.expiring.set(slot, false);
        let shared = fork_epoch != 0;
        self.memory.drop_table(table.child, bytes, shared);
        if shared {
            // Everything below the root goes as one: it is kept until every fork has passed its last key.
            self.forks.retire(slot, u64::MAX, &mut self.memory);
            self.end_overrun_forks(slot);
        }
        self.emit(slot, &Effect::Flush);
    }

    /// Empties all slots.
    pub fn flush(&mut self) {
        self.stats.changes += self.keys();
        let mut from = 0;
        while from < SLOT_COUNT {
            let Some(slot) = self.used.next(from) else { break };
            self.flush_slot(slot);
            from = slot.number() + 1;
        }
    }

    /// Tells the watchers of a key's slot its whole value.
    fn emit_whole(&mut self, key: &Key<'_>) {
        if !self.is_watched(key.slot) {
            return;
        }
        let mut whole = Vec::new();
        self.describe(key, 0, &mut whole);
        for effect in runs_of_one(&whole) {
            self.emit_encoded(key.slot, effect);
        }
    }
}

impl super::Write<'_, '_> {
    /// Removes the key while its nested table goes on elsewhere; what to tell of it is the caller's to say.
    fn remove_shell(&mut self) -> Result<(), ArenaError> {
        let Some(found) = self.found() else { return Ok(()) };
        let Shard { memory, slots, .. } = &mut *self.shard;
        let table = &mut slots[self.key.slot.number()].table;
        let shared = memory.remove(table, self.key.hash, found, self.guard)?;
        memory.drop_shell(found.object, shared);
        Ok(())
    }
}
