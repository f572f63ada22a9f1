//! Hashes that stand in one string: zipmap, ziplist, listpack, and listpack with times.

use std::borrow::Cow;

use super::super::element::Element;
use super::super::listpack::Listpack;
use super::super::ziplist::Ziplist;
use super::super::zipmap::Zipmap;
use super::super::{Form, Limits, RecordError};
use super::field::{Field, time_or_zero};

/// The fields of a packed hash, each checked when it is reached.
#[derive(Clone, Debug)]
pub(super) enum PackedFields<'a> {
    Zipmap(Zipmap<'a>),
    Ziplist(Ziplist<'a>),
    Listpack(Listpack<'a>),
    /// Three elements a field: the third is the time, 0 for never.
    ListpackExpiring(Listpack<'a>),
}

impl<'a> PackedFields<'a> {
    pub(super) fn new(form: Form, bytes: &'a [u8]) -> Result<Self, RecordError> {
        match form {
            Form::HashZipmap => Zipmap::new(bytes).map(Self::Zipmap),
            Form::HashZiplist => Ziplist::new(bytes).map(Self::Ziplist),
            Form::HashListpack => Listpack::new(bytes).map(Self::Listpack),
            Form::HashListpackExpiring | Form::HashListpackExpiringEarly => {
                Listpack::new(bytes).map(Self::ListpackExpiring)
            }
            _ => Err(RecordError::Malformed),
        }
    }

    pub(super) fn next(&mut self, limits: &Limits) -> Result<Option<Field<'a>>, RecordError> {
        let field = match self {
            Self::Zipmap(zipmap) => zipmap.next()?.map(|(name, value)| Field {
                name: Cow::Borrowed(name),
                value: Cow::Borrowed(value),
                expires_at_ms: None,
            }),
            Self::Ziplist(ziplist) => pair(|| ziplist.next())?,
            Self::Listpack(listpack) => pair(|| listpack.next())?,
            Self::ListpackExpiring(listpack) => match pair(|| listpack.next())? {
                Some(field) => Some(Field { expires_at_ms: expiry(listpack)?, ..field }),
                None => None,
            },
        };
        if let Some(field) = &field {
            limits.check_string(field.name.len() as u64)?;
            limits.check_string(field.value.len() as u64)?;
        }
        Ok(field)
    }
}

/// A field of two elements. None if there is no first one, an error if there is no second one.
fn pair<'a>(
    mut next: impl FnMut() -> Result<Option<Element<'a>>, RecordError>,
) -> Result<Option<Field<'a>>, RecordError> {
    let Some(name) = next()? else { return Ok(None) };
    let value = next()?.ok_or(RecordError::Malformed)?;
    Ok(Some(Field { name: name.text(), value: value.text(), expires_at_ms: None }))
}

fn expiry(listpack: &mut Listpack<'_>) -> Result<Option<u64>, RecordError> {
    let time = listpack.next()?.ok_or(RecordError::Malformed)?.number()?;
    time_or_zero(u64::try_from(time).map_err(|_| RecordError::Malformed)?)
}
