//! What can be wrong with the bytes of a lane. Whatever it is, the connection is dropped; the lane goes on with the next one.

use std::fmt;

use super::Kind;

/// What is wrong with the bytes of a lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FrameError {
    /// What should be a header is none.
    Magic,
    /// The peer speaks another version.
    Version {
        /// The one it speaks.
        theirs: u8,
    },
    /// There is no such kind of frame.
    Kind {
        /// Its code.
        code: u8,
    },
    /// The payload is longer than any may be.
    Length {
        /// How long.
        bytes: usize,
    },
    /// A frame that is numbered has no number, or the other way round.
    Number,
    /// The bytes are not the ones that were sent.
    Checksum,
    /// The payload is not one of its kind.
    Payload {
        /// The kind.
        kind: Kind,
    },
    /// A frame that does not belong on this lane, in this direction or at this point.
    Unexpected {
        /// Its kind.
        kind: Kind,
    },
    /// Frames are missing.
    Gap {
        /// The number that should have come.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// The peer sent more than it may without an acknowledgement.
    Window,
    /// An acknowledgement of what was never sent.
    Acknowledgement {
        /// Up to where.
        expected: u64,
    },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Magic => f.write_str("no frame begins like this"),
            FrameError::Version { theirs } => write!(f, "version {theirs} is not spoken here"),
            FrameError::Kind { code } => write!(f, "no frame has the code {code}"),
            FrameError::Length { bytes } => write!(f, "a payload of {bytes} bytes is too long"),
            FrameError::Number => f.write_str("a frame's number does not fit its kind"),
            FrameError::Checksum => f.write_str("a frame was damaged on its way"),
            FrameError::Payload { kind } => write!(f, "the payload of a {kind:?} is malformed"),
            FrameError::Unexpected { kind } => write!(f, "a {kind:?} does not belong here"),
            FrameError::Gap { expected, found } => write!(f, "frame {found} came, {expected} was next"),
            FrameError::Window => f.write_str("the peer sends more than its window"),
            FrameError::Acknowledgement { expected } => write!(f, "{expected} was never sent"),
        }
    }
}

impl std::error::Error for FrameError {}
