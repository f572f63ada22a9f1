//! Bytes in any pieces in, frames out.

use super::header::{self, Envelope, HEADER_BYTES, Header};
use super::{Frame, FrameError, Hello, Kind, Refusal};

/// Takes the bytes of a connection in any pieces and shows the frames in them. Bytes are copied once.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    /// Where the next frame begins. `start <= bytes.len()`.
    start: usize,
}

/// A whole, intact frame in a decoder's buffer.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    /// Its header.
    pub header: Header,
    /// Its payload.
    pub payload: &'a [u8],
}

impl Whole<'_> {
    /// Bytes of the frame, its header included.
    pub fn frame_bytes(&self) -> usize {
        HEADER_BYTES + self.payload.len()
    }
}

impl Decoder {
    /// Takes further bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        } else if self.start > self.bytes.len() / 2 && self.bytes.len() + bytes.len() > self.bytes.capacity()
        {
            self.bytes.copy_within(self.start.., 0);
            self.bytes.truncate(self.bytes.len() - self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Whether no bytes wait.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.start = 0;
    }

    /// The next frame, if all of it is there; it stays until it is skipped.
    pub fn peek(&self) -> Result<Option<Whole<'_>>, FrameError> {
        self.peek_behind(0)
    }

    /// The frame behind that many bytes, if all of it is there.
    pub fn peek_behind(&self, skipped: usize) -> Result<Option<Whole<'_>>, FrameError> {
        let bytes = &self.bytes[self.start + skipped..];
        let Some(head) = bytes.first_chunk::<HEADER_BYTES>() else { return Ok(None) };
        let header = Header::read(head)?;
        let Some(frame) = bytes.get(..HEADER_BYTES + header.length) else { return Ok(None) };
        if !header::is_intact(frame, header.checksum) {
            return Err(FrameError::Checksum);
        }
        Ok(Some(Whole { header, payload: &frame[HEADER_BYTES..] }))
    }

    /// The payload of the first frame, whose header is this.
    pub fn payload(&self, header: &Header) -> &[u8] {
        &self.bytes[self.start..][HEADER_BYTES..HEADER_BYTES + header.length]
    }

    /// Skips the frame that was shown.
    pub fn skip(&mut self, frame_bytes: usize) {
        assert!(frame_bytes <= self.len(), "only what was shown is skipped");
        self.start += frame_bytes;
    }

    /// The bytes behind what was skipped.
    pub fn into_rest(mut self) -> Vec<u8> {
        self.bytes.drain(..self.start);
        self.bytes
    }
}

/// Waits for the hello on a connection that nobody knows yet.
#[derive(Debug, Default)]
pub struct Greeting {
    decoder: Decoder,
}

impl Greeting {
    /// The most bytes of a hello.
    pub const BYTES_MAX: usize = HEADER_BYTES + 256 + 2 * crate::batch::BATCH_SLOTS_MAX;

    /// Takes further bytes; gives the hello once it is there, with the bytes behind it, which belong to the batch.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<(Hello, Vec<u8>)>, FrameError> {
        self.decoder.push(bytes);
        let Some(whole) = self.decoder.peek()? else {
            let is_long = self.decoder.len() >= Self::BYTES_MAX;
            return if is_long { Err(FrameError::Length { bytes: self.decoder.len() }) } else { Ok(None) };
        };
        let frame_bytes = whole.frame_bytes();
        match Frame::read(whole.header.kind, whole.payload)? {
            Frame::Hello(hello) => {
                self.decoder.skip(frame_bytes);
                let rest = std::mem::take(&mut self.decoder).into_rest();
                Ok(Some((hello, rest)))
            }
            frame => Err(FrameError::Unexpected { kind: frame.kind() }),
        }
    }

    /// The bytes that refuse a hello; the connection is closed behind them.
    pub fn refuse(hello: &Hello, refusal: Refusal) -> Vec<u8> {
        let mut out = Vec::new();
        let envelope = Envelope { number: 0, life: hello.life, connection: hello.connection };
        Frame::Refused(refusal).encode(envelope, &mut out);
        out
    }
}

