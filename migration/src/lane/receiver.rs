//! The receiving side of a lane: each number once and in order, whatever the connections do.

use std::collections::VecDeque;

use super::Lane;
use crate::frame::{Decoder, FrameError, Header, INBOX_BYTES_MAX};

/// A frame that arrived, still in the lane's buffer.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// Its header.
    pub header: Header,
    /// Its payload.
    pub payload: &'a [u8],
}

#[derive(Clone, Copy, Debug)]
struct Waiting {
    header: Header,
    /// Whether it is only to be skipped: seen before, or of another connection or life.
    is_stale: bool,
}

/// The receiving side of a lane.
#[derive(Debug)]
pub struct LaneReceiver {
    life: u32,
    connection: u32,
    /// Frames that are made by the source come here; else those that the target makes.
    from_source: bool,
    decoder: Decoder,
    /// Bytes at the front of the decoder's that were looked at.
    checked: usize,
    waiting: VecDeque<Waiting>,
    /// The number of the next frame to arrive.
    arrived: u64,
    /// The number of the next frame to be applied.
    expected: u64,
}

impl LaneReceiver {
    /// A lane that is not connected.
    pub fn new(life: u32, from_source: bool) -> Self {
        LaneReceiver {
            life,
            connection: 0,
            from_source,
            decoder: Decoder::default(),
            checked: 0,
            waiting: VecDeque::new(),
            arrived: 1,
            expected: 1,
        }
    }

    /// Begins a life in which nothing has arrived.
    pub fn begin(&mut self, life: u32) {
        self.life = life;
        self.expected = 1;
        self.connect(0);
    }

    /// Another connection takes over: what was not applied will come again.
    pub fn connect(&mut self, connection: u32) {
        self.connection = connection;
        self.decoder.clear();
        self.checked = 0;
        self.waiting.clear();
        self.arrived = self.expected;
    }

    /// Takes further bytes, cut anywhere.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        if self.decoder.len() + bytes.len() > INBOX_BYTES_MAX {
            return Err(FrameError::Window);
        }
        self.decoder.push(bytes);
        while let Some(whole) = self.decoder.peek_behind(self.checked)? {
            let (header, frame_bytes) = (whole.header, whole.frame_bytes());
            if header.kind.is_from_source() != self.from_source {
                return Err(FrameError::Unexpected { kind: header.kind });
            }
            let is_stale = self.is_stale(&header)?;
            self.checked += frame_bytes;
            self.waiting.push_back(Waiting { header, is_stale });
        }
        Ok(())
    }

    fn is_stale(&mut self, header: &Header) -> Result<bool, FrameError> {
        let envelope = header.envelope;
        if envelope.life != self.life {
            return Ok(true);
        }
        if !header.kind.is_numbered() {
            return Ok(envelope.connection != self.connection);
        }
        if envelope.number < self.arrived {
            return Ok(true);
        }
        if envelope.number > self.arrived {
            return Err(FrameError::Gap { expected: self.arrived, found: envelope.number });
        }
        self.arrived += 1;
        Ok(false)
    }

    /// The next frame to be dealt with; it stays until it is done.
    pub fn first(&mut self) -> Option<Arrival<'_>> {
        while self.waiting.front()?.is_stale {
            self.done();
        }
        let header = self.waiting.front()?.header;
        Some(Arrival { header, payload: self.decoder.payload(&header) })
    }

    /// The frame at the front was dealt with.
    pub fn done(&mut self) {
        let Some(Waiting { header, is_stale }) = self.waiting.pop_front() else { return };
        if header.kind.is_numbered() && !is_stale {
            assert!(header.envelope.number == self.expected, "frames are applied in order");
            self.expected += 1;
        }
        let frame_bytes = crate::frame::HEADER_BYTES + header.length;
        self.decoder.skip(frame_bytes);
        self.checked -= frame_bytes;
    }

    /// The number of the next frame to be applied: all below are.
    pub fn expected(&self) -> u64 {
        self.expected
    }

    /// The connection that is heard.
    pub fn connection(&self) -> u32 {
        self.connection
    }

    /// Bytes of whole frames that wait. The beginning of one is not counted: a caller that stops reading at a mark would
    /// otherwise wait for ever for a frame that is longer than its mark.
    pub fn inbox_bytes(&self) -> usize {
        self.checked
    }
}

/// One of something for each lane.
#[derive(Clone, Debug, Default)]
pub struct PerLane<T> {
    /// For the delta lane.
    pub delta: T,
    /// For the snapshot lane.
    pub snapshot: T,
}

impl<T> PerLane<T> {
    /// Makes both.
    pub fn of(mut make: impl FnMut(Lane) -> T) -> Self {
        PerLane { delta: make(Lane::Delta), snapshot: make(Lane::Snapshot) }
    }

    /// The one of this lane.
    pub fn on(&mut self, lane: Lane) -> &mut T {
        match lane {
            Lane::Delta => &mut self.delta,
            Lane::Snapshot => &mut self.snapshot,
        }
    }
}
