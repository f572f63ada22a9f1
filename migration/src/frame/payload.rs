//! The payload of each kind of frame.

use whimbrel_engine::key::SlotId;

use super::wire::Fields;
use super::{Frame, FrameError, Hello, Kind, REASON_BYTES_MAX, Refusal, Seal, Welcome, slot_of};

/// What stands before a run of the baseline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RunHead {
    /// The slot.
    pub slot: SlotId,
    /// How often its copy began, from 1.
    pub copy: u16,
}

/// What stands before a run of deltas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeltasHead {
    /// Which slot, and which copy of it.
    pub of: RunHead,
    /// The number of the first delta, from 1 for each copy.
    pub first: u64,
    /// The number of the last delta. `first <= last`.
    pub last: u64,
}

impl RunHead {
    /// Bytes of the head.
    pub const BYTES: usize = 4;

    /// Appends the head.
    pub fn put(self, out: &mut Vec<u8>) {
        out.extend((self.slot.number() as u16).to_le_bytes());
        out.extend(self.copy.to_le_bytes());
    }

    fn read(fields: &mut Fields<'_>) -> Option<RunHead> {
        let head = RunHead { slot: slot_of(fields.u16()?)?, copy: fields.u16()? };
        (head.copy > 0).then_some(head)
    }
}

impl DeltasHead {
    /// Bytes of the head.
    pub const BYTES: usize = RunHead::BYTES + 16;

    /// Appends the head.
    pub fn put(self, out: &mut Vec<u8>) {
        self.of.put(out);
        out.extend(self.first.to_le_bytes());
        out.extend(self.last.to_le_bytes());
    }

    /// Overwrites the head at the front of a payload.
    pub fn put_over(self, payload: &mut [u8]) {
        payload[RunHead::BYTES..RunHead::BYTES + 8].copy_from_slice(&self.first.to_le_bytes());
        payload[RunHead::BYTES + 8..Self::BYTES].copy_from_slice(&self.last.to_le_bytes());
    }

    fn read(fields: &mut Fields<'_>) -> Option<DeltasHead> {
        let head = DeltasHead { of: RunHead::read(fields)?, first: fields.u64()?, last: fields.u64()? };
        (head.first > 0 && head.first <= head.last).then_some(head)
    }
}

impl Seal {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.attempt.to_le_bytes());
        for number in [self.keys, self.deltas, self.slots_digest, self.snapshot_digest, self.delta_digest] {
            out.extend(number.to_le_bytes());
        }
    }

    fn read(fields: &mut Fields<'_>) -> Option<Seal> {
        Some(Seal {
            attempt: fields.u32()?,
            keys: fields.u64()?,
            deltas: fields.u64()?,
            slots_digest: fields.u64()?,
            snapshot_digest: fields.u64()?,
            delta_digest: fields.u64()?,
        })
    }
}

/// The reason, cut at the last character that fits.
fn cut(reason: &str) -> &str {
    let mut end = reason.len().min(REASON_BYTES_MAX);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    &reason[..end]
}

fn read_reason(fields: &mut Fields<'_>) -> Option<String> {
    let bytes = fields.rest();
    if bytes.len() > REASON_BYTES_MAX {
        return None;
    }
    str::from_utf8(bytes).ok().map(str::to_owned)
}

impl<'a> Frame<'a> {
    /// Appends the payload alone.
    pub fn put_payload(&self, out: &mut Vec<u8>) {
        match self {
            Frame::Hello(hello) => hello.put(out),
            Frame::Welcome(welcome) => welcome.put(out),
            Frame::Refused(refusal) => {
                let (code, slot) = refusal.code();
                out.push(code);
                out.extend(slot.to_le_bytes());
            }
            Frame::Ack { expected: number }
            | Frame::Rate { bytes_per_second: number }
            | Frame::Ping { echo: number }
            | Frame::Pong { echo: number } => out.extend(number.to_le_bytes()),
            Frame::Run { head, run } => {
                head.put(out);
                out.extend_from_slice(run);
            }
            Frame::SlotEnd { head, keys } => {
                head.put(out);
                out.extend(keys.to_le_bytes());
            }
            Frame::SlotRestart { head } => head.put(out),
            Frame::Deltas { head, run } => {
                head.put(out);
                out.extend_from_slice(run);
            }
            Frame::Seal(seal) => seal.put(out),
            Frame::Sealed { attempt } | Frame::Resume { attempt } | Frame::Yours { attempt } => {
                out.extend(attempt.to_le_bytes());
            }
            Frame::Abort { reason } | Frame::Failed { reason } => {
                out.extend_from_slice(cut(reason).as_bytes())
            }
            Frame::Appointed { map } => out.extend_from_slice(map),
        }
    }

    /// Reads the payload of a frame of this kind.
    pub fn read(kind: Kind, payload: &'a [u8]) -> Result<Frame<'a>, FrameError> {
        let mut fields = Fields(payload);
        let frame = Self::read_fields(kind, &mut fields).ok_or(FrameError::Payload { kind })?;
        if fields.is_empty() { Ok(frame) } else { Err(FrameError::Payload { kind }) }
    }

    fn read_fields(kind: Kind, fields: &mut Fields<'a>) -> Option<Frame<'a>> {
        Some(match kind {
            Kind::Hello => Frame::Hello(Hello::read(Fields(fields.rest()))?),
            Kind::Welcome => Frame::Welcome(Welcome::read(fields)?),
            Kind::Refused => {
                let code = fields.u8()?;
                Frame::Refused(Refusal::of(code, slot_of(fields.u16()?)?)?)
            }
            Kind::Ack => Frame::Ack { expected: fields.u64()? },
            Kind::Rate => Frame::Rate { bytes_per_second: fields.u64()? },
            Kind::Ping => Frame::Ping { echo: fields.u64()? },
            Kind::Pong => Frame::Pong { echo: fields.u64()? },
            Kind::Run => Frame::Run { head: RunHead::read(fields)?, run: fields.rest() },
            Kind::SlotEnd => Frame::SlotEnd { head: RunHead::read(fields)?, keys: fields.u64()? },
            Kind::SlotRestart => Frame::SlotRestart { head: RunHead::read(fields)? },
            Kind::Deltas => Frame::Deltas { head: DeltasHead::read(fields)?, run: fields.rest() },
            Kind::Seal => Frame::Seal(Seal::read(fields)?),
            Kind::Sealed => Frame::Sealed { attempt: fields.u32()? },
            Kind::Resume => Frame::Resume { attempt: fields.u32()? },
            Kind::Abort => Frame::Abort { reason: read_reason(fields)? },
            Kind::Failed => Frame::Failed { reason: read_reason(fields)? },
            Kind::Appointed => Frame::Appointed { map: fields.rest() },
            Kind::Yours => Frame::Yours { attempt: fields.u32()? },
        })
    }
}
