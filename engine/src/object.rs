//! Objects: a key with its value, or a field with its value, in one piece of arena memory.
//!
//! ```text
//! | value_length u16 | key_length u8 | kind u8 | access u32 | [expires_at_ms u64] | [key_length u32] | key | value |
//! ```
//!
//! `access` belongs to eviction (when the key was last used, or how often) and may change at any time, forks or not;
//! everything else of an object that a fork may see is never changed in place.

use bytemuck::{Pod, Zeroable};

use crate::arena::{Arena, ArenaError, CLASS_BYTES_MAX, Purpose, Ref};
use crate::large::LargeId;
use crate::table::TableRoot;

/// The longest inline value beside a key of `key_length` bytes.
pub const fn inline_bytes_max(key_length: usize) -> usize {
    CLASS_BYTES_MAX - HEADER_BYTES - 12 - key_length
}

const HEADER_BYTES: usize = 8;
const EXPIRING: u8 = 0x10;
const LONG_KEY: u8 = 0x20;
const ENCODING_MASK: u8 = 0x0f;

/// How the value of an object is stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Encoding {
    /// A string, in the object itself.
    Inline = 1,
    /// A string that is a 64-bit integer in its only form.
    Integer = 2,
    /// A string outside the pages.
    Large = 3,
    /// A hash, packed field after field in the object itself.
    PackedHash = 4,
    /// A hash with a table of field objects.
    TableHash = 5,
}

impl Encoding {
    fn of(kind: u8) -> Encoding {
        match kind & ENCODING_MASK {
            1 => Encoding::Inline,
            2 => Encoding::Integer,
            3 => Encoding::Large,
            4 => Encoding::PackedHash,
            5 => Encoding::TableHash,
            other => unreachable!("no object has encoding {other}"),
        }
    }
}

/// The value part of an object that holds a large string.
#[derive(Clone, Copy, Pod, Zeroable, Debug)]
#[repr(C)]
pub struct LargeValue {
    /// The number of the string in `Larges`.
    pub id: u32,
}

/// The value part of an object that holds a hash with a table.
#[derive(Clone, Copy, Pod, Zeroable, Default, Debug)]
#[repr(C)]
pub struct TableHash {
    /// The fields.
    pub table: TableRoot,
    /// Live bytes of the table's nodes and fields, without this object.
    pub bytes: u64,
}

#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Header {
    value_length: u16,
    key_length: u8,
    kind: u8,
    access: u32,
}

const _: () = assert!(size_of::<Header>() == HEADER_BYTES);

/// Where the parts of an object stand.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    /// How the value is stored.
    pub encoding: Encoding,
    /// Whether it has an expiry time.
    pub expiring: bool,
    key_at: u16,
    key_length: u16,
    value_length: u16,
}

impl Parts {
    /// Reads an object's header.
    #[inline]
    pub fn of(arena: &Arena, object: Ref) -> Parts {
        let header: &Header = arena.get(object);
        let expiring = header.kind & EXPIRING != 0;
        let mut key_at = HEADER_BYTES as u16 + if expiring { 8 } else { 0 };
        let mut key_length = u16::from(header.key_length);
        if header.kind & LONG_KEY != 0 {
            key_length = bytemuck::pod_read_unaligned::<u32>(
                &arena.slice::<u8>(object, usize::from(key_at) + 4)[usize::from(key_at)..],
            ) as u16;
            key_at += 4;
        }
        Parts {
            encoding: Encoding::of(header.kind),
            expiring,
            key_at,
            key_length,
            value_length: header.value_length,
        }
    }

    /// Where the value begins, counted from the object.
    #[inline]
    pub fn value_at(&self) -> usize {
        usize::from(self.key_at) + usize::from(self.key_length)
    }

    /// The length of the value part.
    #[inline]
    pub fn value_length(&self) -> usize {
        usize::from(self.value_length)
    }

    /// The length of the whole object.
    #[inline]
    pub fn total(&self) -> usize {
        self.value_at() + self.value_length()
    }

    /// The key of the object.
    #[inline]
    pub fn key<'a>(&self, arena: &'a Arena, object: Ref) -> &'a [u8] {
        &arena.slice::<u8>(object, self.value_at())[usize::from(self.key_at)..]
    }

    /// The value part of the object.
    #[inline]
    pub fn value<'a>(&self, arena: &'a Arena, object: Ref) -> &'a [u8] {
        &arena.slice::<u8>(object, self.total())[self.value_at()..]
    }

    /// When the object expires, if ever, in Unix milliseconds.
    #[inline]
    pub fn expires_at_ms(&self, arena: &Arena, object: Ref) -> Option<u64> {
        self.expiring.then(|| arena.get::<[u64; 2]>(object)[1])
    }
}

