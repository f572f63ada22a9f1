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
