//! Effects: what writes did, as bytes that bring the same about elsewhere.
//!
//! Effects are deterministic: expiry times are absolute, computed values are written out. The same encoding carries what
//! writes did (`delta`) and what a slot held (`fork::copy`). No effect is much longer than [`PIECE_BYTES`]: a longer value
//! follows in pieces, so that neither side ever handles much at once.

mod encoding;
mod fields;
mod pieces;
mod run;
mod varint;

pub use fields::{CarriedField, Fields, group_bytes};
pub use pieces::PIECE_BYTES;
pub use run::{Run, first_bytes, push, runs_of_one};

use crate::access::Travel;

/// What a write did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect<'a> {
    /// The key is gone.
    Delete {
        /// The key.
        key: &'a [u8],
    },
    /// The key is this string.
    Set {
        /// The key.
        key: &'a [u8],
        /// The string.
        value: &'a [u8],
        /// When it expires.
        expires_at_ms: Option<u64>,
        /// How the key was used, if it comes from elsewhere.
        access: Option<Travel>,
    },
    /// Bytes of the string were overwritten; a gap before them is filled with zero bytes.
    Write {
        /// The key.
        key: &'a [u8],
        /// The first byte that was overwritten.
        offset: u64,
        /// What stands there now.
        bytes: &'a [u8],
        /// The length that the string is going to have at least: further pieces follow up to there.
        total: u64,
    },
    /// The key expires at another time, or never.
    Expire {
        /// The key.
        key: &'a [u8],
        /// When it expires.
        expires_at_ms: Option<u64>,
    },
    /// The key has another name in the same slot; what had that name before is gone.
    Rename {
        /// The name it had.
        key: &'a [u8],
        /// The name it has.
        to: &'a [u8],
    },
    /// The key is a hash of these fields.
    Hash {
        /// The key.
        key: &'a [u8],
        /// Its fields; further ones may follow.
        fields: Fields<'a>,
        /// When the key expires.
        expires_at_ms: Option<u64>,
        /// How the key was used, if it comes from elsewhere.
        access: Option<Travel>,
    },
    /// Fields of the hash are these.
    HashSet {
        /// The key.
        key: &'a [u8],
        /// The fields.
        fields: Fields<'a>,
    },
    /// Bytes of a field's value were overwritten or appended.
    HashWrite {
        /// The key.
        key: &'a [u8],
        /// The field.
        name: &'a [u8],
        /// The first byte that was overwritten; at most the length of the value.
        offset: u64,
        /// What stands there now.
        bytes: &'a [u8],
        /// The length that the value is going to have at least.
        total: u64,
    },
    /// The field is gone; with the last one, the key.
    HashRemove {
        /// The key.
        key: &'a [u8],
        /// The field.
        name: &'a [u8],
    },
    /// The field expires at another time, or never.
    HashExpire {
        /// The key.
        key: &'a [u8],
        /// The field.
        name: &'a [u8],
        /// When the field expires.
        expires_at_ms: Option<u64>,
    },
    /// All keys of the slot are gone.
    Flush,
}

impl<'a> Effect<'a> {
    /// About how much work it is to apply it: 1 is a short key.
    pub(super) fn work(&self) -> usize {
        /// Bytes that are copied as quickly as a short key is put in place.
        const COPIED_BYTES: usize = 512;
        /// What a short field takes.
        const FIELD_BYTES: usize = 16;
        1 + match self {
            Effect::Set { value, .. } => value.len() / COPIED_BYTES,
            Effect::Write { bytes, .. } | Effect::HashWrite { bytes, .. } => bytes.len() / COPIED_BYTES,
            Effect::Hash { fields, .. } | Effect::HashSet { fields, .. } => fields.bytes_max() / FIELD_BYTES,
            _ => 0,
        }
    }

    /// The key, unless the effect is on the whole slot.
    pub fn key(&self) -> Option<&'a [u8]> {
        match *self {
            Effect::Flush => None,
            Effect::Delete { key }
            | Effect::Set { key, .. }
            | Effect::Write { key, .. }
            | Effect::Expire { key, .. }
            | Effect::Rename { key, .. }
            | Effect::Hash { key, .. }
            | Effect::HashSet { key, .. }
            | Effect::HashWrite { key, .. }
            | Effect::HashRemove { key, .. }
            | Effect::HashExpire { key, .. } => Some(key),
        }
    }
}
