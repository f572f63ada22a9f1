//! Effects as bytes.
//!
//! ```text
//! effect = | code u5, counts u1, access u1, expiry u1 | [expires_at_ms] | [access u32] | parts |
//! ```
//!
//! Numbers are of variable length unless their size is given. Every part stands behind its length, except for the last
//! one, which goes to the end of the effect.

use super::{Effect, Fields, varint};
use crate::access::Travel;
use crate::key::KEY_BYTES_MAX;

const CODE_MASK: u8 = 0x1f;
const COUNTS: u8 = 0x20;
const ACCESS: u8 = 0x40;
const EXPIRY: u8 = 0x80;

/// What an effect takes beside its parts, at most.
const HEAD_BYTES_MAX: usize = 64;

mod code {
    pub const DELETE: u8 = 1;
    pub const SET: u8 = 2;
    pub const WRITE: u8 = 3;
    pub const EXPIRE: u8 = 4;
    pub const RENAME: u8 = 5;
    pub const HASH: u8 = 6;
    pub const HASH_SET: u8 = 7;
    pub const HASH_WRITE: u8 = 8;
    pub const HASH_REMOVE: u8 = 9;
    pub const HASH_EXPIRE: u8 = 10;
    pub const FLUSH: u8 = 11;
}

fn put_head(out: &mut Vec<u8>, code: u8, expires_at_ms: Option<u64>, access: Option<Travel>) {
    let counts = if access.is_some_and(|access| access.counts) { COUNTS } else { 0 };
    let has = |there: bool, bit| if there { bit } else { 0 };
    out.push(code | counts | has(access.is_some(), ACCESS) | has(expires_at_ms.is_some(), EXPIRY));
    if let Some(expires_at_ms) = expires_at_ms {
        varint::put(out, expires_at_ms);
    }
    if let Some(access) = access {
        out.extend(access.bits.to_le_bytes());
    }
}

/// Offset, and how much further the value will reach than this piece does.
fn put_place(out: &mut Vec<u8>, offset: u64, bytes: &[u8], total: u64) {
    varint::put(out, offset);
    varint::put(out, total.saturating_sub(offset + bytes.len() as u64));
}

impl<'a> Effect<'a> {
    /// Appends the effect as bytes.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let (key, last): (&[u8], &[u8]) = match *self {
            Effect::Delete { key } => {
                put_head(out, code::DELETE, None, None);
                return out.extend_from_slice(key);
            }
            Effect::Expire { key, expires_at_ms } => {
                put_head(out, code::EXPIRE, expires_at_ms, None);
                return out.extend_from_slice(key);
            }
            Effect::Flush => return put_head(out, code::FLUSH, None, None),
            Effect::Hash { key, ref fields, expires_at_ms, access } => {
                Effect::encode_hash(out, key, true, expires_at_ms, access);
                return fields.encode_into(out);
            }
            Effect::HashSet { key, ref fields } => {
                Effect::encode_hash(out, key, false, None, None);
                return fields.encode_into(out);
            }
            Effect::Set { key, value, expires_at_ms, access } => {
                put_head(out, code::SET, expires_at_ms, access);
                (key, value)
            }
            Effect::Write { key, offset, bytes, total } => {
                put_head(out, code::WRITE, None, None);
                put_place(out, offset, bytes, total);
                (key, bytes)
            }
            Effect::Rename { key, to } => {
                put_head(out, code::RENAME, None, None);
                (key, to)
            }
            Effect::HashWrite { key, name, offset, bytes, total } => {
                put_head(out, code::HASH_WRITE, None, None);
                put_place(out, offset, bytes, total);
                varint::put_part(out, key);
                (name, bytes)
            }
            Effect::HashRemove { key, name } => {
                put_head(out, code::HASH_REMOVE, None, None);
                (key, name)
            }
            Effect::HashExpire { key, name, expires_at_ms } => {
                put_head(out, code::HASH_EXPIRE, expires_at_ms, None);
                (key, name)
            }
        };
        varint::put_part(out, key);
        out.extend_from_slice(last);
    }

    /// Appends all of an effect on fields but the fields: a whole hash, or fields of one that is there.
    pub fn encode_hash(
        out: &mut Vec<u8>,
        key: &[u8],
        is_whole: bool,
        expires_at_ms: Option<u64>,
        access: Option<Travel>,
    ) {
        put_head(out, if is_whole { code::HASH } else { code::HASH_SET }, expires_at_ms, access);
        varint::put_part(out, key);
    }

    /// At least as many bytes as `encode_into` appends.
    pub fn bytes_max(&self) -> usize {
        let parts = match *self {
            Effect::Set { value, .. } => value.len(),
            Effect::Write { bytes, .. } => bytes.len(),
            Effect::HashWrite { name, bytes, .. } => name.len() + bytes.len(),
            Effect::HashRemove { name, .. } | Effect::HashExpire { name, .. } => name.len(),
            Effect::Rename { to, .. } => to.len(),
            Effect::Hash { ref fields, .. } | Effect::HashSet { ref fields, .. } => fields.bytes_max(),
            Effect::Delete { .. } | Effect::Expire { .. } | Effect::Flush => 0,
        };
        HEAD_BYTES_MAX + self.key().map_or(0, <[u8]>::len) + parts
    }

    /// Reads an effect back; nothing if the bytes are none.
    pub fn decode(bytes: &'a [u8]) -> Option<Effect<'a>> {
        let (head, mut rest) = bytes.split_first()?;
        let expires_at_ms = if head & EXPIRY != 0 { Some(varint::take(&mut rest)?) } else { None };
        let mut access = None;
        if head & ACCESS != 0 {
            let (bits, behind) = rest.split_first_chunk::<4>()?;
            access = Some(Travel { bits: u32::from_le_bytes(*bits), counts: head & COUNTS != 0 });
            rest = behind;
        }
        let mut place = (0, 0);
        let code = head & CODE_MASK;
        if matches!(code, code::WRITE | code::HASH_WRITE) {
            place = (varint::take(&mut rest)?, varint::take(&mut rest)?);
        }
        let mut key: &[u8] = b"";
        if !matches!(code, code::DELETE | code::EXPIRE | code::FLUSH) {
            key = name(varint::take_part(&mut rest)?)?;
        }
        let (offset, more) = place;
        Some(match code {
            code::DELETE => Effect::Delete { key: name(rest)? },
            code::SET => Effect::Set { key, value: rest, expires_at_ms, access },
            code::WRITE => {
                let total = offset.checked_add(rest.len() as u64)?.checked_add(more)?;
                Effect::Write { key, offset, bytes: rest, total }
            }
            code::EXPIRE => Effect::Expire { key: name(rest)?, expires_at_ms },
            code::RENAME => Effect::Rename { key, to: name(rest)? },
            code::HASH => Effect::Hash { key, fields: Fields::decode(rest)?, expires_at_ms, access },
            code::HASH_SET => Effect::HashSet { key, fields: Fields::decode(rest)? },
            code::HASH_WRITE => {
                let field = name(varint::take_part(&mut rest)?)?;
                let total = offset.checked_add(rest.len() as u64)?.checked_add(more)?;
                Effect::HashWrite { key, name: field, offset, bytes: rest, total }
            }
            code::HASH_REMOVE => Effect::HashRemove { key, name: name(rest)? },
            code::HASH_EXPIRE => Effect::HashExpire { key, name: name(rest)?, expires_at_ms },
            code::FLUSH if rest.is_empty() => Effect::Flush,
            _ => return None,
        })
    }
}

