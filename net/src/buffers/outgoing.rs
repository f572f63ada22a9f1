//! The bytes one connection still has to send, in order: buffers written here, and pinned bytes sent without a copy.
//!
//! Between [`Outgoing::take_off`] and [`Outgoing::land`] the kernel may read the segments of the flight: they are neither
//! moved nor freed, whatever else is appended. Dropping an `Outgoing` in flight leaks them rather than free them.

use std::collections::VecDeque;

use super::pool::{OUTPUT_KEPT_BYTES_MAX, OutputPool};
use crate::ring::{Completion, Errno, Operation, Settled};

/// Segments that one send gathers at most.
const GATHERED_MAX: usize = 64;
/// Bytes that one send takes at most; the kernel's own bound lies at 2 GiB.
const FLIGHT_BYTES_MAX: usize = 1 << 30;

enum Segment {
    Written(Vec<u8>),
    Pinned { owner: Box<dyn AsRef<[u8]>>, start: *const u8, length: usize },
}

impl Segment {
    fn length(&self) -> usize {
        match self {
            Self::Written(bytes) => bytes.len(),
            Self::Pinned { length, .. } => *length,
        }
    }

    fn start(&self) -> *const u8 {
        match self {
            Self::Written(bytes) => bytes.as_ptr(),
            Self::Pinned { start, .. } => *start,
        }
    }
}

/// A send as the ring needs it.
pub(crate) enum Flight {
    /// One run of bytes.
    Plain { start: *const u8, length: u32 },
    /// Several runs, listed by the header.
    Gathered { header: *const libc::msghdr },
}

/// Evidence that the kernel no longer reads a flight.
pub(crate) enum Landing<'a> {
    /// The send completed visibly.
    Completed(&'a Completion),
    /// The optimistic send had no completion although all of them were reaped: it sent everything.
    Silent(Settled),
}

struct Gather {
    header: libc::msghdr,
    vectors: [libc::iovec; GATHERED_MAX],
}

/// What one connection still has to send.
#[derive(Default)]
pub(crate) struct Outgoing {
    /// What this turn appends; joins the queue at the flush.
    output: Vec<u8>,
    queue: VecDeque<Segment>,
    /// Bytes of the queue's first segment already sent. 0 ≤ front_sent < its length.
    front_sent: usize,
    /// Bytes of the queue that are still to be sent, those in flight included.
    queued_bytes: usize,
    /// Bytes the kernel may be reading now; 0 when nothing flies. flight_bytes ≤ queued_bytes.
    flight_bytes: usize,
    gather: Option<Box<Gather>>,
}

impl Outgoing {
    /// The buffer that replies are appended to.
    pub fn output(&mut self, pool: &mut OutputPool) -> &mut Vec<u8> {
        if self.output.capacity() == 0 {
            self.output = pool.vector();
        }
        &mut self.output
    }

    /// Queues bytes that stay where they are, behind what was appended so far.
    pub fn pin(&mut self, owner: Box<dyn AsRef<[u8]>>) {
        self.seal();
        // The box does not move its contents, and a shared borrow handed out by a value that nobody can borrow
        // mutably stays valid as long as the value itself.
        let bytes = (*owner).as_ref();
        let (start, length) = (bytes.as_ptr(), bytes.len());
        if length > 0 {
            self.queued_bytes += length;
            self.queue.push_back(Segment::Pinned { owner, start, length });
        }
    }

    /// Bytes not yet taken by the kernel.
    pub fn pending_bytes(&self) -> usize {
        self.queued_bytes + self.output.len()
    }

    /// Whether the kernel may be reading some of it.
    pub fn is_flying(&self) -> bool {
        self.flight_bytes > 0
    }

    /// Bytes the kernel may be reading now.
    pub fn flight_bytes(&self) -> usize {
        self.flight_bytes
    }

    /// Gives the front of the queue to the kernel. The caller submits it, and calls `land` when it is done.
    pub fn take_off(&mut self) -> Flight {
        assert!(!self.is_flying(), "one send at a time keeps the bytes in order");
        self.seal();
        assert!(self.queued_bytes > 0, "nothing to send");
        if let [only] = self.queue.as_slices().0
            && self.queue.len() == 1
        {
            let length = (only.length() - self.front_sent).min(FLIGHT_BYTES_MAX);
            // SAFETY: front_sent is less than the segment's length.
            let start = unsafe { only.start().add(self.front_sent) };
            self.flight_bytes = length;
            return Flight::Plain { start, length: length as u32 };
        }
        self.gather()
    }