/// Whether an object stands at a reference that may be stale. It may be another one than the reference was made for.
#[inline]
pub fn may_be_live(arena: &Arena, object: Ref) -> bool {
    arena.may_be_object(object) && arena.get::<Header>(object).kind != 0
}

/// Whether the object's key is `key`.
#[inline]
pub fn key_is(arena: &Arena, object: Ref, key: &[u8]) -> bool {
    let header: &Header = arena.get(object);
    if header.kind & LONG_KEY == 0 && usize::from(header.key_length) != key.len() {
        return false;
    }
    Parts::of(arena, object).key(arena, object) == key
}

/// The integer that an [`Encoding::Integer`] object holds.
#[inline]
pub fn integer(arena: &Arena, object: Ref, parts: &Parts) -> i64 {
    bytemuck::pod_read_unaligned(parts.value(arena, object))
}

/// The number of the string that an [`Encoding::Large`] object holds.
#[inline]
pub fn large_id(arena: &Arena, object: Ref, parts: &Parts) -> LargeId {
    LargeId(bytemuck::pod_read_unaligned::<LargeValue>(parts.value(arena, object)).id)
}

/// The hash that an [`Encoding::TableHash`] object holds.
#[inline]
pub fn table_hash(arena: &Arena, object: Ref, parts: &Parts) -> TableHash {
    bytemuck::pod_read_unaligned(parts.value(arena, object))
}

/// What a new object is to hold.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    /// Key or field.
    pub key: &'a [u8],
    /// How the value is stored.
    pub encoding: Encoding,
    /// When it expires, in Unix milliseconds.
    pub expires_at_ms: Option<u64>,
    /// The bytes of the value part, in two pieces.
    pub value: [&'a [u8]; 2],
    /// For eviction.
    pub access: u32,
}

impl Draft<'_> {
    /// The bytes that the object needs.
    pub fn total(&self) -> usize {
        let long = if self.key.len() > usize::from(u8::MAX) { 4 } else { 0 };
        let expiry = if self.expires_at_ms.is_some() { 8 } else { 0 };
        HEADER_BYTES + expiry + long + self.key.len() + self.value[0].len() + self.value[1].len()
    }

    /// Allocates and writes the object.
    pub fn create(&self, arena: &mut Arena) -> Result<Ref, ArenaError> {
        let object = arena.allocate(Purpose::Object, self.total())?;
        let long = self.key.len() > usize::from(u8::MAX);
        let mut kind = self.encoding as u8;
        if long {
            kind |= LONG_KEY;
        }
        if self.expires_at_ms.is_some() {
            kind |= EXPIRING;
        }
        let value_length = self.value[0].len() + self.value[1].len();
        *arena.get_mut::<Header>(object) = Header {
            value_length: u16::try_from(value_length).expect("inline values are shorter than a size class"),
            key_length: if long { u8::MAX } else { self.key.len() as u8 },
            kind,
            access: self.access,
        };
        let bytes = arena.slice_mut::<u8>(object, self.total());
        let mut at = HEADER_BYTES;
        let mut put = |part: &[u8]| {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        };
        if let Some(expires_at_ms) = self.expires_at_ms {
            put(&expires_at_ms.to_ne_bytes());
        }
        if long {
            put(&(self.key.len() as u32).to_ne_bytes());
        }
        put(self.key);
        put(self.value[0]);
        put(self.value[1]);
        Ok(object)
    }
}

/// The field of the object that eviction uses.
#[inline]
pub fn access(arena: &Arena, object: Ref) -> u32 {
    arena.get::<Header>(object).access
}

/// Sets the field of the object that eviction uses.
#[inline]
pub fn set_access(arena: &mut Arena, object: Ref, access: u32) {
    arena.get_mut::<Header>(object).access = access;
}

/// Overwrites the value part in place; the object's size class must hold the new length.
#[inline]
pub fn overwrite_value(arena: &mut Arena, object: Ref, encoding: Encoding, value: [&[u8]; 2]) {
    let at = Parts::of(arena, object).value_at();
    let header: &mut Header = arena.get_mut(object);
    header.kind = (header.kind & !ENCODING_MASK) | encoding as u8;
    header.value_length = (value[0].len() + value[1].len()) as u16;
    arena.write(object, at, value[0]);
    arena.write(object, at + value[0].len(), value[1]);
}

/// Overwrites the expiry time in place; the object must have one.
#[inline]
pub fn overwrite_expiry(arena: &mut Arena, object: Ref, expires_at_ms: u64) {
    debug_assert!(Parts::of(arena, object).expiring, "only an expiring object has room for an expiry");
    arena.get_mut::<[u64; 2]>(object)[1] = expires_at_ms;
}
