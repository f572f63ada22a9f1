//! Why a command failed, and the standard texts for it.

use crate::arena::ArenaError;
use std::fmt::{Display, Formatter, Result};

/// Why a command failed. `Display` is the error reply without its `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CommandError {
    /// The key holds another type.
    WrongType,
    /// The options do not fit together.
    Syntax,
    /// An argument or a value is no 64-bit integer.
    NotInteger,
    /// An argument or a value is no number.
    NotFloat,
    /// A number is outside of what the command takes.
    OutOfRange,
    /// The key must exist.
    NoSuchKey,
    /// The shard is at its memory limit and may not evict.
    OutOfMemory,
    /// Too few or too many arguments for the command of this name.
    WrongArity(&'static str),
    /// The command needs a password first.
    NoAuth,
    /// A fixed text, code included.
    Static(&'static str),
    /// A text that was made for the occasion, code included.
    Text(String),
}

impl CommandError {
    /// An error with a text made for the occasion, code included.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl Display for CommandError {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(match self {
            Self::WrongType => "WRONGTYPE Operation against a key holding the wrong kind of value",
            Self::Syntax => "ERR syntax error",
            Self::NotInteger => "ERR value is not an integer or out of range",
            Self::NotFloat => "ERR value is not a valid float",
            Self::OutOfRange => "ERR value is out of range",
            Self::NoSuchKey => "ERR no such key",
            Self::OutOfMemory => "OOM command not allowed when used memory > 'maxmemory'.",
            Self::NoAuth => "NOAUTH Authentication required.",
            Self::WrongArity(name) => return write!(f, "ERR wrong number of arguments for '{name}' command"),
            Self::Static(text) => text,
            Self::Text(text) => text,
        })
    }
}

impl std::error::Error for CommandError {}

impl From<ArenaError> for CommandError {
    /// A full arena is what a client knows as being out of memory.
    fn from(_: ArenaError) -> Self {
        CommandError::OutOfMemory
    }
}
