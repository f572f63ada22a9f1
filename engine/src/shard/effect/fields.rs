//! Fields of a hash as an effect carries them.
//!
//! ```text
//! field = | name_length | value_length × 2, plus 1 if it expires | [expires_at_ms] | name | value |
//! ```
//!
//! All numbers are of variable length (`varint`).

use super::varint;
use crate::key::KEY_BYTES_MAX;

/// Bytes of fields that go in one effect: few, for an effect is applied at once, but a multiple of the key's.
pub fn group_bytes(key: &[u8]) -> usize {
    const MIN: usize = 1024;
    MIN.max(key.len() * 4)
}

/// A field as an effect carries it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CarriedField<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its value.
    pub value: &'a [u8],
    /// When it expires.
    pub expires_at_ms: Option<u64>,
}

/// One field or several.
#[derive(Clone, Copy, Debug)]
pub enum Fields<'a> {
    /// One, not yet encoded.
    One(CarriedField<'a>),
    /// Several, one after another. Whoever makes this has checked the bytes, or has encoded them.
    Encoded(&'a [u8]),
}

impl<'a> CarriedField<'a> {
    /// Appends the field.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        varint::put(out, self.name.len() as u64);
        varint::put(out, (self.value.len() as u64) << 1 | u64::from(self.expires_at_ms.is_some()));
        if let Some(expires_at_ms) = self.expires_at_ms {
            varint::put(out, expires_at_ms);
        }
        out.extend_from_slice(self.name);
        out.extend_from_slice(self.value);
    }

    /// Takes a field off the front.
    fn take(bytes: &mut &'a [u8]) -> Option<CarriedField<'a>> {
        let name_length =
            usize::try_from(varint::take(bytes)?).ok().filter(|length| *length <= KEY_BYTES_MAX)?;
        let code = varint::take(bytes)?;
        let expires_at_ms = if code & 1 == 1 { Some(varint::take(bytes)?) } else { None };
        let (name, rest) = bytes.split_at_checked(name_length)?;
        let (value, rest) = rest.split_at_checked(usize::try_from(code >> 1).ok()?)?;
        *bytes = rest;
        Some(CarriedField { name, value, expires_at_ms })
    }
}

impl<'a> Fields<'a> {
    /// The fields behind these bytes; nothing unless they are one field or more and nothing else.
    pub fn decode(bytes: &'a [u8]) -> Option<Fields<'a>> {
        let mut rest = bytes;
        while !rest.is_empty() {
            CarriedField::take(&mut rest)?;
        }
        (!bytes.is_empty()).then_some(Fields::Encoded(bytes))
    }

    /// Appends the fields.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        match self {
            Fields::One(field) => field.encode_into(out),
            Fields::Encoded(bytes) => out.extend_from_slice(bytes),
        }
    }

    /// At least as many bytes as `encode_into` appends.
    pub fn bytes_max(&self) -> usize {
        match self {
            Fields::One(field) => 30 + field.name.len() + field.value.len(),
            Fields::Encoded(bytes) => bytes.len(),
        }
    }

    /// The fields, in order.
    pub fn iter(&self) -> impl Iterator<Item = CarriedField<'a>> + Clone + use<'a> {
        let (mut one, mut rest) = match *self {
            Fields::One(field) => (Some(field), &[][..]),
            Fields::Encoded(bytes) => (None, bytes),
        };
        std::iter::from_fn(move || one.take().or_else(|| CarriedField::take(&mut rest)))
    }
}

impl PartialEq for Fields<'_> {
    fn eq(&self, other: &Self) -> bool {
        let bytes = |fields: &Self| {
            let mut bytes = Vec::new();
            fields.encode_into(&mut bytes);
            bytes
        };
        bytes(self) == bytes(other)
    }
}

impl Eq for Fields<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_and_nothing_else_is_taken_for_one() {
        let fields = [
            CarriedField { name: b"name", value: b"value", expires_at_ms: Some(1 << 41) },
            CarriedField { name: b"", value: b"", expires_at_ms: None },
            CarriedField { name: &[b'n'; 300], value: &[b'v'; 70_000], expires_at_ms: Some(0) },
        ];
        let mut bytes = Vec::new();
        fields.iter().for_each(|field| field.encode_into(&mut bytes));
        let back = Fields::decode(&bytes).expect("fields");
        let plain =
            |field: CarriedField<'_>| (field.name.to_vec(), field.value.to_vec(), field.expires_at_ms);
        assert!(back.iter().map(plain).eq(fields.iter().copied().map(plain)));
        let last = bytes.len() - 70_000 - 300;
        assert!((last..bytes.len()).all(|length| Fields::decode(&bytes[..length]).is_none()));
        assert_eq!(Fields::decode(b""), None);
        let mut long_name = Vec::new();
        CarriedField { name: &[b'n'; KEY_BYTES_MAX + 1], value: b"", expires_at_ms: None }
            .encode_into(&mut long_name);
        assert_eq!(Fields::decode(&long_name), None);
    }
}
