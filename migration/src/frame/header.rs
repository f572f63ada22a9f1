//! The header before every frame: what it is, how long, where it belongs, and a checksum over all of it.
//!
//! ```text
//!  0 ┌──────────────────────────┐
//!    │ xxh3-64 of all that follows, payload included
//!  8 ├─────────────┬──────┬─────┤
//!    │ magic (2)   │ version │ kind
//! 12 ├─────────────┴──────┴─────┤
//!    │ bytes of payload (4)
//! 16 │ number in its lane (8), 0 for none
//! 24 │ life of the batch (4)
//! 28 │ connection of the life (4)
//! 32 └──────────────────────────┘  little-endian throughout
//! ```

use xxhash_rust::xxh3::xxh3_64;

use super::{FrameError, PAYLOAD_BYTES_MAX};

/// Bytes of a header.
pub const HEADER_BYTES: usize = 32;

/// How a header begins, behind its checksum.
pub const MAGIC: u16 = u16::from_le_bytes(*b"Wm");

/// The version of this protocol. Another one is refused.
pub const VERSION: u8 = 2;

/// Bytes of the checksum.
const CHECKSUM_BYTES: usize = 8;

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// `Frame::Hello`
    Hello = 1,
    /// `Frame::Welcome`
    Welcome = 2,
    /// `Frame::Refused`
    Refused = 3,
    /// `Frame::Ack`
    Ack = 4,
    /// `Frame::Rate`
    Rate = 5,
    /// `Frame::Ping`
    Ping = 6,
    /// `Frame::Pong`
    Pong = 7,
    /// `Frame::Run`
    Run = 8,
    /// `Frame::SlotEnd`
    SlotEnd = 9,
    /// `Frame::SlotRestart`
    SlotRestart = 10,
    /// `Frame::Deltas`
    Deltas = 11,
    /// `Frame::Seal`
    Seal = 12,
    /// `Frame::Sealed`
    Sealed = 13,
    /// `Frame::Resume`
    Resume = 14,
    /// `Frame::Abort`
    Abort = 15,
    /// `Frame::Failed`
    Failed = 16,
    /// `Frame::Appointed`
    Appointed = 17,
    /// `Frame::Yours`
    Yours = 18,
}

impl Kind {
    const ALL: [Kind; 18] = [
        Kind::Hello,
        Kind::Welcome,
        Kind::Refused,
        Kind::Ack,
        Kind::Rate,
        Kind::Ping,
        Kind::Pong,
        Kind::Run,
        Kind::SlotEnd,
        Kind::SlotRestart,
        Kind::Deltas,
        Kind::Seal,
        Kind::Sealed,
        Kind::Resume,
        Kind::Abort,
        Kind::Failed,
        Kind::Appointed,
        Kind::Yours,
    ];

    /// The kind with this code.
    pub fn of(code: u8) -> Option<Kind> {
        Kind::ALL.get(usize::from(code).checked_sub(1)?).copied()
    }

    /// Whether frames of this kind are numbered in their lane.
    pub fn is_numbered(self) -> bool {
        matches!(
            self,
            Kind::Run
                | Kind::SlotEnd
                | Kind::SlotRestart
                | Kind::Deltas
                | Kind::Seal
                | Kind::Resume
                | Kind::Abort
                | Kind::Appointed
                | Kind::Yours
        )
    }
}

/// Where a frame belongs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Envelope {
    /// Its number in its lane, from 1; 0 if it belongs to its connection only.
    pub number: u64,
    /// The life of the batch: how often it began.
    pub life: u32,
    /// The connection of that life; of no meaning for numbered frames, which may be sent again on another one.
    pub connection: u32,
}

/// A header that was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// What the frame is.
    pub kind: Kind,
    /// Where it belongs.
    pub envelope: Envelope,
    /// Bytes of its payload. `length <= PAYLOAD_BYTES_MAX`.
    pub length: usize,
    /// The checksum of header and payload.
    pub checksum: u64,
}

impl Header {
    /// Reads a header. Its checksum is checked when the payload is there.
    pub fn read(bytes: &[u8; HEADER_BYTES]) -> Result<Header, FrameError> {
        let u64_at = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
        let u32_at = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        if bytes[8..10] != MAGIC.to_le_bytes() {
            return Err(FrameError::Magic);
        }
        if bytes[10] != VERSION {
            return Err(FrameError::Version { theirs: bytes[10] });
        }
        let kind = Kind::of(bytes[11]).ok_or(FrameError::Kind { code: bytes[11] })?;
        let length = u32_at(12) as usize;
        if length > PAYLOAD_BYTES_MAX {
            return Err(FrameError::Length { bytes: length });
        }
        let envelope = Envelope { number: u64_at(16), life: u32_at(24), connection: u32_at(28) };
        if kind.is_numbered() == (envelope.number == 0) {
            return Err(FrameError::Number);
        }
        Ok(Header { kind, envelope, length, checksum: u64_at(0) })
    }
}

/// Whether a frame (header and payload, nothing else) is what its checksum says.
pub fn is_intact(frame: &[u8], checksum: u64) -> bool {
    xxh3_64(&frame[CHECKSUM_BYTES..]) == checksum
}

/// The checksum that a frame carries.
pub fn checksum_of(frame: &[u8]) -> u64 {
    u64::from_le_bytes(frame[..CHECKSUM_BYTES].try_into().expect("a frame begins with its checksum"))
}

/// Appends a frame whose payload `fill` appends.
pub fn build<R>(
    kind: Kind,
    envelope: Envelope,
    out: &mut Vec<u8>,
    fill: impl FnOnce(&mut Vec<u8>) -> R,
) -> R {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_BYTES]);
    let result = fill(out);
    let frame = &mut out[start..];
    let length = frame.len() - HEADER_BYTES;
    assert!(length <= PAYLOAD_BYTES_MAX, "a frame's payload is bounded by what it is made of");
    assert!(kind.is_numbered() == (envelope.number != 0), "numbers belong to what survives a connection");
    frame[8..10].copy_from_slice(&MAGIC.to_le_bytes());
    frame[10] = VERSION;
    frame[11] = kind as u8;
    frame[12..16].copy_from_slice(&(length as u32).to_le_bytes());
    frame[16..24].copy_from_slice(&envelope.number.to_le_bytes());
    frame[24..28].copy_from_slice(&envelope.life.to_le_bytes());
    frame[28..32].copy_from_slice(&envelope.connection.to_le_bytes());
    let checksum = xxh3_64(&frame[CHECKSUM_BYTES..]);
    frame[..CHECKSUM_BYTES].copy_from_slice(&checksum.to_le_bytes());
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_name_their_kinds() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of(kind as u8), Some(kind));
        }
        assert_eq!((Kind::of(0), Kind::of(19)), (None, None));
    }

    #[test]
    fn each_wrong_field_has_its_error() {
        let mut frame = Vec::new();
        build(Kind::Ping, Envelope::default(), &mut frame, |_| {});
        let good: [u8; HEADER_BYTES] = frame.try_into().expect("no payload");
        assert!(Header::read(&good).is_ok());
        for (at, byte, error) in [
            (8, b'x', FrameError::Magic),
            (10, 9, FrameError::Version { theirs: 9 }),
            (11, 0, FrameError::Kind { code: 0 }),
            (15, 1, FrameError::Length { bytes: 1 << 24 }),
            (16, 1, FrameError::Number),
        ] {
            let mut bad = good;
            bad[at] = byte;
            assert_eq!(Header::read(&bad), Err(error));
        }
    }
}
