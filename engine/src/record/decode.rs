//! Reads records that are all there.

use std::borrow::Cow;

use super::hash::Hash;
use super::head::Head;
use super::reader::Reader;
use super::{Form, Limits, RecordError, payload};

/// A value, checked from end to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A string. Borrowed where the record holds its bytes as they are.
    String(Cow<'a, [u8]>),
    /// A hash.
    Hash(Hash<'a>),
}

/// Reads what DUMP gave, here or on another server.
pub fn decode<'a>(payload: &'a [u8], limits: &Limits) -> Result<Decoded<'a>, RecordError> {
    let (version, record) = payload::open(payload)?;
    let mut reader = Reader::new(record);
    let [byte] = reader.array()?;
    let value = decode_value(Form::from_byte(byte, version)?, &mut reader, limits)?;
    if reader.is_empty() { Ok(value) } else { Err(RecordError::Malformed) }
}

/// Reads a record with its key, as in a checkpoint of this format version, and moves `bytes` behind it.
///
/// `bytes` stays where it is on an error.
pub fn decode_entry<'a>(
    bytes: &mut &'a [u8],
    version: u16,
    limits: &Limits,
) -> Result<(Head<'a>, Decoded<'a>), RecordError> {
    let mut reader = Reader::new(bytes);
    let (head, form) = reader.head(version, limits)?;
    let value = decode_value(form, &mut reader, limits)?;
    *bytes = reader.rest();
    Ok((head, value))
}

/// Reads a record up to its value, which comes in parts, and moves `bytes` behind what was read.
///
/// A [`HashParts`](super::HashParts) reads the value of a hash that was written field by field.
pub fn decode_head<'a>(
    bytes: &mut &'a [u8],
    version: u16,
    limits: &Limits,
) -> Result<(Head<'a>, Form), RecordError> {
    let mut reader = Reader::new(bytes);
    let head = reader.head(version, limits)?;
    *bytes = reader.rest();
    Ok(head)
}

fn decode_value<'a>(
    form: Form,
    reader: &mut Reader<'a>,
    limits: &Limits,
) -> Result<Decoded<'a>, RecordError> {
    match form {
        Form::String => reader.string(limits).map(Decoded::String),
        _ => Hash::read(form, reader, limits).map(Decoded::Hash),
    }
}
