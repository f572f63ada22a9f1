//! A hash as a reader sees it, packed or in a table. Expired fields are not seen.

use super::packed;
use super::text::Text;
use crate::arena::Ref;
use crate::memory::Memory;
use crate::object::{self, Encoding, Parts, TableHash};

/// One field of a hash.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// The name of the field.
    pub name: &'a [u8],
    /// Its value.
    pub value: Text<'a>,
    /// When it expires, if ever, in Unix milliseconds.
    pub expires_at_ms: Option<u64>,
}

impl<'a> Field<'a> {
    /// The field that an object of a hash's table holds.
    pub(super) fn of(memory: &'a Memory, object: Ref) -> Field<'a> {
        let parts = Parts::of(&memory.arena, object);
        let value = match parts.encoding {
            Encoding::Large => Text::Large(memory.larges.at(object::large_id(&memory.arena, object, &parts))),
            _ => Text::Bytes(parts.value(&memory.arena, object)),
        };
        Field {
            name: parts.key(&memory.arena, object),
            value,
            expires_at_ms: parts.expires_at_ms(&memory.arena, object),
        }
    }

    fn is_live(&self, now_ms: u64) -> bool {
        self.expires_at_ms.is_none_or(|at| at > now_ms)
    }
}

#[derive(Clone, Copy, Debug)]
enum Form<'a> {
    Packed(&'a [u8]),
    Table(TableHash),
}

/// A hash.
#[derive(Clone, Copy, Debug)]
pub struct HashView<'a> {
    memory: &'a Memory,
    form: Form<'a>,
    now_ms: u64,
}

