//! One field of a hash, and the three places where a record tells when it expires.

use std::borrow::Cow;

use super::super::length::append_length;
use super::super::reader::Reader;
use super::super::{Encoder, Form, Limits, RecordError};

/// A field of a hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name.
    pub name: Cow<'a, [u8]>,
    /// Its value.
    pub value: Cow<'a, [u8]>,
    /// When it expires, in milliseconds since 1970. At most `i64::MAX`.
    pub expires_at_ms: Option<u64>,
}

/// Whose form hashes with expiring fields are written in. Neither server reads the other's; both are read here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldExpiryForm {
    /// Valkey 9 and later. Times are absolute, so nothing but the count has to be known before the first field.
    #[default]
    Valkey,
    /// Redis 7.4 and later. Times are counted from the earliest.
    Redis,
}

/// Where a hash that is written field by field tells when a field expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExpiryPlace {
    /// Nowhere: no field expires.
    None,
    /// Behind the value: 8 bytes, -1 for never.
    Behind,
    /// Before the name: a length, 0 for never, else one more than the time since `base_ms`.
    BeforeFrom { base_ms: u64 },
    /// Before the name: the time as a length, 0 for never.
    Before,
}

impl ExpiryPlace {
    /// Appends what stands between the type byte and the count.
    pub(super) fn append_base(self, out: &mut Vec<u8>) {
        if let Self::BeforeFrom { base_ms } = self {
            out.extend_from_slice(&base_ms.to_le_bytes());
        }
    }

    /// Reads what stands between the type byte and the count.
    pub(super) fn read_base(form: Form, reader: &mut Reader<'_>) -> Result<Self, RecordError> {
        match form {
            Form::Hash => Ok(Self::None),
            Form::HashExpiringValkey => Ok(Self::Behind),
            Form::HashExpiringEarly => Ok(Self::Before),
            Form::HashExpiringRedis => {
                let base_ms = checked_time(u64::from_le_bytes(reader.array()?))?;
                Ok(Self::BeforeFrom { base_ms })
            }
            _ => Err(RecordError::Malformed),
        }
    }

    pub(super) fn append_field(
        self,
        encoder: &mut Encoder,
        out: &mut Vec<u8>,
        name: &[u8],
        value: &[u8],
        expires_at_ms: Option<u64>,
    ) {
        assert!(expires_at_ms.is_none_or(|ms| i64::try_from(ms).is_ok()), "times are at most i64::MAX");
        match self {
            Self::None => {
                assert!(expires_at_ms.is_none(), "the hash was begun as one without expiring fields")
            }
            Self::Behind => {}
            Self::BeforeFrom { base_ms } => append_length(out, ticks(expires_at_ms, base_ms)),
            Self::Before => append_length(out, expires_at_ms.map_or(0, |ms| ms.max(1))),
        }
        encoder.append_text(out, name);
        encoder.append_text(out, value);
        if self == Self::Behind {
            let time = expires_at_ms.map_or(-1, u64::cast_signed);
            out.extend_from_slice(&time.to_le_bytes());
        }
    }

    pub(super) fn read_field<'a>(
        self,
        reader: &mut Reader<'a>,
        limits: &Limits,
    ) -> Result<Field<'a>, RecordError> {
        let before = match self {
            Self::None | Self::Behind => None,
            Self::BeforeFrom { base_ms } => match reader.length()? {
                0 => None,
                ticks => Some(base_ms.checked_add(ticks - 1).ok_or(RecordError::Malformed)?),
            },
            Self::Before => Some(reader.length()?),
        };
        let name = reader.string(limits)?;
        let value = reader.string(limits)?;
        let expires_at_ms = match self {
            Self::Behind => time_or_minus_one(i64::from_le_bytes(reader.array()?))?,
            _ => time_or_zero(before.unwrap_or(0))?,
        };
        Ok(Field { name, value, expires_at_ms })
    }
}

/// What Redis writes before a field. It reads time 0 as never, so a time of 0 becomes 1: both are long past.
fn ticks(expires_at_ms: Option<u64>, base_ms: u64) -> u64 {
    let Some(expires_at_ms) = expires_at_ms else { return 0 };
    let since = expires_at_ms.max(1).checked_sub(base_ms);
    since.expect("the hash was begun with the earliest time of its fields") + 1
}

/// A time in a place where 0 stands for never.
pub(super) fn time_or_zero(ms: u64) -> Result<Option<u64>, RecordError> {
    if ms == 0 { Ok(None) } else { checked_time(ms).map(Some) }
}

/// A time in a place where -1 stands for never.
fn time_or_minus_one(ms: i64) -> Result<Option<u64>, RecordError> {
    if ms == -1 { Ok(None) } else { u64::try_from(ms).map(Some).map_err(|_| RecordError::Malformed) }
}

fn checked_time(ms: u64) -> Result<u64, RecordError> {
    if i64::try_from(ms).is_ok() { Ok(ms) } else { Err(RecordError::Malformed) }
}
