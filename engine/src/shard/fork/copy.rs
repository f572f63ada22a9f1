//! Copying a fork: what the slot held, as effects that bring it about, in steps of as many bytes as the caller asks for.
//!
//! A short key is one effect, a packed hash as well. A hash with a table goes in groups of fields, a long value in pieces;
//! between two steps the copy may stand inside of either. Nothing is allocated.

use super::{Fork, ForkError, ForkId, Inside, Rest};
use crate::arena::Ref;
use crate::large::{CHUNK_BYTES, LargeString};
use crate::memory::Memory;
use crate::object::{self, Encoding, Parts};
use crate::shard::effect::{CarriedField, Effect, PIECE_BYTES, group_bytes, push};
use crate::shard::hash::Field;
use crate::shard::text::{Decimal, Text};
use crate::shard::{Shard, packed};
use crate::table::ENTRIES;

/// What a field or a short key costs beside its bytes, in looks: where none of it is in a cache, tiny ones of a run of 16 KiB
/// have taken a millisecond together.
const ITEM_LOOKS: usize = 64;

const _: () = assert!(CHUNK_BYTES.is_multiple_of(PIECE_BYTES), "a piece lies within one chunk");

/// What one step of a copy came to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Copied {
    /// Effects that were written.
    pub items: u64,
    /// Keys that were completed.
    pub keys: u64,
    /// Whether there is more.
    pub more: bool,
}

/// A copy's step under way.
struct Copier<'c> {
    memory: &'c Memory,
    out: &'c mut Vec<u8>,
    /// The length of `out` at which the step ends.
    end: usize,
    /// Empty places and leaves that may still be met, so that sparse tables do not make a step long. What is found there
    /// counts as `ITEM_LOOKS` of them, so that tiny items do not either.
    looks: usize,
    copied: Copied,
}

impl Shard {
    /// Appends a run of what the fork holds: further `bytes_max` bytes, and one piece at most beyond them. Expired keys
    /// are copied with their expiry time: the fork is what the slot held, not what readers would have seen.
    pub fn copy_fork(
        &mut self,
        id: ForkId,
        bytes_max: usize,
        out: &mut Vec<u8>,
    ) -> Result<Copied, ForkError> {
        /// Looks at empty places that cost as much as a byte that is copied.
        const LOOKS_MIN: usize = 64;
        let fork = self.forks.open.get_mut(&id).ok_or(ForkError::Unknown)?;
        if fork.overrun {
            return Err(ForkError::Overrun);
        }
        let end = out.len().saturating_add(bytes_max.max(1));
        let looks = bytes_max.max(LOOKS_MIN);
        let mut copier = Copier { memory: &self.memory, out, end, looks, copied: Copied::default() };
        while fork.cursor.is_some() && copier.has_room() {
            copier.step(fork);
        }
        Ok(Copied { more: fork.cursor.is_some(), ..copier.copied })
    }

    /// Appends a key's whole state as a run that brings it about; nothing if there is no such key.
    pub fn describe(&self, key: &crate::shard::Key<'_>, now_ms: u64, out: &mut Vec<u8>) {
        let Some(entry) = self.peek(key, now_ms) else { return };
        let Some(found) = self.lookup(key) else { return };
        let is_hollow = entry.hash().is_some_and(|hash| hash.is_empty());
        debug_assert!(!is_hollow, "a hash without fields is no key");
        let (end, looks) = (usize::MAX, usize::MAX);
        let mut copier = Copier { memory: &self.memory, out, end, looks, copied: Copied::default() };
        let mut place = Place::default();
        copier.object(found.object, &mut place);
        while place.inside.is_some() || place.rest.is_some() {
            copier.go_on(&mut place);
        }
    }
}

/// Where a copy stands inside of a key.
#[derive(Clone, Copy, Default, Debug)]
pub struct Place {
    pub(super) inside: Option<Inside>,
    pub(super) rest: Option<Rest>,
}

