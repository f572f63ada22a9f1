//! What DUMP gives and RESTORE takes: a type byte, a value, and a trailer.
//!
//! ```text
//! <type: 1 byte> <value> <format version: 2 bytes> <CRC-64 of all before: 8 bytes>       both little endian
//! ```

use super::RecordError;
use super::crc64::crc64;
use super::form::{Form, check_version};

/// Bytes of the trailer.
pub const TRAILER_SIZE: usize = 10;

/// Makes a payload of the record that `out` holds from `start` on: appends the trailer.
pub fn seal(out: &mut Vec<u8>, start: usize, form: Form) {
    let trailer = trailer(form, crc64(0, &out[start..]));
    out.extend_from_slice(&trailer);
}

/// The trailer of a record whose bytes, type byte included, have this checksum. For records that were written in parts.
#[must_use]
pub fn trailer(form: Form, checksum: u64) -> [u8; TRAILER_SIZE] {
    let version = form.version().to_le_bytes();
    let checksum = crc64(checksum, &version).to_le_bytes();
    let mut trailer = [0; TRAILER_SIZE];
    trailer[..2].copy_from_slice(&version);
    trailer[2..].copy_from_slice(&checksum);
    trailer
}

/// Checks the trailer of `payload`. Returns the format version and the record before the trailer.
pub fn open(payload: &[u8]) -> Result<(u16, &[u8]), RecordError> {
    let (covered, checksum) = payload.split_last_chunk().ok_or(RecordError::Truncated)?;
    let (record, version) = covered.split_last_chunk().ok_or(RecordError::Truncated)?;
    let version = u16::from_le_bytes(*version);
    check_version(version)?;
    if crc64(0, covered) != u64::from_le_bytes(*checksum) {
        return Err(RecordError::ChecksumMismatch);
    }
    Ok((version, record))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_payloads_open() {
        let mut out = b"before\0\x05hello".to_vec();
        seal(&mut out, 6, Form::String);
        assert_eq!(open(&out[6..]), Ok((9, &b"\0\x05hello"[..])));
        let in_parts = trailer(Form::String, crc64(crc64(0, b"\0\x05he"), b"llo"));
        assert!(out.ends_with(&in_parts));
    }

    #[test]
    fn damaged_payloads_do_not() {
        let mut good = b"\0\x05hello".to_vec();
        seal(&mut good, 0, Form::String);
        for end in 0..TRAILER_SIZE {
            assert_eq!(open(&good[..end]), Err(RecordError::Truncated));
        }
        for at in 0..good.len() {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            // The upper byte of the version: such a version is refused before anything else is looked at.
            let expected =
                if at == 8 { RecordError::VersionUnsupported(0x109) } else { RecordError::ChecksumMismatch };
            assert_eq!(open(&bytes), Err(expected), "changed at {at}");
        }
    }
}