    fn gather(&mut self) -> Flight {
        let gather = self.gather.get_or_insert_with(|| {
            Box::new(Gather {
                // SAFETY: all-zero is a valid `msghdr`: null pointers and zero lengths.
                header: unsafe { std::mem::zeroed() },
                vectors: [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 }; GATHERED_MAX],
            })
        });
        let (mut skip, mut used, mut bytes) = (self.front_sent, 0, 0);
        for (segment, vector) in self.queue.iter().zip(&mut gather.vectors) {
            let length = (segment.length() - skip).min(FLIGHT_BYTES_MAX - bytes);
            // SAFETY: skip is less than the segment's length: front_sent for the first, 0 for the others.
            let start = unsafe { segment.start().add(skip) };
            *vector = libc::iovec { iov_base: start.cast_mut().cast(), iov_len: length };
            (skip, used, bytes) = (0, used + 1, bytes + length);
            if bytes == FLIGHT_BYTES_MAX {
                break;
            }
        }
        gather.header.msg_iov = gather.vectors.as_mut_ptr();
        gather.header.msg_iovlen = used;
        self.flight_bytes = bytes;
        Flight::Gathered { header: &raw const gather.header }
    }

    /// Ends the flight: drops what was sent and answers how much that was.
    pub fn land(&mut self, landing: &Landing<'_>, pool: &mut OutputPool) -> Result<usize, Errno> {
        let sent = match landing {
            Landing::Completed(completion) => {
                assert!(
                    matches!(completion.operation(), Operation::Send | Operation::SendOptimistic),
                    "only a send ends a flight"
                );
                completion.result()
            }
            Landing::Silent(_) => Ok(self.flight_bytes),
        };
        let flown = std::mem::take(&mut self.flight_bytes);
        let sent = sent?;
        assert!(sent <= flown, "the kernel sent more than it was given");
        self.queued_bytes -= sent;
        self.front_sent += sent;
        while let Some(front) = self.queue.front()
            && self.front_sent >= front.length()
        {
            self.front_sent -= front.length();
            match self.queue.pop_front() {
                Some(Segment::Written(bytes)) => self.recycle(bytes, pool),
                Some(Segment::Pinned { owner, .. }) => drop(owner),
                None => break,
            }
        }
        Ok(sent)
    }

    /// Keeps a sent buffer for this connection's next output, or gives it to the pool.
    fn recycle(&mut self, mut bytes: Vec<u8>, pool: &mut OutputPool) {
        if self.output.capacity() == 0 && bytes.capacity() <= OUTPUT_KEPT_BYTES_MAX {
            bytes.clear();
            self.output = bytes;
        } else {
            pool.put_vector(bytes);
        }
    }

    /// Forgets everything that is not in flight; false when something is.
    pub fn discard(&mut self) -> bool {
        if self.is_flying() {
            return false;
        }
        *self = Self::default();
        true
    }

    fn seal(&mut self) {
        if !self.output.is_empty() {
            self.queued_bytes += self.output.len();
            self.queue.push_back(Segment::Written(std::mem::take(&mut self.output)));
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if self.is_flying() {
            std::mem::forget(std::mem::take(&mut self.queue));
            std::mem::forget(self.gather.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes of a flight, as the kernel would read them.
    fn read(flight: &Flight) -> Vec<u8> {
        let mut bytes = Vec::new();
        match flight {
            Flight::Plain { start, length } => {
                // SAFETY: the outgoing that made the flight keeps these bytes until it lands.
                bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(*start, *length as usize) });
            }
            Flight::Gathered { header } => {
                // SAFETY: as above, for the header.
                let header = unsafe { &**header };
                // SAFETY: as above, for the list of runs.
                let vectors = unsafe { std::slice::from_raw_parts(header.msg_iov, header.msg_iovlen) };
                for vector in vectors {
                    // SAFETY: as above, for each run.
                    let run =
                        unsafe { std::slice::from_raw_parts(vector.iov_base.cast::<u8>(), vector.iov_len) };
                    bytes.extend_from_slice(run);
                }
            }
        }
        bytes
    }

    fn completed(sent: i32) -> Completion {
        let user_data = 4 << 32; // Operation::Send
        Completion::for_test(user_data, sent)
    }

    #[test]
    fn order_survives_pins_and_short_sends() {
        let mut pool = OutputPool::default();
        let mut outgoing = Outgoing::default();
        outgoing.output(&mut pool).extend_from_slice(b"ab");
        outgoing.pin(Box::new(*b"CDE"));
        outgoing.pin(Box::new(*b""));
        outgoing.output(&mut pool).extend_from_slice(b"fg");
        let (mut received, mut expected) = (Vec::new(), b"abCDEfg".to_vec());
        assert_eq!(outgoing.pending_bytes(), 7);
        for (step, sent) in [1, 3, 0, 2].into_iter().enumerate() {
            let flight = read(&outgoing.take_off());
            assert_eq!(flight, expected[received.len()..], "step {step}");
            received.extend_from_slice(&flight[..sent]);
            outgoing.output(&mut pool).push(b'0' + step as u8);
            expected.push(b'0' + step as u8);
            assert_eq!(outgoing.land(&Landing::Completed(&completed(sent as i32)), &mut pool), Ok(sent));
            assert_eq!(outgoing.pending_bytes(), expected.len() - received.len());
        }
        received.extend_from_slice(&read(&outgoing.take_off()));
        assert_eq!(received, expected);
    }

    #[test]
    fn a_failed_send_keeps_its_bytes() {
        let mut pool = OutputPool::default();
        let mut outgoing = Outgoing::default();
        outgoing.output(&mut pool).extend_from_slice(b"abc");
        let _ = outgoing.take_off();
        assert!(outgoing.is_flying());
        assert!(!outgoing.discard());
        let again = outgoing.land(&Landing::Completed(&completed(-libc::EAGAIN)), &mut pool);
        assert_eq!(again, Err(Errno(libc::EAGAIN)));
        assert_eq!(read(&outgoing.take_off()), b"abc");
        assert_eq!(outgoing.land(&Landing::Completed(&completed(3)), &mut pool), Ok(3));
        assert_eq!(outgoing.pending_bytes(), 0);
        assert!(outgoing.output.capacity() > 0, "the buffer stays for the next output");
    }

    #[test]
    fn more_segments_than_one_send_gathers() {
        let mut pool = OutputPool::default();
        let mut outgoing = Outgoing::default();
        let expected: Vec<u8> = (0..200).collect();
        for byte in &expected {
            outgoing.pin(Box::new([*byte]));
        }
        let mut received = Vec::new();
        while outgoing.pending_bytes() > 0 {
            let flight = read(&outgoing.take_off());
            received.extend_from_slice(&flight);
            assert_eq!(
                outgoing.land(&Landing::Completed(&completed(flight.len() as i32)), &mut pool),
                Ok(flight.len())
            );
        }
        assert_eq!(received, expected);
    }
}
