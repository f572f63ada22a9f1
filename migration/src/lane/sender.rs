//! The sending side of a lane: frames are numbered, kept until they are acknowledged, and sent again after a cut.

use std::collections::VecDeque;

use crate::frame::{Envelope, Frame, FrameError, Kind, checksum_of, encode_with};

/// Buffers of acknowledged frames that are kept for the next ones: those of a window full of runs.
const SPARE_BUFFERS_MAX: usize = 320;

/// A buffer that grew beyond this is not kept.
const SPARE_BUFFER_BYTES_MAX: usize = 128 * 1024;

/// Why a lane cannot go on where it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LaneError {
    /// The receiver has lost what it had acknowledged: begin from zero.
    Lost,
    /// The receiver expects what was never sent: it is not the one that was spoken to.
    Ahead,
}

/// When a frame was sent, for measuring.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Stamp {
    /// When.
    pub at_us: u64,
    /// Bytes of both lanes that had been acknowledged by then.
    pub delivered: u64,
}

#[derive(Debug)]
struct Kept {
    bytes: Vec<u8>,
    stamp: Stamp,
}

/// What an acknowledgement brought.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Acknowledged {
    /// Bytes of frames.
    pub bytes: u64,
    /// When the last of them was sent.
    pub stamp: Stamp,
}

/// The sending side of a lane.
#[derive(Debug)]
pub struct LaneSender {
    life: u32,
    connection: u32,
    /// The number of the next frame to be made.
    next: u64,
    /// Frames not acknowledged, the last one with the number `next - 1`.
    window: VecDeque<Kept>,
    window_bytes: usize,
    /// The frame in the window that is being put out. `cursor <= window.len()`.
    cursor: usize,
    /// Bytes of it that are out already.
    offset: usize,
    /// Bytes of the frames before the cursor.
    out_bytes: usize,
    /// Whether the receiver has said where to go on.
    is_open: bool,
    /// Frames of the connection, put out before the next one of the window.
    control: Vec<u8>,
    output: Vec<u8>,
    spare: Vec<Vec<u8>>,
    /// Frames below this number were put out before.
    sent_below: u64,
    bytes_sent: u64,
    bytes_sent_again: u64,
    /// The digest of all frames made.
    digest: crate::digest::LaneDigest,
}

impl LaneSender {
    /// A lane of this life that is not connected.
    pub fn new(life: u32) -> Self {
        LaneSender {
            life,
            connection: 0,
            next: 1,
            window: VecDeque::new(),
            window_bytes: 0,
            cursor: 0,
            offset: 0,
            out_bytes: 0,
            is_open: false,
            control: Vec::new(),
            output: Vec::new(),
            spare: Vec::new(),
            sent_below: 1,
            bytes_sent: 0,
            bytes_sent_again: 0,
            digest: crate::digest::LaneDigest::default(),
        }
    }

    /// Begins a life in which nothing was sent yet. What is unacknowledged is forgotten; it counts as sent again.
    pub fn begin(&mut self, life: u32) {
        self.close();
        self.life = life;
        self.next = 1;
        self.sent_below = 1;
        while let Some(kept) = self.window.pop_front() {
            self.recycle(kept.bytes);
        }
        self.window_bytes = 0;
        self.digest = crate::digest::LaneDigest::default();
    }

    /// The connection is gone.
    pub fn close(&mut self) {
        self.is_open = false;
        self.rewind();
        self.control.clear();
        self.output.clear();
    }

    /// A connection is there; its first frame is this.
    pub fn greet(&mut self, connection: u32, hello: &Frame<'_>) {
        self.close();
        self.connection = connection;
        self.put_control(hello);
    }

    /// The receiver says where to go on.
    pub fn open(&mut self, expected: u64) -> Result<Acknowledged, LaneError> {
        if expected < self.acknowledged() {
            return Err(LaneError::Lost);
        }
        if expected > self.sent_below {
            return Err(LaneError::Ahead);
        }
        self.rewind();
        self.is_open = true;
        Ok(self.release(expected))
    }

    fn rewind(&mut self) {
        self.cursor = 0;
        self.offset = 0;
        self.out_bytes = 0;
    }

    /// The receiver has everything below this number.
    pub fn acknowledge(&mut self, expected: u64) -> Result<Acknowledged, FrameError> {
        let out_below = self.next - (self.window.len() - self.cursor) as u64;
        if expected > out_below {
            return Err(FrameError::Acknowledgement { expected });
        }
        Ok(self.release(expected))
    }

