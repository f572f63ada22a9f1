//! Commands that were parsed and wait to be run, so that a pipeline can be hashed and prefetched together.

use super::{Limits, Parser, Progress, ProtocolError};
use crate::resp::arguments::{ArgumentRange, Arguments};
use crate::resp::inline::{Unbalanced, split_inline};

/// Memory kept between two batches; one core needs one batch, so this is per core.
const RANGES_KEPT_MAX: usize = 64 * 1024;
const WORDS_KEPT_MAX: usize = 64 * 1024;

/// Commands in the order of their arrival: ranges into the caller's bytes.
#[derive(Debug, Default)]
pub struct Batch {
    frames: Vec<Frame>,
    ranges: Vec<ArgumentRange>,
    /// The words of inline commands, unquoted.
    words: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    /// Where the frame begins: in the caller's bytes, or in `words`.
    start: usize,
    is_inline: bool,
    ranges_first: u32,
    ranges_end: u32,
}

/// Why `Batch::fill` stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The batch holds as many commands as were asked for.
    Full,
    /// The next frame is not complete: at least so many bytes are missing.
    Incomplete {
        /// Bytes that are missing at least, never 0.
        needed: usize,
    },
    /// What follows the commands in the batch is not the protocol.
    Error(ProtocolError),
}

/// What `Batch::fill` did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// Bytes of complete frames: the caller may drop them once the batch has run.
    pub consumed: usize,
    /// Why it went no further.
    pub stop: Stop,
}

impl Batch {
    /// Parses commands from `bytes` until there are `commands_max` in the batch. The batch is to be empty.
    pub fn fill(
        &mut self,
        parser: &mut Parser,
        bytes: &[u8],
        limits: &Limits,
        commands_max: usize,
    ) -> Filled {
        debug_assert!(self.is_empty(), "a batch belongs to one buffer");
        let commands_max = if limits.may_run_ahead() { commands_max } else { commands_max.min(1) };
        let mut consumed = 0;
        let stop = loop {
            if self.frames.len() >= commands_max {
                break Stop::Full;
            }
            match parser.next(bytes, consumed, limits, self) {
                Progress::Command { consumed: frame } | Progress::Empty { consumed: frame } => {
                    consumed += frame
                }
                Progress::Incomplete { needed } => break Stop::Incomplete { needed },
                Progress::Error(error) => break Stop::Error(error),
            }
        };
        Filled { consumed, stop }
    }

    /// How many commands there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The arguments of command `index`, out of the bytes that the batch was filled from.
    #[inline]
    pub fn arguments<'a>(&'a self, bytes: &'a [u8], index: usize) -> Arguments<'a> {
        let frame = self.frames[index];
        let bytes = if frame.is_inline { &self.words } else { bytes };
        Arguments::new(
            &bytes[frame.start..],
            &self.ranges[frame.ranges_first as usize..frame.ranges_end as usize],
        )
    }

    /// Forgets the commands; memory is kept unless a batch was very large.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.ranges.clear();
        self.ranges.shrink_to(RANGES_KEPT_MAX);
        self.words.clear();
        self.words.shrink_to(WORDS_KEPT_MAX);
    }

    /// Appends a command whose frame begins at `start` of the caller's bytes.
    pub(super) fn push(&mut self, start: usize, ranges: &[ArgumentRange]) {
        let mark = self.mark();
        self.ranges.extend_from_slice(ranges);
        self.close(start, mark);
    }

    /// Appends an inline command; answers how many words it has. With none, nothing is appended.
    pub(super) fn push_inline(&mut self, line: &[u8]) -> Result<usize, Unbalanced> {
        let (mark, start) = (self.mark(), self.words.len());
        if let Err(unbalanced) = split_inline(line, start, &mut self.words, &mut self.ranges) {
            self.back_to(mark);
            return Err(unbalanced);
        }
        let count = self.ranges.len() - mark as usize;
        if count > 0 {
            self.close(start, mark);
            self.frames.last_mut().expect("a frame was just closed").is_inline = true;
        }
        Ok(count)
    }

    /// Where the ranges of the next command begin.
    #[inline]
    pub(super) fn mark(&self) -> u32 {
        self.ranges.len() as u32
    }

    #[inline]
    pub(super) fn push_range(&mut self, range: ArgumentRange) {
        self.ranges.push(range);
    }

    /// Drops the ranges since `mark`.
    #[inline]
    pub(super) fn back_to(&mut self, mark: u32) {
        self.ranges.truncate(mark as usize);
    }

    /// Makes a command of the ranges since `mark`.
    #[inline]
    pub(super) fn close(&mut self, start: usize, mark: u32) {
        self.frames.push(Frame { start, is_inline: false, ranges_first: mark, ranges_end: self.mark() });
    }
}
