//! One direction of a connection: bytes in order, late, at a bandwidth, and perhaps cut off or spoilt.

use std::collections::VecDeque;

use crate::dice::Dice;

/// How a stream treats what is sent.
#[derive(Clone, Debug)]
pub struct StreamNature {
    /// Least time that bytes are under way.
    pub delay_us: u64,
    /// What is added to it for each segment, at most.
    pub jitter_us: u64,
    /// Bytes per second that get through.
    pub bandwidth: u64,
    /// Longest segment that is delivered in one piece.
    pub segment_bytes_max: usize,
    /// Bytes that may be under way before the sender has to wait.
    pub buffer_bytes: usize,
    /// The byte behind which the connection is cut.
    pub cut_behind: Option<u64>,
    /// The byte in which a bit flips.
    pub spoilt: Option<u64>,
}

/// Bytes that arrive together.
#[derive(Debug)]
struct Segment {
    arrives_us: u64,
    bytes: Vec<u8>,
}

/// What became of bytes that were sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sent {
    /// They are under way.
    Whole,
    /// The connection was cut within them; what was before the cut is under way.
    Cut,
}

/// One direction of a connection.
#[derive(Debug)]
pub struct Stream {
    nature: StreamNature,
    under_way: VecDeque<Segment>,
    under_way_bytes: usize,
    sent_bytes: u64,
    /// When the line is free for the next byte.
    free_us: u64,
    last_us: u64,
    is_cut: bool,
}

impl Stream {
    /// A stream without bytes.
    pub fn new(nature: StreamNature) -> Stream {
        Stream {
            nature,
            under_way: VecDeque::new(),
            under_way_bytes: 0,
            sent_bytes: 0,
            free_us: 0,
            last_us: 0,
            is_cut: false,
        }
    }

    /// Bytes that may be sent before the sender has to wait.
    pub fn room(&self) -> usize {
        self.nature.buffer_bytes.saturating_sub(self.under_way_bytes)
    }

    /// Sends bytes; tells at what times there will be something to take.
    pub fn send(&mut self, bytes: &[u8], now_us: u64, dice: &mut Dice, arrivals: &mut Vec<u64>) -> Sent {
        if self.is_cut {
            return Sent::Cut;
        }
        let end = self.sent_bytes + bytes.len() as u64;
        let kept = match self.nature.cut_behind {
            Some(cut) if cut < end => {
                self.is_cut = true;
                &bytes[..(cut - self.sent_bytes) as usize]
            }
            _ => bytes,
        };
        let mut kept = kept.to_vec();
        let spoilt = self.nature.spoilt.and_then(|at| at.checked_sub(self.sent_bytes));
        if let Some(byte) = spoilt.and_then(|at| kept.get_mut(at as usize)) {
            *byte ^= 1 << dice.below(8);
        }
        self.sent_bytes += kept.len() as u64;
        let mut rest = &kept[..];
        while !rest.is_empty() {
            let length = (1 + dice.index(self.nature.segment_bytes_max)).min(rest.len());
            let (segment, behind) = rest.split_at(length);
            rest = behind;
            self.free_us = self.free_us.max(now_us) + length as u64 * 1_000_000 / self.nature.bandwidth;
            let arrives_us = self.free_us + self.nature.delay_us + dice.below(self.nature.jitter_us + 1);
            self.last_us = self.last_us.max(arrives_us);
            arrivals.push(self.last_us);
            self.under_way_bytes += length;
            self.under_way.push_back(Segment { arrives_us: self.last_us, bytes: segment.to_vec() });
        }
        if self.is_cut { Sent::Cut } else { Sent::Whole }
    }

    /// Takes what has arrived.
    pub fn take(&mut self, now_us: u64, into: &mut Vec<u8>) {
        while self.under_way.front().is_some_and(|segment| segment.arrives_us <= now_us) {
            let segment = self.under_way.pop_front().expect("it was just seen");
            self.under_way_bytes -= segment.bytes.len();
            into.extend_from_slice(&segment.bytes);
        }
    }

    /// When the last byte arrives, or has arrived.
    pub fn last_us(&self) -> u64 {
        self.last_us
    }

    /// Loses what is under way, and everything that will be sent.
    pub fn cut(&mut self) {
        self.is_cut = true;
        self.under_way.clear();
        self.under_way_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nature() -> StreamNature {
        StreamNature {
            delay_us: 50,
            jitter_us: 500,
            bandwidth: 1_000_000,
            segment_bytes_max: 7,
            buffer_bytes: 1000,
            cut_behind: None,
            spoilt: None,
        }
    }

    fn through(nature: StreamNature, bytes: &[u8]) -> (Sent, Vec<u8>, u64) {
        let (mut stream, mut dice, mut arrivals) = (Stream::new(nature), Dice::new(3, 0), Vec::new());
        let sent = stream.send(bytes, 0, &mut dice, &mut arrivals);
        let (mut taken, mut last) = (Vec::new(), 0);
        assert!(arrivals.is_sorted());
        for at in arrivals {
            stream.take(at, &mut taken);
            last = at;
        }
        (sent, taken, last)
    }

    #[test]
    fn bytes_arrive_in_order_and_no_faster_than_the_line() {
        let bytes: Vec<u8> = (0..200).collect();
        let (sent, taken, last) = through(nature(), &bytes);
        assert_eq!((sent, taken), (Sent::Whole, bytes));
        assert!(last >= 250);
    }

    #[test]
    fn a_cut_leaves_what_was_before_it() {
        let bytes: Vec<u8> = (0..200).collect();
        let (sent, taken, _) = through(StreamNature { cut_behind: Some(77), ..nature() }, &bytes);
        assert_eq!((sent, &taken[..]), (Sent::Cut, &bytes[..77]));
    }

    #[test]
    fn one_bit_is_spoilt() {
        let bytes = [0u8; 100];
        let (_, taken, _) = through(StreamNature { spoilt: Some(50), ..nature() }, &bytes);
        assert_eq!(taken.iter().map(|byte| byte.count_ones()).sum::<u32>(), 1);
        assert_ne!(taken[50], 0);
    }
}
