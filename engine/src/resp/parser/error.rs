//! What is wrong with a request that cannot be parsed, in Redis' words.

use std::fmt::{Display, Formatter, Result};

/// What is wrong with a request. `Display` is the error reply without its `-`; the connection is closed after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// The number of arguments is no number or too large.
    InvalidMultibulkLength,
    /// Too many arguments for a client that gave no password.
    UnauthenticatedMultibulkLength,
    /// The length of an argument is no number, negative or beyond `proto-max-bulk-len`.
    InvalidBulkLength,
    /// Too long an argument for a client that gave no password.
    UnauthenticatedBulkLength,
    /// An argument does not begin with `$` but with this byte.
    ExpectedDollar(u8),
    /// An inline command has no end in sight.
    TooBigInline,
    /// The line with the number of arguments has no end in sight.
    TooBigMultibulkCount,
    /// The line with the length of an argument has no end in sight.
    TooBigBulkCount,
    /// The quotes of an inline command do not match.
    UnbalancedQuotes,
    /// The whole command is beyond `client-query-buffer-limit`.
    TooBigRequest,
}

impl Display for ProtocolError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("ERR Protocol error: ")?;
        f.write_str(match self {
            Self::InvalidMultibulkLength => "invalid multibulk length",
            Self::UnauthenticatedMultibulkLength => "unauthenticated multibulk length",
            Self::InvalidBulkLength => "invalid bulk length",
            Self::UnauthenticatedBulkLength => "unauthenticated bulk length",
            Self::ExpectedDollar(byte) => return write!(f, "expected '$', got '{}'", *byte as char),
            Self::TooBigInline => "too big inline request",
            Self::TooBigMultibulkCount => "too big mbulk count string",
            Self::TooBigBulkCount => "too big bulk count string",
            Self::UnbalancedQuotes => "unbalanced quotes in request",
            Self::TooBigRequest => "too big request",
        })
    }
}

impl std::error::Error for ProtocolError {}