/// The name of a key or field, unless it is longer than names may be.
fn name(bytes: &[u8]) -> Option<&[u8]> {
    (bytes.len() <= KEY_BYTES_MAX).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::CarriedField;
    use super::*;

    #[test]
    fn effects_come_back_as_they_were() {
        let (key, name) = (&b"key"[..], &b"name"[..]);
        let field = CarriedField { name, value: b"value", expires_at_ms: Some(5) };
        let fields = Fields::One(field);
        let access = Some(Travel { bits: 0x0abc_def1, counts: false });
        let counts = Some(Travel { bits: 7, counts: true });
        for effect in [
            Effect::Delete { key },
            Effect::Set { key, value: b"value", expires_at_ms: Some(9), access },
            Effect::Set { key: b"", value: b"", expires_at_ms: None, access: None },
            Effect::Write { key, offset: 3, bytes: b"bytes", total: 8 },
            Effect::Write { key, offset: 1 << 28, bytes: b"bytes", total: 1 << 29 },
            Effect::Expire { key, expires_at_ms: None },
            Effect::Expire { key, expires_at_ms: Some(u64::MAX) },
            Effect::Rename { key, to: b"to" },
            Effect::Hash { key, fields, expires_at_ms: Some(1), access: counts },
            Effect::Hash { key, fields, expires_at_ms: None, access: None },
            Effect::HashSet { key, fields },
            Effect::HashWrite { key, name, offset: 4, bytes: b"", total: 4 },
            Effect::HashRemove { key, name },
            Effect::HashExpire { key, name, expires_at_ms: Some(7) },
            Effect::HashExpire { key, name, expires_at_ms: None },
            Effect::Flush,
        ] {
            let mut bytes = Vec::new();
            effect.encode_into(&mut bytes);
            assert_eq!(Effect::decode(&bytes), Some(effect));
            assert!(bytes.len() <= effect.bytes_max());
        }
    }

    #[test]
    fn a_small_key_travels_with_few_bytes_beside_it() {
        let mut bytes = Vec::new();
        let access = Some(Travel { bits: 1, counts: false });
        let expires_at_ms = Some(1_700_000_000_000);
        Effect::Set { key: &[b'k'; 16], value: &[b'v'; 64], expires_at_ms, access }.encode_into(&mut bytes);
        assert_eq!(bytes.len(), 16 + 64 + 12);
    }

    #[test]
    fn what_is_no_effect_is_refused() {
        let long = [&[code::DELETE][..], &[b'k'; KEY_BYTES_MAX + 1]].concat();
        let overflowing = [&[code::WRITE][..], &[0xff; 9], &[1, 5, 1, b'k', b'v']].concat();
        for bytes in [
            &b""[..],
            &[0],
            &[12, 1, b'k'],
            &[code::SET, 5, b'k'],
            &[code::SET | ACCESS, 1, 2],
            &[code::SET | EXPIRY, 0x80],
            &[code::HASH, 1, b'k'],
            &[code::HASH_SET, 1, b'k', 3, 0, b'f'],
            &[code::FLUSH, 1],
            &long,
            &overflowing,
        ] {
            assert_eq!(Effect::decode(bytes), None, "{bytes:?}");
        }
    }
}
