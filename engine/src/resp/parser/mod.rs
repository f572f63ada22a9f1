//! The request parser: incremental, without copies, never looking at a byte twice.
//!
//! A request is an array of bulk strings or an inline command. The parser works on the bytes that the caller holds and
//! remembers how far it came, relative to the beginning of the frame, so the caller may append to its buffer or move
//! it between two calls but must keep the frame's bytes until the frame is complete. What Redis accepts and refuses is
//! accepted and refused here with the same words; as in Redis, the line break after a bulk string is not looked at.

mod batch;
mod error;
mod limits;
mod quick;

pub use batch::{Batch, Filled, Stop};
pub use error::ProtocolError;
pub use limits::Limits;
pub use quick::first_argument;

use super::arguments::ArgumentRange;

/// The longest inline command and the longest line that holds a count.
pub const LINE_BYTES_MAX: usize = 64 * 1024;

/// Ranges kept allocated between two frames of one connection.
const PENDING_KEPT_MAX: usize = 64;

/// What came of the bytes at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// One more command is in the batch; its frame has `consumed` bytes.
    Command {
        /// Bytes of the frame.
        consumed: usize,
    },
    /// The frame holds no command (`*0`, `*-1`, an empty line) and is skipped.
    Empty {
        /// Bytes of the frame.
        consumed: usize,
    },
    /// The frame is not complete.
    Incomplete {
        /// Bytes that are missing at least, never 0; for a bulk string, all that it still needs.
        needed: usize,
    },
    /// The client does not speak the protocol; the connection is to be closed after this error.
    Error(ProtocolError),
}

/// How far the parser of one connection came in the frame that is arriving.
#[derive(Debug, Default)]
pub struct Parser {
    /// Bytes of the frame that are understood. `parsed <= scanned`.
    parsed: usize,
    /// Bytes of the frame that were looked at; 0 before the first. No line ends in `parsed..scanned`.
    scanned: usize,
    /// Arguments that are still to come; 0 before the count is known.
    remaining: u32,
    /// The length of the argument that comes next, if its line was read.
    bulk: Option<u32>,
    /// The arguments so far.
    pending: Vec<ArgumentRange>,
}

impl Parser {
    /// A parser at the beginning of a frame.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a frame has begun and is not complete.
    pub fn is_inside_frame(&self) -> bool {
        self.scanned != 0
    }

    /// Memory held for the frame that is arriving.
    pub fn memory_bytes(&self) -> usize {
        self.pending.capacity() * size_of::<ArgumentRange>()
    }

    /// Goes on with the frame that begins at `start` of `bytes`; a complete command is appended to `batch`.
    #[inline]
    pub fn next(&mut self, bytes: &[u8], start: usize, limits: &Limits, batch: &mut Batch) -> Progress {
        let frame = &bytes[start..];
        if self.scanned == 0
            && let Some(consumed) = quick::command(frame, start, batch)
        {
            return Progress::Command { consumed };
        }
        self.next_step_by_step(frame, start, limits, batch)
    }

    #[inline(never)]
    fn next_step_by_step(
        &mut self,
        frame: &[u8],
        start: usize,
        limits: &Limits,
        batch: &mut Batch,
    ) -> Progress {
        let progress = match frame.first() {
            None => return Progress::Incomplete { needed: 1 },
            Some(b'*') => self.multibulk(frame, start, limits, batch),
            Some(_) => self.inline(frame, batch),
        };
        match progress {
            Ok(progress @ Progress::Incomplete { .. }) => {
                self.scanned = self.scanned.max(1);
                progress
            }
            Ok(progress) => {
                self.reset();
                progress
            }
            Err(error) => Progress::Error(error),
        }
    }

    fn reset(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        pending.clear();
        pending.shrink_to(PENDING_KEPT_MAX);
        *self = Self { pending, ..Self::default() };
    }

    fn multibulk(
        &mut self,
        frame: &[u8],
        start: usize,
        limits: &Limits,
        batch: &mut Batch,
    ) -> Result<Progress, ProtocolError> {
        if self.remaining == 0 {
            let Some(line) = self.line(frame, b'\r', ProtocolError::TooBigMultibulkCount)? else {
                return Ok(Progress::Incomplete { needed: 1 });
            };
            self.remaining = limits.count(&line[1..])?;
            if self.remaining == 0 {
                return Ok(Progress::Empty { consumed: self.parsed });
            }
        }
        while self.remaining > 0 {
            let len = match self.bulk {
                Some(len) => len,
                None => {
                    let Some(line) = self.line(frame, b'\r', ProtocolError::TooBigBulkCount)? else {
                        return Ok(Progress::Incomplete { needed: 1 });
                    };
                    let len = limits.bulk(line, self.parsed)?;
                    *self.bulk.insert(len)
                }
            };
            let end = self.parsed + len as usize;
            if frame.len() < end + 2 {
                return Ok(Progress::Incomplete { needed: end + 2 - frame.len() });
            }
            self.pending.push(ArgumentRange::new(self.parsed, end));
            self.parsed = end + 2;
            self.scanned = self.parsed;
            self.bulk = None;
            self.remaining -= 1;
        }
        batch.push(start, &self.pending);
        Ok(Progress::Command { consumed: self.parsed })
    }

    fn inline(&mut self, frame: &[u8], batch: &mut Batch) -> Result<Progress, ProtocolError> {
        let Some(line) = self.line(frame, b'\n', ProtocolError::TooBigInline)? else {
            return Ok(Progress::Incomplete { needed: 1 });
        };
        let consumed = self.parsed;
        match batch.push_inline(line.strip_suffix(b"\r").unwrap_or(line)) {
            Err(_) => Err(ProtocolError::UnbalancedQuotes),
            Ok(0) => Ok(Progress::Empty { consumed }),
            Ok(_) => Ok(Progress::Command { consumed }),
        }
    }

    /// The line that begins at `parsed`, without its `end`; `parsed` moves behind it. A line that ends in CR ends
    /// only when one more byte is there, whatever that is.
    fn line<'a>(
        &mut self,
        frame: &'a [u8],
        end: u8,
        too_long: ProtocolError,
    ) -> Result<Option<&'a [u8]>, ProtocolError> {
        let from = self.scanned.max(self.parsed);
        let found = frame[from..].iter().position(|byte| *byte == end).map(|offset| from + offset);
        let line_end = found.unwrap_or(frame.len());
        // Without an end, the line has at least one byte more than what is at hand.
        if line_end - self.parsed > LINE_BYTES_MAX {
            return Err(too_long);
        }
        self.scanned = line_end;
        let width = if end == b'\r' { 2 } else { 1 };
        if found.is_none() || frame.len() < line_end + width {
            return Ok(None);
        }
        let line = &frame[self.parsed..line_end];
        self.parsed = line_end + width;
        self.scanned = self.parsed;
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests;
