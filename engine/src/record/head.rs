//! What stands before a value where a record names its key: on a link and in a checkpoint.
//!
//! ```text
//! [0xfc <expires at, ms: 8 bytes>] [0xf8 <idle seconds> or 0xf9 <frequency: 1 byte>] <type: 1 byte> <key> <value>
//! ```
//!
//! This is the entry of an RDB file. DUMP has neither key nor times: there the value stands behind the type byte.

use std::borrow::Cow;

use super::form::Form;
use super::length::append_length;
use super::lzf::Compressor;
use super::reader::Reader;
use super::string::append_string;
use super::{Limits, RecordError};

const IDLE_SECONDS: u8 = 0xf8;
const FREQUENCY: u8 = 0xf9;
const EXPIRES_AT_MS: u8 = 0xfc;
const EXPIRES_AT_SECONDS: u8 = 0xfd;

/// A key and what is kept with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// The key.
    pub key: Cow<'a, [u8]>,
    /// When the key expires, in milliseconds since 1970. At most `i64::MAX`.
    pub expires_at_ms: Option<u64>,
    /// How much the key was used, for eviction.
    pub access: Option<Access>,
}

/// How much a key was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Seconds since its last use.
    IdleSeconds(u64),
    /// The logarithmic counter of its uses.
    Frequency(u8),
}

/// Appends all that stands before a value: with a `head` for a record with its key, without one for a bare value.
pub(super) fn append_head(
    out: &mut Vec<u8>,
    head: Option<&Head<'_>>,
    form: Form,
    compressor: Option<&mut Compressor>,
) {
    let Some(head) = head else {
        out.push(form.byte());
        return;
    };
    if let Some(expires_at_ms) = head.expires_at_ms {
        assert!(i64::try_from(expires_at_ms).is_ok(), "times are at most i64::MAX");
        out.push(EXPIRES_AT_MS);
        out.extend_from_slice(&expires_at_ms.to_le_bytes());
    }
    match head.access {
        Some(Access::IdleSeconds(seconds)) => {
            out.push(IDLE_SECONDS);
            append_length(out, seconds);
        }
        Some(Access::Frequency(frequency)) => out.extend([FREQUENCY, frequency]),
        None => {}
    }
    out.push(form.byte());
    append_string(out, &head.key, compressor);
}

impl<'a> Reader<'a> {
    /// A key with what is kept with it, and the form of the value that follows.
    pub(super) fn head(&mut self, version: u16, limits: &Limits) -> Result<(Head<'a>, Form), RecordError> {
        let mut expires_at_ms = None;
        let mut access = None;
        let form = loop {
            let [byte] = self.array()?;
            match byte {
                EXPIRES_AT_MS => expires_at_ms = time(i64::from_le_bytes(self.array()?))?,
                EXPIRES_AT_SECONDS => {
                    let seconds = i64::from(i32::from_le_bytes(self.array()?));
                    expires_at_ms = time(seconds * 1000)?;
                }
                IDLE_SECONDS => access = Some(Access::IdleSeconds(self.length()?)),
                FREQUENCY => {
                    let [frequency] = self.array()?;
                    access = Some(Access::Frequency(frequency));
                }
                _ => break Form::from_byte(byte, version)?,
            }
        };
        let key = self.string(limits)?;
        Ok((Head { key, expires_at_ms, access }, form))
    }
}

fn time(ms: i64) -> Result<Option<u64>, RecordError> {
    u64::try_from(ms).map(Some).map_err(|_| RecordError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<(Head<'_>, Form), RecordError> {
        Reader::new(bytes).head(11, &Limits::default())
    }

    #[test]
    fn heads_round_trip() {
        for expires_at_ms in [None, Some(0), Some(1_754_000_000_000), Some(i64::MAX as u64)] {
            for access in [
                None,
                Some(Access::IdleSeconds(0)),
                Some(Access::IdleSeconds(70_000)),
                Some(Access::Frequency(255)),
            ] {
                let head = Head { key: b"user:1".into(), expires_at_ms, access };
                let mut out = Vec::new();
                append_head(&mut out, Some(&head), Form::Hash, None);
                assert_eq!(read(&out), Ok((head, Form::Hash)));
                for end in 0..out.len() {
                    assert_eq!(read(&out[..end]), Err(RecordError::Truncated));
                }
            }
        }
    }

    #[test]
    fn bytes_as_in_a_file() {
        let head = Head { key: b"k".into(), expires_at_ms: Some(1), access: Some(Access::Frequency(5)) };
        let mut out = Vec::new();
        append_head(&mut out, Some(&head), Form::String, None);
        assert_eq!(out, b"\xfc\x01\0\0\0\0\0\0\0\xf9\x05\0\x01k");
        assert_eq!(read(b"\xfd\x02\0\0\0\0\x01k").unwrap().0.expires_at_ms, Some(2000));
    }

    #[test]
    fn hostile_heads() {
        let cases: [(&[u8], RecordError); 4] = [
            (b"\xfc\xff\xff\xff\xff\xff\xff\xff\xff\0\x01k", RecordError::Malformed),
            (b"\xfd\xff\xff\xff\xff\0\x01k", RecordError::Malformed),
            (b"\xf8\xc0\0\x01k", RecordError::Malformed),
            (b"\xff", RecordError::TypeUnsupported(255)),
        ];
        for (bytes, error) in cases {
            assert_eq!(read(bytes), Err(error));
        }
    }
}