    fn release(&mut self, expected: u64) -> Acknowledged {
        let mut acknowledged = Acknowledged::default();
        while self.acknowledged() < expected {
            let kept = self.window.pop_front().expect("numbers below the next one are in the window");
            if self.cursor > 0 {
                self.cursor -= 1;
                self.out_bytes -= kept.bytes.len();
            }
            self.window_bytes -= kept.bytes.len();
            acknowledged.bytes += kept.bytes.len() as u64;
            acknowledged.stamp = kept.stamp;
            self.recycle(kept.bytes);
        }
        acknowledged
    }

    fn recycle(&mut self, mut bytes: Vec<u8>) {
        if self.spare.len() < SPARE_BUFFERS_MAX && bytes.capacity() <= SPARE_BUFFER_BYTES_MAX {
            bytes.clear();
            self.spare.push(bytes);
        }
    }

    /// Makes a numbered frame whose payload `fill` appends; gives its number. If `fill` says that there is nothing to
    /// send, there is no frame.
    pub fn push_with(&mut self, kind: Kind, fill: impl FnOnce(&mut Vec<u8>) -> bool) -> Option<u64> {
        let number = self.next;
        let mut bytes = self.spare.pop().unwrap_or_default();
        let envelope = Envelope { number, life: self.life, connection: self.connection };
        if !encode_with(kind, envelope, &mut bytes, fill) {
            self.recycle(bytes);
            return None;
        }
        self.next += 1;
        self.window_bytes += bytes.len();
        self.digest.add(checksum_of(&bytes));
        self.window.push_back(Kept { bytes, stamp: Stamp::default() });
        Some(number)
    }

    /// Makes a numbered frame; gives its number.
    pub fn push(&mut self, frame: &Frame<'_>) -> u64 {
        self.push_with(frame.kind(), |out| {
            frame.put_payload(out);
            true
        })
        .expect("there is something to send")
    }

    /// Makes a frame of the connection.
    pub fn put_control(&mut self, frame: &Frame<'_>) {
        frame.encode(Envelope { number: 0, life: self.life, connection: self.connection }, &mut self.control);
    }

    /// Puts out frames of the connection, and then up to `bytes_max` bytes of the window; gives how many bytes went out
    /// in all. A frame may be cut anywhere.
    pub fn flush(&mut self, bytes_max: usize, now_us: u64, delivered: u64) -> usize {
        let mut left = bytes_max;
        let mut bytes = 0;
        loop {
            if self.offset == 0 && !self.control.is_empty() {
                bytes += self.control.len();
                left = left.saturating_sub(self.control.len());
                self.output.append(&mut self.control);
            }
            if !self.is_open || left == 0 {
                break;
            }
            let number = self.next - (self.window.len() - self.cursor) as u64;
            let Some(kept) = self.window.get_mut(self.cursor) else { break };
            let part = &kept.bytes[self.offset..];
            let part = &part[..part.len().min(left)];
            self.output.extend_from_slice(part);
            self.offset += part.len();
            left -= part.len();
            bytes += part.len();
            if number < self.sent_below {
                self.bytes_sent_again += part.len() as u64;
            }
            if self.offset == kept.bytes.len() {
                kept.stamp = Stamp { at_us: now_us, delivered };
                self.offset = 0;
                self.cursor += 1;
                self.out_bytes += kept.bytes.len();
                self.sent_below = self.sent_below.max(number + 1);
            }
        }
        self.bytes_sent += bytes as u64;
        bytes
    }

    /// Bytes to be sent; the caller takes what is there.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Everything below this number was acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.next - self.window.len() as u64
    }

    /// Bytes that were made and not acknowledged.
    pub fn window_bytes(&self) -> usize {
        self.window_bytes
    }

    /// Bytes that were made and are not out on this connection.
    pub fn unsent_bytes(&self) -> usize {
        self.window_bytes - self.out_bytes - self.offset
    }

    /// Whether the receiver has said where to go on.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// The connection that frames are made for.
    pub fn connection(&self) -> u32 {
        self.connection
    }

    /// Bytes put out in all, and how many of them once more.
    pub fn bytes_sent(&self) -> (u64, u64) {
        (self.bytes_sent, self.bytes_sent_again)
    }

    /// The digest of all frames made so far.
    pub fn digest(&self) -> u64 {
        self.digest.value()
    }
}
