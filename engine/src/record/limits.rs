//! How much a record may ask for before it is refused.

use super::RecordError;

const MIB: u64 = 1 << 20;

/// What a decoder accepts. Whoever decodes bytes from outside sets these to what the receiver can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one string, be it a key, a value or a field.
    pub string_bytes_max: u64,
    /// Members of one collection.
    pub members_max: u64,
    /// Bytes of all strings of one value together. LZF makes up to 88 bytes out of one, so this bounds what a small
    /// record can grow to.
    pub value_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { string_bytes_max: 512 * MIB, members_max: u32::MAX.into(), value_bytes_max: 8192 * MIB }
    }
}

impl Limits {
    pub(super) fn check_string(&self, bytes: u64) -> Result<(), RecordError> {
        within(bytes, self.string_bytes_max)
    }

    pub(super) fn check_members(&self, count: u64) -> Result<(), RecordError> {
        within(count, self.members_max)
    }

    pub(super) fn check_value(&self, bytes: u64) -> Result<(), RecordError> {
        within(bytes, self.value_bytes_max)
    }
}

fn within(asked: u64, max: u64) -> Result<(), RecordError> {
    if asked <= max { Ok(()) } else { Err(RecordError::LimitExceeded) }
}
