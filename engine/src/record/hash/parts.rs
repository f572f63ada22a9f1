//! A hash that is written or read field by field, with as many pauses as its size asks for.
//!
//! The bytes of a large hash need never be in one buffer: after any field, the writer's buffer can be sent and emptied, and
//! the reader goes on with the next one, as long as each buffer holds whole fields.

use super::super::head::{Head, append_head};
use super::super::length::append_length;
use super::super::reader::Reader;
use super::super::{Encoder, Form, Limits, RecordError};
use super::field::{ExpiryPlace, Field, FieldExpiryForm};

/// How far a hash is that is written or read field by field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashParts {
    form: Form,
    place: ExpiryPlace,
    /// Fields that are still to come.
    left: u64,
}

impl HashParts {
    /// The form of the hash, which its trailer needs.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// Fields that are still to be written or read.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left
    }

    pub(in super::super) fn begin(
        out: &mut Vec<u8>,
        encoder: &mut Encoder,
        head: Option<&Head<'_>>,
        count: u64,
        earliest_expiry_ms: Option<u64>,
    ) -> Self {
        assert!(count > 0, "a hash without fields is no key");
        let (form, place) = match (earliest_expiry_ms, encoder.field_expiry()) {
            (None, _) => (Form::Hash, ExpiryPlace::None),
            (Some(_), FieldExpiryForm::Valkey) => (Form::HashExpiringValkey, ExpiryPlace::Behind),
            (Some(base_ms), FieldExpiryForm::Redis) => {
                (Form::HashExpiringRedis, ExpiryPlace::BeforeFrom { base_ms })
            }
        };
        append_head(out, head, form, encoder.compressor());
        place.append_base(out);
        append_length(out, count);
        Self { form, place, left: count }
    }

    /// Appends the next field to `out`.
    pub fn append(
        &mut self,
        encoder: &mut Encoder,
        out: &mut Vec<u8>,
        name: &[u8],
        value: &[u8],
        expires_at_ms: Option<u64>,
    ) {
        self.left = self.left.checked_sub(1).expect("the hash was begun with the number of its fields");
        self.place.append_field(encoder, out, name, value, expires_at_ms);
    }

    /// Reads what stands before the first field of a hash of this form, and moves `bytes` behind it.
    pub fn read(form: Form, bytes: &mut &[u8], limits: &Limits) -> Result<Self, RecordError> {
        let mut reader = Reader::new(bytes);
        let place = ExpiryPlace::read_base(form, &mut reader)?;
        let left = reader.length()?;
        if left == 0 {
            return Err(RecordError::Empty);
        }
        limits.check_members(left)?;
        *bytes = reader.rest();
        Ok(Self { form, place, left })
    }

    /// Reads the next field and moves `bytes` behind it. None if all fields were read; `bytes` stays where it is on an
    /// error, so that it can be tried again with more. A name that comes twice is not noticed.
    pub fn next<'a>(
        &mut self,
        bytes: &mut &'a [u8],
        limits: &Limits,
    ) -> Result<Option<Field<'a>>, RecordError> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        let mut reader = Reader::new(bytes);
        let field = self.place.read_field(&mut reader, limits)?;
        *bytes = reader.rest();
        self.left = left;
        Ok(Some(field))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::EncoderOptions;
    use super::*;

    fn encoder(field_expiry: FieldExpiryForm) -> Encoder {
        Encoder::new(EncoderOptions { compression: true, field_expiry })
    }

    #[test]
    fn a_large_hash_passes_through_small_buffers() {
        const COUNT: u64 = 10_000;
        let limits = Limits::default();
        for (earliest, form) in [
            (None, FieldExpiryForm::Valkey),
            (Some(1000), FieldExpiryForm::Valkey),
            (Some(1000), FieldExpiryForm::Redis),
        ] {
            let mut encoder = encoder(form);
            let mut buffer = Vec::new();
            let mut source = encoder.hash(&mut buffer, None, COUNT, earliest);
            let mut bytes = &buffer[1..];
            let mut target = HashParts::read(source.form(), &mut bytes, &limits).unwrap();
            assert!(bytes.is_empty());
            for number in 0..COUNT {
                let name = format!("field:{number}");
                let value = format!("{}", number * 1_000_000);
                let expires_at_ms = earliest.filter(|_| number % 3 == 0).map(|ms| ms + number);
                buffer.clear();
                source.append(&mut encoder, &mut buffer, name.as_bytes(), value.as_bytes(), expires_at_ms);
                let mut bytes = &buffer[..];
                let field = target.next(&mut bytes, &limits).unwrap().unwrap();
                assert!(bytes.is_empty());
                assert_eq!(field.name, name.as_bytes());
                assert_eq!(field.value, value.as_bytes());
                assert_eq!(field.expires_at_ms, expires_at_ms);
            }
            assert_eq!((source.left(), target.left()), (0, 0));
            assert_eq!(target.next(&mut &b""[..], &limits), Ok(None));
        }
    }

    #[test]
    fn half_a_field_moves_nothing() {
        let whole = b"\x01\x04name\x05value";
        let mut bytes = &whole[..];
        let mut parts = HashParts::read(Form::Hash, &mut bytes, &Limits::default()).unwrap();
        let field = bytes;
        for end in 0..field.len() {
            let mut part = &field[..end];
            assert_eq!(parts.next(&mut part, &Limits::default()), Err(RecordError::Truncated));
            assert_eq!((part.len(), parts.left()), (end, 1));
        }
        assert!(parts.next(&mut bytes, &Limits::default()).unwrap().is_some());
    }

    #[test]
    #[should_panic(expected = "number of its fields")]
    fn one_field_too_many() {
        let mut encoder = encoder(FieldExpiryForm::Valkey);
        let mut out = Vec::new();
        let mut parts = encoder.hash(&mut out, None, 1, None);
        parts.append(&mut encoder, &mut out, b"a", b"1", None);
        parts.append(&mut encoder, &mut out, b"b", b"2", None);
    }
}