impl Kind {
    /// Whether the source sends frames of this kind; the target sends the others.
    pub fn is_from_source(self) -> bool {
        self.is_numbered() || matches!(self, Kind::Hello | Kind::Ping)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use whimbrel_engine::key::{SLOT_COUNT, SlotId};
    use whimbrel_engine::topology::NodeId;

    use super::*;
    use crate::batch::{Batch, BatchId, Incarnation, MoveId};
    use crate::frame::{DeltasHead, PAYLOAD_BYTES_MAX, RunHead, Seal, Welcome};
    use crate::lane::Lane;

    fn slot() -> impl Strategy<Value = SlotId> {
        (0..SLOT_COUNT).prop_filter_map("a slot", SlotId::new)
    }

    fn head() -> impl Strategy<Value = RunHead> {
        (slot(), 1..=u16::MAX).prop_map(|(slot, copy)| RunHead { slot, copy })
    }

    fn hello() -> impl Strategy<Value = Hello> {
        let slots = proptest::collection::btree_set(slot(), 1..40);
        (any::<(u128, u32, bool, bool, u64, u64)>(), slots, 1..=u32::MAX, 1..=u32::MAX).prop_map(
            |((job, number, is_delta, was_welcome, incarnation, began_us), slots, life, connection)| Hello {
                batch: Batch {
                    id: BatchId { job: MoveId(job), number },
                    source: NodeId::derived(began_us, 1),
                    target: NodeId::derived(began_us, 2),
                    slots: slots.into_iter().rev().collect(),
                },
                lane: if is_delta { Lane::Delta } else { Lane::Snapshot },
                life,
                connection,
                was_welcome,
                source_incarnation: Incarnation(incarnation),
                began_us,
            },
        )
    }

    fn seal() -> impl Strategy<Value = Seal> {
        any::<(u32, u64, u64, u64, u64, u64)>().prop_map(
            |(attempt, keys, deltas, slots_digest, snapshot_digest, delta_digest)| Seal {
                attempt,
                keys,
                deltas,
                slots_digest,
                snapshot_digest,
                delta_digest,
            },
        )
    }

    /// Encodes a frame of any kind in an envelope that fits, and hands it on with both.
    fn any_frame(check: impl Fn(Frame<'_>, Envelope, Vec<u8>) -> Result<(), TestCaseError>) {
        let strategy = (
            (0..18u8, any::<u64>(), any::<u64>(), any::<u32>(), any::<u32>()),
            (head(), hello(), seal(), slot()),
            proptest::collection::vec(any::<u8>(), 0..300),
            ".{0,40}",
        );
        proptest!(|(((which, one, two, life, connection), (head, hello, seal, slot), bytes, reason) in strategy)| {
            let first = one.max(1);
            let deltas = DeltasHead { of: head, first, last: first.saturating_add(two) };
            let welcome =
                Welcome { incarnation: Incarnation(one), expected: two, bytes_per_second: u64::from(life) };
            let frame = match which {
                0 => Frame::Hello(hello),
                1 => Frame::Welcome(welcome),
                2 => Frame::Refused([
                    Refusal::Forgotten, Refusal::Stale, Refusal::UnknownTarget, Refusal::Occupied { slot },
                    Refusal::Staged { slot }, Refusal::Owned { slot }, Refusal::Busy,
                ][(one % 7) as usize]),
                3 => Frame::Ack { expected: one },
                4 => Frame::Rate { bytes_per_second: one },
                5 => Frame::Ping { echo: one },
                6 => Frame::Pong { echo: one },
                7 => Frame::Run { head, run: &bytes },
                8 => Frame::SlotEnd { head, keys: one },
                9 => Frame::SlotRestart { head },
                10 => Frame::Deltas { head: deltas, run: &bytes },
                11 => Frame::Seal(seal),
                12 => Frame::Sealed { attempt: life },
                13 => Frame::Resume { attempt: life },
                14 => Frame::Abort { reason },
                15 => Frame::Failed { reason },
                16 => Frame::Yours { attempt: life },
                _ => Frame::Appointed { map: &bytes },
            };
            let number = if frame.kind().is_numbered() { first } else { 0 };
            let envelope = Envelope { number, life, connection };
            let mut encoded = Vec::new();
            frame.encode(envelope, &mut encoded);
            check(frame, envelope, encoded)?;
        });
    }

    #[test]
    fn frames_come_back_as_they_were_in_any_cut() {
        any_frame(|frame, envelope, encoded| {
            let mut decoder = Decoder::default();
            for (index, piece) in encoded.chunks(7).enumerate() {
                prop_assert!(decoder.peek().unwrap().is_none(), "only {index} pieces are there");
                decoder.push(piece);
            }
            decoder.push(&encoded[..5]);
            let whole = decoder.peek().unwrap().expect("the frame is there");
            prop_assert_eq!(whole.header.envelope, envelope);
            prop_assert_eq!(Frame::read(whole.header.kind, whole.payload).unwrap(), frame);
            let frame_bytes = whole.frame_bytes();
            decoder.skip(frame_bytes);
            prop_assert!(decoder.peek().unwrap().is_none());
            prop_assert_eq!(decoder.into_rest(), &encoded[..5]);
            Ok(())
        });
    }

    #[test]
    fn no_flipped_bit_goes_unnoticed() {
        any_frame(|_, envelope, encoded| {
            // All bits of the header, and one in each byte of the payload.
            for bit in (0..encoded.len() * 8).filter(|bit| *bit < 256 || bit % 9 == 0) {
                let mut damaged = encoded.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                // More bytes follow on a live connection: a length that grew ends somewhere.
                damaged.extend([0; 64]);
                let mut decoder = Decoder::default();
                decoder.push(&damaged);
                if let Ok(Some(whole)) = decoder.peek() {
                    prop_assert!(false, "bit {bit}: {:?} {envelope:?}", whole.header);
                }
            }
            Ok(())
        });
    }

    #[test]
    fn no_truncated_payload_is_taken_for_a_whole_one() {
        any_frame(|frame, _, encoded| {
            let payload = &encoded[HEADER_BYTES..];
            for length in 0..payload.len() {
                match Frame::read(frame.kind(), &payload[..length]) {
                    Err(error) => prop_assert_eq!(error, FrameError::Payload { kind: frame.kind() }),
                    // Bytes of others, texts and lists of slots end where the header says.
                    Ok(read) => {
                        prop_assert!(read != frame);
                        let is_open = matches!(
                            frame,
                            Frame::Run { .. }
                                | Frame::Deltas { .. }
                                | Frame::Appointed { .. }
                                | Frame::Hello(_)
                                | Frame::Abort { .. }
                                | Frame::Failed { .. }
                        );
                        prop_assert!(is_open, "{:?}", frame.kind());
                    }
                }
            }
            Ok(())
        });
    }

    #[test]
    fn a_greeting_wants_a_hello_and_keeps_what_follows() {
        let batch = Batch {
            id: BatchId { job: MoveId(1), number: 2 },
            source: NodeId::derived(1, 1),
            target: NodeId::derived(1, 2),
            slots: (0..SLOT_COUNT).filter_map(SlotId::new).collect(),
        };
        let hello = Hello {
            batch,
            lane: Lane::Snapshot,
            life: 1,
            connection: 3,
            was_welcome: false,
            source_incarnation: Incarnation(5),
            began_us: 6,
        };
        let mut bytes = Vec::new();
        Frame::Hello(hello.clone()).encode(Envelope { number: 0, life: 1, connection: 3 }, &mut bytes);
        assert!(bytes.len() <= Greeting::BYTES_MAX);
        bytes.extend(b"rest");
        let mut greeting = Greeting::default();
        let (first, last) = bytes.split_last_chunk::<8>().expect("it is longer");
        assert_eq!(greeting.receive(first), Ok(None));
        assert_eq!(greeting.receive(last), Ok(Some((hello.clone(), b"rest".to_vec()))));

        let mut other = Vec::new();
        Frame::Ping { echo: 1 }.encode(Envelope::default(), &mut other);
        assert_eq!(Greeting::default().receive(&other), Err(FrameError::Unexpected { kind: Kind::Ping }));
        assert_eq!(Greeting::default().receive(&[b'G'; 64]), Err(FrameError::Magic));

        let mut decoder = Decoder::default();
        decoder.push(&Greeting::refuse(&hello, Refusal::Busy));
        let whole = decoder.peek().unwrap().expect("a whole frame");
        assert_eq!((whole.header.envelope.life, whole.header.envelope.connection), (1, 3));
        assert_eq!(Frame::read(whole.header.kind, whole.payload), Ok(Frame::Refused(Refusal::Busy)));
    }

    #[test]
    fn a_long_stream_takes_no_more_room_than_what_waits() {
        let mut frame = Vec::new();
        crate::frame::encode_with(
            Kind::Run,
            Envelope { number: 1, life: 1, connection: 1 },
            &mut frame,
            |out| {
                out.resize(out.len() + 1000, 1);
            },
        );
        let mut decoder = Decoder::default();
        for _ in 0..10_000 {
            // One byte of the next frame is always there.
            decoder.push(&frame[1..]);
            decoder.push(&frame[..1]);
            if decoder.len() > frame.len() {
                let first = decoder.len() % frame.len();
                decoder.skip(first.max(frame.len()).min(decoder.len() - 1));
            }
        }
        assert!(decoder.bytes.capacity() < 16 * frame.len(), "{}", decoder.bytes.capacity());
    }

    #[test]
    fn reasons_are_cut_between_characters() {
        let reason = "ü".repeat(super::super::REASON_BYTES_MAX);
        let mut bytes = Vec::new();
        Frame::Abort { reason }.encode(Envelope { number: 1, life: 1, connection: 1 }, &mut bytes);
        let Ok(Frame::Abort { reason }) = Frame::read(Kind::Abort, &bytes[HEADER_BYTES..]) else { panic!() };
        assert_eq!(reason.len(), super::super::REASON_BYTES_MAX);
        const { assert!(Greeting::BYTES_MAX < PAYLOAD_BYTES_MAX) };
    }
}