impl<'a> HashView<'a> {
    pub(super) fn of(memory: &'a Memory, object: Ref, parts: &Parts, now_ms: u64) -> Option<HashView<'a>> {
        let form = match parts.encoding {
            Encoding::PackedHash => Form::Packed(parts.value(&memory.arena, object)),
            Encoding::TableHash => Form::Table(object::table_hash(&memory.arena, object, parts)),
            Encoding::Inline | Encoding::Integer | Encoding::Large => return None,
        };
        Some(HashView { memory, form, now_ms })
    }

    /// How many fields are stored, expired ones that nobody met included (as HLEN counts).
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Packed(bytes) => packed::fields(bytes).count(),
            Form::Table(hash) => hash.table.count as usize,
        }
    }

    /// Whether no field is stored.
    pub fn is_empty(&self) -> bool {
        match &self.form {
            Form::Packed(bytes) => bytes.is_empty(),
            Form::Table(hash) => hash.table.count == 0,
        }
    }

    /// How many fields have not expired, if that can be said without looking at each of many.
    pub fn live_len(&self) -> Option<usize> {
        match &self.form {
            Form::Packed(bytes) => {
                Some(packed::fields(bytes).filter(|field| field.is_live(self.now_ms)).count())
            }
            Form::Table(hash) => {
                let due =
                    hash.table.expiring > 0 && u64::from(hash.table.child.expiry_s) <= self.now_ms / 1000;
                (!due).then_some(hash.table.count as usize)
            }
        }
    }

    /// The field with this name.
    pub fn field(&self, name: &[u8]) -> Option<Field<'a>> {
        self.stored_field(name).filter(|field| field.is_live(self.now_ms))
    }

    /// The field with this name, expired or not.
    pub(super) fn stored_field(&self, name: &[u8]) -> Option<Field<'a>> {
        match self.form {
            Form::Packed(bytes) => packed::find(bytes, name),
            Form::Table(hash) => {
                let found = self.memory.find(&hash.table, self.memory.hash(name), name)?;
                Some(Field::of(self.memory, found.object))
            }
        }
    }

    /// Shows every field once.
    pub fn for_each(&self, mut show: impl FnMut(Field<'a>)) {
        let mut show_live = |field: Field<'a>| {
            if field.is_live(self.now_ms) {
                show(field);
            }
        };
        match self.form {
            Form::Packed(bytes) => packed::fields(bytes).for_each(show_live),
            Form::Table(hash) => {
                let mut from = Some(0);
                while let Some(at) = from {
                    let view = self.memory.leaf_view(hash.table.child, at);
                    (0..view.places())
                        .filter_map(|place| self.memory.entry_at(&view, place))
                        .for_each(|found| show_live(Field::of(self.memory, found.object)));
                    from = view.end();
                }
            }
        }
    }

    /// Shows the fields from a cursor on until about `count` were looked at; answers the next cursor, 0 at the end. A field
    /// that is there during the whole scan is shown at least once, if the hash's form does not change meanwhile, and
    /// exactly once in all but the largest of hashes. A packed hash is shown whole.
    pub fn scan(&self, cursor: u64, count: usize, mut show: impl FnMut(Field<'a>)) -> u64 {
        /// A cursor is the upper bits of a hash, so few that clients may read it as a double.
        const CURSOR_BITS: u32 = 53;
        const SHIFT: u32 = u64::BITS - CURSOR_BITS;
        let Form::Table(hash) = self.form else {
            self.for_each(show);
            return 0;
        };
        if cursor >> CURSOR_BITS != 0 {
            return 0;
        }
        let mut looked_at = 0;
        let mut from = cursor << SHIFT;
        loop {
            let next = self.memory.scan_bucket(&hash.table, from, |object| {
                looked_at += 1;
                let field = Field::of(self.memory, object);
                if field.is_live(self.now_ms) {
                    show(field);
                }
            });
            // An empty bucket costs a look too.
            looked_at += 1;
            match next {
                None => return 0,
                // What the cursor cannot say is shown again; it must get ahead all the same.
                Some(next) if looked_at >= count && next >> SHIFT > cursor => return next >> SHIFT,
                Some(next) => from = next,
            }
        }
    }

    /// A field chosen by random bits.
    pub fn random(&self, mut random: impl FnMut() -> u64) -> Option<Field<'a>> {
        /// Expired fields that are passed over before giving up.
        const TRIES: usize = 32;
        match self.form {
            Form::Packed(bytes) => {
                let live = || packed::fields(bytes).filter(|field| field.is_live(self.now_ms));
                let count = live().count();
                live().nth(random() as usize % count.max(1))
            }
            Form::Table(hash) => (0..TRIES)
                .filter_map(|_| self.memory.random_entry(&hash.table, &mut random))
                .map(|found| Field::of(self.memory, found.object))
                .find(|field| field.is_live(self.now_ms)),
        }
    }

    /// The earliest Unix second at which a field may expire, if one does.
    pub(super) fn expires_s(&self) -> Option<u32> {
        match &self.form {
            Form::Packed(bytes) => packed::fields(bytes)
                .filter_map(|field| field.expires_at_ms)
                .min()
                .map(super::expire::bound_s),
            Form::Table(hash) => (hash.table.expiring > 0).then_some(hash.table.child.expiry_s),
        }
    }

    /// Names of up to `count` fields that have expired by `now_ms`.
    pub(super) fn expired(&self, now_ms: u64, count: usize) -> Vec<Vec<u8>> {
        let is_expired = |field: &Field<'_>| field.expires_at_ms.is_some_and(|at| at <= now_ms);
        match self.form {
            Form::Packed(bytes) => packed::fields(bytes)
                .filter(is_expired)
                .take(count)
                .map(|field| field.name.to_vec())
                .collect(),
            Form::Table(hash) => {
                let Some(view) = self.memory.due_leaf(&hash.table, 0, (now_ms / 1000) as u32) else {
                    return Vec::new();
                };
                let mut due = Vec::new();
                self.memory.expiring_entries(&view, &mut due);
                due.into_iter()
                    .map(|object| Field::of(self.memory, object))
                    .filter(is_expired)
                    .map(|field| field.name.to_vec())
                    .collect()
            }
        }
    }
}
