//! Why bytes are not a record that can be used.

use std::fmt;

/// The reason a record is refused. Nothing of a refused record may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordError {
    /// The bytes end inside the record. The sender stopped early or a length is wrong.
    Truncated,
    /// The bytes break a rule of their encoding. The sender has a defect or the bytes changed.
    Malformed,
    /// The checksum of the trailer is not that of the bytes. The bytes changed on their way.
    ChecksumMismatch,
    /// The format version is newer than any known here. The sender must write an older one.
    VersionUnsupported(u16),
    /// The type byte is of a type that is not supported. The key cannot be brought over.
    TypeUnsupported(u8),
    /// A string, a count or a sum is over the caller's [`Limits`](super::Limits).
    LimitExceeded,
    /// A field stands twice in one hash.
    FieldDuplicated,
    /// A collection without members, which no key can hold.
    Empty,
}

impl fmt::Display for RecordError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => formatter.write_str("the record ends too early"),
            Self::Malformed => formatter.write_str("the record breaks its encoding"),
            Self::ChecksumMismatch => formatter.write_str("the checksum does not match"),
            Self::VersionUnsupported(version) => {
                write!(formatter, "format version {version} is not supported")
            }
            Self::TypeUnsupported(kind) => write!(formatter, "type {kind} is not supported"),
            Self::LimitExceeded => formatter.write_str("the record is over a limit"),
            Self::FieldDuplicated => formatter.write_str("a field stands twice in the hash"),
            Self::Empty => formatter.write_str("the collection is empty"),
        }
    }
}

impl std::error::Error for RecordError {}