impl Copier<'_> {
    fn has_room(&self) -> bool {
        self.out.len() < self.end && self.looks > 0
    }

    /// Copies what comes next: a piece, a group, or the keys of a leaf as far as there is room.
    fn step(&mut self, fork: &mut Fork) {
        let mut place = Place { inside: fork.inside, rest: fork.rest };
        if place.inside.is_some() || place.rest.is_some() {
            self.go_on(&mut place);
        } else if let Some(cursor) = fork.cursor {
            let view = self.memory.leaf_view(fork.root.child, cursor);
            while self.has_room()
                && fork.place < view.places()
                && place.inside.is_none()
                && place.rest.is_none()
            {
                if fork.place.is_multiple_of(ENTRIES) {
                    self.memory.prefetch_ahead(&view, fork.place);
                }
                match self.memory.entry_at(&view, fork.place) {
                    Some(found) => {
                        self.looks = self.looks.saturating_sub(ITEM_LOOKS);
                        self.object(found.object, &mut place);
                    }
                    None => self.looks -= 1,
                }
                fork.place += 1;
            }
            if fork.place >= view.places() && place.inside.is_none() && place.rest.is_none() {
                fork.place = 0;
                fork.cursor = view.end();
                self.looks = self.looks.saturating_sub(1);
            }
        }
        (fork.inside, fork.rest) = (place.inside, place.rest);
    }

    /// Begins a key.
    fn object(&mut self, object: Ref, place: &mut Place) {
        let memory = self.memory;
        let parts = Parts::of(&memory.arena, object);
        let key = parts.key(&memory.arena, object);
        let expires_at_ms = parts.expires_at_ms(&memory.arena, object);
        let access = Some(memory.access.travel(object::access(&memory.arena, object)));
        let decimal;
        let value = match parts.encoding {
            Encoding::Inline => parts.value(&memory.arena, object),
            Encoding::Integer => {
                decimal = Decimal::of(object::integer(&memory.arena, object, &parts));
                decimal.as_bytes()
            }
            Encoding::Large => {
                let string = memory.larges.at(object::large_id(&memory.arena, object, &parts));
                place.rest = Rest::behind_first(object, string);
                string.piece(0..PIECE_BYTES.min(string.len()))
            }
            Encoding::PackedHash => {
                let bytes = parts.value(&memory.arena, object);
                // What a field takes beside its bytes when it is packed, and when it is carried.
                let bytes_max = key.len() + bytes.len() * 4 + 64;
                push(self.out, bytes_max, |out| {
                    Effect::encode_hash(out, key, true, expires_at_ms, access);
                    packed::fields(bytes).for_each(|field| carried(&field).0.encode_into(out));
                });
                return self.count(true);
            }
            Encoding::TableHash => {
                let fields = object::table_hash(&memory.arena, object, &parts).table;
                place.inside = Some(Inside { object, fields, hash: 0, place: 0, has_begun: false });
                return self.fields(place);
            }
        };
        Effect::Set { key, value, expires_at_ms, access }.push_onto(self.out);
        self.count(place.rest.is_none());
    }

    /// Goes on inside of a key.
    fn go_on(&mut self, place: &mut Place) {
        match place.rest {
            Some(rest) => self.piece(rest, place),
            None => self.fields(place),
        }
    }

    /// Copies the next piece of a long value.
    fn piece(&mut self, rest: Rest, place: &mut Place) {
        let memory = self.memory;
        let name_of = |object| Parts::of(&memory.arena, object).key(&memory.arena, object);
        let parts = Parts::of(&memory.arena, rest.object);
        let string = memory.larges.at(object::large_id(&memory.arena, rest.object, &parts));
        let end = (rest.offset + PIECE_BYTES).min(string.len());
        let (bytes, name) = (string.piece(rest.offset..end), name_of(rest.object));
        let (offset, total) = (rest.offset as u64, string.len() as u64);
        match &place.inside {
            Some(inside) => {
                Effect::HashWrite { key: name_of(inside.object), name, offset, bytes, total }
                    .push_onto(self.out);
            }
            None => Effect::Write { key: name, offset, bytes, total }.push_onto(self.out),
        }
        place.rest = (end < string.len()).then_some(Rest { offset: end, ..rest });
        if place.rest.is_none() && place.inside.is_some_and(|inside| inside.is_done(memory)) {
            place.inside = None;
        }
        self.count(place.rest.is_none() && place.inside.is_none());
    }

    /// Copies fields of a hash with a table: up to a group of them, or one whose value is long.
    fn fields(&mut self, place: &mut Place) {
        let Some(mut inside) = place.inside else { return };
        let memory = self.memory;
        let parts = Parts::of(&memory.arena, inside.object);
        let key = parts.key(&memory.arena, inside.object);
        let expires_at_ms = parts.expires_at_ms(&memory.arena, inside.object).filter(|_| !inside.has_begun);
        let access = memory.access.travel(object::access(&memory.arena, inside.object));
        let access = (!inside.has_begun).then_some(access);
        // Of a group the last field may reach beyond its bytes, a short one by far less than a piece.
        let bytes_max = key.len() + group_bytes(key) + 2 * PIECE_BYTES;
        let end = (self.out.len() + key.len() + group_bytes(key)).min(self.end);
        let mut looks = self.looks;
        push(self.out, bytes_max, |out| {
            Effect::encode_hash(out, key, !inside.has_begun, expires_at_ms, access);
            let empty = out.len();
            while out.len() == empty || (out.len() < end && looks > 0) {
                let Some(field) = inside.next(memory, &mut looks) else { break };
                looks = looks.saturating_sub(ITEM_LOOKS);
                let (carried, rest) = carried(&Field::of(memory, field));
                carried.encode_into(out);
                if let Some(offset) = rest {
                    place.rest = Some(Rest { object: field, offset });
                    break;
                }
            }
            debug_assert!(out.len() > empty, "a hash has a field, and no group is begun behind the last one");
        });
        self.looks = looks;
        inside.has_begun = true;
        let is_done = place.rest.is_none() && inside.is_done(memory);
        place.inside = (!is_done).then_some(inside);
        self.count(is_done);
    }

    fn count(&mut self, is_key_done: bool) {
        self.copied.items += 1;
        self.copied.keys += u64::from(is_key_done);
    }
}

