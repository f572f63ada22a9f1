//! The forms of values, and the format versions that have them.

use super::RecordError;

/// Format versions from here on are Valkey's, those below Redis'. Type bytes from 22 on differ between the two.
const VALKEY_VERSION_MIN: u16 = 80;

/// The newest format whose types are known here. Redis' versions lie between 12 and 79 and only ever add types.
const VERSION_MAX: u16 = 81;

/// What a value looks like in a record: its type, and how it is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A string.
    String,
    /// A hash, field by field.
    Hash,
    /// A hash as one zipmap.
    HashZipmap,
    /// A hash as one ziplist.
    HashZiplist,
    /// A hash as one listpack.
    HashListpack,
    /// A hash, field by field, each followed by when it expires. Valkey 9.
    HashExpiringValkey,
    /// A hash, field by field, each preceded by when it expires. Redis 7.4 before its release.
    HashExpiringEarly,
    /// A hash as one listpack with the times. Redis 7.4 before its release.
    HashListpackExpiringEarly,
    /// A hash, field by field, each preceded by when it expires, counted from one base. Redis 7.4.
    HashExpiringRedis,
    /// A hash as one listpack with the times. Redis 7.4.
    HashListpackExpiring,
}

impl Form {
    /// The form that type byte `byte` stands for in format `version`.
    pub(super) fn from_byte(byte: u8, version: u16) -> Result<Self, RecordError> {
        check_version(version)?;
        Ok(match (byte, version >= VALKEY_VERSION_MIN) {
            (0, _) => Self::String,
            (4, _) => Self::Hash,
            (9, _) => Self::HashZipmap,
            (13, _) => Self::HashZiplist,
            (16, _) => Self::HashListpack,
            (22, true) => Self::HashExpiringValkey,
            (22, false) => Self::HashExpiringEarly,
            (23, false) => Self::HashListpackExpiringEarly,
            (24, false) => Self::HashExpiringRedis,
            (25, false) => Self::HashListpackExpiring,
            _ => return Err(RecordError::TypeUnsupported(byte)),
        })
    }

    pub(super) fn byte(self) -> u8 {
        match self {
            Self::String => 0,
            Self::Hash => 4,
            Self::HashZipmap => 9,
            Self::HashZiplist => 13,
            Self::HashListpack => 16,
            Self::HashExpiringValkey | Self::HashExpiringEarly => 22,
            Self::HashListpackExpiringEarly => 23,
            Self::HashExpiringRedis => 24,
            Self::HashListpackExpiring => 25,
        }
    }

    /// The format version that a payload of this form is written with: an old one that has it, so that as many servers
    /// as possible take it. Version 9 is that of Redis 5 and 6.
    #[must_use]
    pub fn version(self) -> u16 {
        match self {
            Self::String | Self::Hash | Self::HashZipmap | Self::HashZiplist => 9,
            Self::HashListpack => 10,
            Self::HashExpiringEarly
            | Self::HashListpackExpiringEarly
            | Self::HashExpiringRedis
            | Self::HashListpackExpiring => 12,
            Self::HashExpiringValkey => VALKEY_VERSION_MIN,
        }
    }
}

/// Refuses format versions that may give known type bytes another meaning.
pub(super) fn check_version(version: u16) -> Result<(), RecordError> {
    if (1..=VERSION_MAX).contains(&version) { Ok(()) } else { Err(RecordError::VersionUnsupported(version)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_versions_agree() {
        for byte in 0..=255 {
            for version in [9, 10, 11, 12, 13, 14, 79, 80, 81] {
                if let Ok(form) = Form::from_byte(byte, version) {
                    assert_eq!(form.byte(), byte);
                    assert_eq!(Form::from_byte(byte, form.version()), Ok(form));
                }
            }
        }
    }

    #[test]
    fn one_byte_has_two_meanings() {
        assert_eq!(Form::from_byte(22, 12), Ok(Form::HashExpiringEarly));
        assert_eq!(Form::from_byte(22, 80), Ok(Form::HashExpiringValkey));
        assert_eq!(Form::from_byte(23, 81), Err(RecordError::TypeUnsupported(23)));
    }

    #[test]
    fn unknown_versions_and_types() {
        for version in [0, 82, 1000, u16::MAX] {
            assert_eq!(Form::from_byte(0, version), Err(RecordError::VersionUnsupported(version)));
        }
        for byte in [1, 2, 3, 5, 7, 10, 11, 12, 14, 15, 17, 18, 19, 20, 21, 26, 243, 255] {
            assert_eq!(Form::from_byte(byte, 12), Err(RecordError::TypeUnsupported(byte)));
        }
    }
}
