//! An entry: a key and its value, as a reader sees them.

use super::hash::HashView;
use super::text::Text;
use crate::arena::Ref;
use crate::memory::Memory;
use crate::object::{self, Encoding, Parts};

/// The type of a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A string.
    String,
    /// A hash.
    Hash,
}

impl Kind {
    /// The name that TYPE answers.
    pub fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::Hash => "hash",
        }
    }
}

/// A key and its value.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    memory: &'a Memory,
    object: Ref,
    parts: Parts,
    now_ms: u64,
}

impl<'a> Entry<'a> {
    pub(super) fn new(memory: &'a Memory, object: Ref, parts: Parts, now_ms: u64) -> Entry<'a> {
        Entry { memory, object, parts, now_ms }
    }

    pub(super) fn of(memory: &'a Memory, object: Ref, now_ms: u64) -> Entry<'a> {
        Entry::new(memory, object, Parts::of(&memory.arena, object), now_ms)
    }

    /// The key.
    pub fn key(&self) -> &'a [u8] {
        self.parts.key(&self.memory.arena, self.object)
    }

    /// The type of the value.
    pub fn kind(&self) -> Kind {
        match self.parts.encoding {
            Encoding::Inline | Encoding::Integer | Encoding::Large => Kind::String,
            Encoding::PackedHash | Encoding::TableHash => Kind::Hash,
        }
    }

    /// The value, if it is a string.
    #[inline]
    pub fn text(&self) -> Option<Text<'a>> {
        let arena = &self.memory.arena;
        match self.parts.encoding {
            Encoding::Inline => Some(Text::Bytes(self.parts.value(arena, self.object))),
            Encoding::Integer => Some(Text::Integer(object::integer(arena, self.object, &self.parts))),
            Encoding::Large => {
                Some(Text::Large(self.memory.larges.at(object::large_id(arena, self.object, &self.parts))))
            }
            Encoding::PackedHash | Encoding::TableHash => None,
        }
    }

    /// The value, if it is a hash. Expired fields are not seen.
    pub fn hash(&self) -> Option<HashView<'a>> {
        HashView::of(self.memory, self.object, &self.parts, self.now_ms)
    }

    /// When the key expires, if ever, in Unix milliseconds.
    pub fn expires_at_ms(&self) -> Option<u64> {
        self.parts.expires_at_ms(&self.memory.arena, self.object)
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding(&self) -> &'static str {
        /// The longest string that Redis keeps in one piece with its header.
        const EMBEDDED_BYTES_MAX: usize = 44;
        match self.parts.encoding {
            Encoding::Integer => "int",
            Encoding::Inline if self.parts.value_length() <= EMBEDDED_BYTES_MAX => "embstr",
            Encoding::Inline | Encoding::Large => "raw",
            Encoding::PackedHash => "listpack",
            Encoding::TableHash => "hashtable",
        }
    }

    /// Bytes of memory that the key takes: object, nested nodes, and its share of the slot's table.
    pub fn size_bytes(&self) -> u64 {
        /// A bucket entry is 5.3 bytes in a bucket that is four fifths full.
        const TABLE_SHARE_BYTES: u64 = 7;
        self.memory.object_bytes(self.object) + TABLE_SHARE_BYTES
    }

    /// Where the key's object lies, in bytes from the beginning of the arena. It may move at any time.
    pub fn place(&self) -> u64 {
        u64::from(self.object.0) * 8
    }

    /// Whole seconds since the key was last used; nothing under a policy that counts uses instead.
    pub fn idle_s(&self) -> Option<u64> {
        self.memory.access.idle_s(self.access(), self.now_ms)
    }

    /// How often the key was used, as a logarithmic counter that decays; nothing under a policy that does not count.
    pub fn frequency(&self) -> Option<u8> {
        self.memory.access.frequency(self.access(), self.now_ms)
    }

    fn access(&self) -> u32 {
        object::access(&self.memory.arena, self.object)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Expiry, Shard, ShardLimits};
    use crate::access::AccessKind;
    use crate::key::HashSeed;

    #[test]
    fn uses_are_noted_where_they_should_be() {
        let mut shard = Shard::new(HashSeed(9), ShardLimits::default()).expect("address space");
        let key = crate::shard::Key::new(b"k", HashSeed(9));
        let idle = |shard: &Shard, at: u64| shard.peek(&key, at).expect("it is there").idle_s();
        shard.write(&key, 10_000).set(b"v", Expiry::Clear).expect("room");
        assert_eq!(idle(&shard, 15_000), Some(5));
        shard.find(&key, 12_000);
        assert_eq!(idle(&shard, 15_000), Some(3));
        shard.amend(&key, 13_000).set(b"a longer value", Expiry::At(99_000)).expect("room");
        assert_eq!(idle(&shard, 15_000), Some(3), "an amendment is no use");
        shard.write(&key, 14_000).set(b"a value", Expiry::Keep).expect("room");
        assert_eq!(idle(&shard, 15_000), Some(1));
        shard.amend(&key, 15_000).set_idle_s(7);
        assert_eq!(idle(&shard, 15_000), Some(7));

        shard.memory.access = AccessKind::Frequency { log_factor: 0, decay_min: 1 };
        shard.amend(&key, 15_000).remove().expect("room");
        shard.write(&key, 15_000).set(b"v", Expiry::Clear).expect("room");
        shard.find(&key, 15_000);
        shard.write(&key, 15_000).set(b"another value", Expiry::Clear).expect("room");
        let entry = shard.peek(&key, 15_000).expect("it is there");
        assert_eq!((entry.frequency(), entry.idle_s()), (Some(7), None), "overwriting keeps the counter");
    }
}