/// The field as it is carried: with the whole of its value, or the first piece and where the rest begins.
fn carried<'a>(field: &Field<'a>) -> (CarriedField<'a>, Option<usize>) {
    let (value, rest) = match field.value {
        Text::Bytes(bytes) => (bytes, None),
        Text::Large(string) => {
            let first = PIECE_BYTES.min(string.len());
            (string.piece(0..first), (first < string.len()).then_some(first))
        }
        Text::Integer(_) => unreachable!("values of fields are not kept as integers"),
    };
    (CarriedField { name: field.name, value, expires_at_ms: field.expires_at_ms }, rest)
}

impl Rest {
    fn behind_first(object: Ref, string: &LargeString) -> Option<Rest> {
        (string.len() > PIECE_BYTES).then_some(Rest { object, offset: PIECE_BYTES })
    }
}

impl Inside {
    /// The next field, which is passed by that.
    fn next(&mut self, memory: &Memory, looks: &mut usize) -> Option<Ref> {
        loop {
            let view = memory.leaf_view(self.fields.child, self.hash);
            while self.place < view.places() {
                if self.place.is_multiple_of(ENTRIES) {
                    memory.prefetch_ahead(&view, self.place);
                }
                let found = memory.entry_at(&view, self.place);
                self.place += 1;
                if let Some(found) = found {
                    return Some(found.object);
                }
                *looks = looks.saturating_sub(1);
            }
            self.hash = view.end()?;
            self.place = 0;
            *looks = looks.saturating_sub(1);
        }
    }

    /// Whether no field is left.
    fn is_done(self, memory: &Memory) -> bool {
        let (mut ahead, mut looks) = (self, usize::MAX);
        ahead.next(memory, &mut looks).is_none()
    }
}
