//! A tap on the source's lanes: what is sent again (I5), and what is sent without being acknowledged (I6).

use std::collections::VecDeque;

use whimbrel_migration::frame::{HEADER_BYTES, Kind, WINDOW_BYTES_MAX};
use whimbrel_migration::{Decoder, Frame, Lane};

use crate::network::ConnectionId;

/// What a tap knows of one lane.
#[derive(Default, Debug)]
struct Tap {
    connection: Option<ConnectionId>,
    decoder: Decoder,
    back: Decoder,
    life: u32,
    /// The highest number that was sent in this life.
    highest: u64,
    /// Bytes of each numbered frame that is not acknowledged.
    unacknowledged: VecDeque<(u64, u64)>,
    unacknowledged_bytes: u64,
    /// Bytes that went again on this connection.
    again_here: u64,
    again: u64,
    /// The longest frame that went.
    frame_bytes_max: u64,
}

/// When a batch began from zero, and whether that was right.
#[derive(Clone, Copy, Debug)]
struct Began {
    life: u32,
    forgotten: u64,
}

/// The taps of both lanes of a batch.
#[derive(Default, Debug)]
pub struct Resends {
    taps: [Tap; 2],
    began: Option<Began>,
    text: Option<String>,
}

/// What the tap is told of the world when bytes go.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// How often the target has let go of a batch by right: its process died, it said that it dropped what it had, or it took the source
    /// for gone, is no heir any more, and goes on with nothing of that life.
    pub forgotten: u64,
    /// What a lane may have unacknowledged.
    pub window_bytes: u64,
}

impl Resends {
    /// Bytes go on a lane.
    pub fn sent(&mut self, lane: Lane, connection: ConnectionId, bytes: &[u8], around: Surroundings) {
        let tap = &mut self.taps[lane.index()];
        if tap.connection != Some(connection) {
            tap.connection = Some(connection);
            tap.decoder.clear();
            tap.back.clear();
            tap.again_here = 0;
        }
        tap.decoder.push(bytes);
        let mut life_begun = None;
        while let Ok(Some(whole)) = tap.decoder.peek() {
            let (kind, envelope, length) =
                (whole.header.kind, whole.header.envelope, HEADER_BYTES + whole.payload.len());
            tap.decoder.skip(length);
            if kind == Kind::Hello && envelope.life > tap.life {
                tap.begin_life(envelope.life);
                life_begun = Some(envelope.life);
            }
            if envelope.number > 0 && envelope.life == tap.life {
                tap.numbered(envelope.number, length as u64);
            }
        }
        if tap.again_here > around.window_bytes + tap.frame_bytes_max {
            let again = tap.again_here;
            self.complain(format!("{again} bytes went again on one connection of the {lane:?} lane"));
        }
        if let Some(life) = life_begun {
            self.life_begun(life, around);
        }
    }

    /// A batch began from zero: the target must have forgotten it by right.
    fn life_begun(&mut self, life: u32, around: Surroundings) {
        if self.began.is_some_and(|began| life > began.life && began.forgotten == around.forgotten) {
            self.complain("the batch began from zero, though the target had forgotten nothing".to_owned());
        }
        if self.began.is_none_or(|began| life > began.life) {
            self.began = Some(Began { life, forgotten: around.forgotten });
        }
    }

    /// Bytes come back on a lane.
    pub fn heard(&mut self, lane: Lane, bytes: &[u8]) {
        let tap = &mut self.taps[lane.index()];
        tap.back.push(bytes);
        while let Ok(Some(whole)) = tap.back.peek() {
            let (kind, envelope, length) =
                (whole.header.kind, whole.header.envelope, HEADER_BYTES + whole.payload.len());
            let expected = match Frame::read(kind, whole.payload) {
                Ok(Frame::Ack { expected }) => Some(expected),
                Ok(Frame::Welcome(welcome)) => Some(welcome.expected),
                _ => None,
            };
            tap.back.skip(length);
            if let Some(expected) = expected.filter(|_| envelope.life == tap.life) {
                tap.acknowledged(expected);
            }
        }
    }

    /// Bytes of both lanes that went again.
    pub fn bytes_again(&self) -> u64 {
        self.taps.iter().map(|tap| tap.again).sum()
    }

    /// Unacknowledged bytes of a lane, and the longest frame, by which a window may be exceeded.
    pub fn unacknowledged(&self, lane: Lane) -> (u64, u64) {
        let tap = &self.taps[lane.index()];
        (tap.unacknowledged_bytes, tap.frame_bytes_max)
    }

    /// What did not hold.
    pub fn take_complaint(&mut self) -> Option<String> {
        self.text.take()
    }

    fn complain(&mut self, text: String) {
        self.text.get_or_insert(text);
    }
}

impl Tap {
    fn begin_life(&mut self, life: u32) {
        self.life = life;
        self.highest = 0;
        self.unacknowledged.clear();
        self.unacknowledged_bytes = 0;
    }

    fn numbered(&mut self, number: u64, bytes: u64) {
        debug_assert!(bytes < 2 * WINDOW_BYTES_MAX as u64, "frames are bounded");
        self.frame_bytes_max = self.frame_bytes_max.max(bytes);
        if number <= self.highest {
            self.again += bytes;
            self.again_here += bytes;
            return;
        }
        self.highest = number;
        self.unacknowledged.push_back((number, bytes));
        self.unacknowledged_bytes += bytes;
    }

    fn acknowledged(&mut self, expected: u64) {
        while self.unacknowledged.front().is_some_and(|(number, _)| *number < expected) {
            let (_, bytes) = self.unacknowledged.pop_front().expect("it was just seen");
            self.unacknowledged_bytes -= bytes;
        }
    }
}
