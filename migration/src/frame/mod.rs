//! Frames: what goes over a lane, each with a versioned header and a checksum.
//!
//! A frame with a number belongs to its lane and survives a cut connection; one without (number 0) belongs to the connection
//! it was made for. Both name the life of the batch, so that nothing of an earlier one is ever taken for one of this.

mod decoder;
mod error;
mod header;
mod hello;
mod payload;
mod refusal;
mod wire;

use whimbrel_engine::key::SlotId;

pub use decoder::{Decoder, Greeting, Whole};
pub use error::FrameError;
pub use header::{Envelope, HEADER_BYTES, Header, Kind, MAGIC, VERSION, checksum_of};
pub use hello::{Hello, Welcome};
pub use payload::{DeltasHead, RunHead};
pub use refusal::Refusal;

/// The most bytes of a frame's payload: room for the largest slot map.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;

/// The most bytes of a lane that wait at one end, which is more than any window: a peer that sends more ignores it.
pub const INBOX_BYTES_MAX: usize = 2 * WINDOW_BYTES_MAX;

/// The most bytes of a lane that may be unacknowledged.
pub const WINDOW_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most bytes of a reason that travels.
pub const REASON_BYTES_MAX: usize = 512;

/// What a frame says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Frame<'a> {
    /// Source: this connection is this lane of this batch. The first frame of each connection.
    Hello(Hello),
    /// Target: go on with this frame.
    Welcome(Welcome),
    /// Target: I will not.
    Refused(Refusal),
    /// Target: all frames of the lane below this number are applied.
    Ack {
        /// The number that comes next.
        expected: u64,
    },
    /// Target: send no more bytes a second than this; 0 sets no limit.
    Rate {
        /// Bytes a second.
        bytes_per_second: u64,
    },
    /// Source: are you there?
    Ping {
        /// Comes back in the answer.
        echo: u64,
    },
    /// Target: yes.
    Pong {
        /// What the question said.
        echo: u64,
    },
    /// Source: a part of a slot's baseline.
    Run {
        /// Which slot, and which copy of it.
        head: RunHead,
        /// Effects, each behind its length.
        run: &'a [u8],
    },
    /// Source: the slot's baseline is complete.
    SlotEnd {
        /// Which slot, and which copy of it.
        head: RunHead,
        /// The keys of the slot at this point.
        keys: u64,
    },
    /// Source: forget what you have of the slot; this copy of it follows.
    SlotRestart {
        /// Which slot, and the copy that follows.
        head: RunHead,
    },
    /// Source: writes to a slot since its baseline.
    Deltas {
        /// Which slot, which copy of it, which deltas.
        head: DeltasHead,
        /// Effects, each behind its length.
        run: &'a [u8],
    },
    /// Source: writes wait; this is all. Say so when you hold the same.
    Seal(Seal),
    /// Target: I hold the same as this attempt's seal.
    Sealed {
        /// The attempt.
        attempt: u32,
    },
    /// Source: the attempt is given up, writes go on.
    Resume {
        /// The attempt.
        attempt: u32,
    },
    /// Source: the slots stay with me; drop what you have of them.
    Abort {
        /// Why.
        reason: String,
    },
    /// Target: I cannot go on, and have dropped what I had.
    Failed {
        /// Why.
        reason: String,
    },
    /// Source: the map names you as the heir of the slots.
    Appointed {
        /// The map, as the store keeps it; empty if it is too large to travel.
        map: &'a [u8],
    },
    /// Source: the slots are yours, as they were at this attempt's seal.
    Yours {
        /// The attempt.
        attempt: u32,
    },
}

/// What source and target must agree on before ownership may change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seal {
    /// Which attempt of the batch's life this is, from 1.
    pub attempt: u32,
    /// All keys of the batch.
    pub keys: u64,
    /// All deltas since the slots' baselines.
    pub deltas: u64,
    /// The digest of each slot's copy, last delta and keys.
    pub slots_digest: u64,
    /// The digest of all frames of the snapshot lane.
    pub snapshot_digest: u64,
    /// The digest of all frames of the delta lane before this one.
    pub delta_digest: u64,
}

impl Frame<'_> {
    /// The kind of the frame.
    pub fn kind(&self) -> Kind {
        match self {
            Frame::Hello(_) => Kind::Hello,
            Frame::Welcome(_) => Kind::Welcome,
            Frame::Refused(_) => Kind::Refused,
            Frame::Ack { .. } => Kind::Ack,
            Frame::Rate { .. } => Kind::Rate,
            Frame::Ping { .. } => Kind::Ping,
            Frame::Pong { .. } => Kind::Pong,
            Frame::Run { .. } => Kind::Run,
            Frame::SlotEnd { .. } => Kind::SlotEnd,
            Frame::SlotRestart { .. } => Kind::SlotRestart,
            Frame::Deltas { .. } => Kind::Deltas,
            Frame::Seal(_) => Kind::Seal,
            Frame::Sealed { .. } => Kind::Sealed,
            Frame::Resume { .. } => Kind::Resume,
            Frame::Abort { .. } => Kind::Abort,
            Frame::Failed { .. } => Kind::Failed,
            Frame::Appointed { .. } => Kind::Appointed,
            Frame::Yours { .. } => Kind::Yours,
        }
    }

    /// The frame by itself, if it is one of those that the target sends: none of them holds bytes of others.
    pub fn into_answer(self) -> Option<Frame<'static>> {
        Some(match self {
            Frame::Welcome(welcome) => Frame::Welcome(welcome),
            Frame::Refused(refusal) => Frame::Refused(refusal),
            Frame::Ack { expected } => Frame::Ack { expected },
            Frame::Rate { bytes_per_second } => Frame::Rate { bytes_per_second },
            Frame::Pong { echo } => Frame::Pong { echo },
            Frame::Sealed { attempt } => Frame::Sealed { attempt },
            Frame::Failed { reason } => Frame::Failed { reason },
            _ => return None,
        })
    }

    /// Appends the frame in this envelope.
    pub fn encode(&self, envelope: Envelope, out: &mut Vec<u8>) {
        header::build(self.kind(), envelope, out, |out| self.put_payload(out));
    }
}

/// Appends a frame whose payload `fill` appends.
pub fn encode_with<R>(
    kind: Kind,
    envelope: Envelope,
    out: &mut Vec<u8>,
    fill: impl FnOnce(&mut Vec<u8>) -> R,
) -> R {
    header::build(kind, envelope, out, fill)
}

fn slot_of(number: u16) -> Option<SlotId> {
    SlotId::new(usize::from(number))
}
