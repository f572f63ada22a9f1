//! Buffers that carry lanes: filled, sent where they lie, and filled again.
//!
//! A buffer of this size has a mapping of its own, so a new one for every piece would cost a page fault for every 4 KiB of
//! a move, which is as much as the copying itself.

use std::cell::RefCell;
use std::rc::Rc;

use whimbrel_migration::OUTPUT_BYTES_MAX;

/// What a machine may put out beyond its limit: frames of the connection.
const SLACK_BYTES: usize = 16 * 1024;

/// Buffers that are kept for the next pieces: those of two lanes, filled, waiting and in flight.
const KEPT_MAX: usize = 8;

/// The spare buffers of a core.
#[derive(Clone, Default)]
pub struct LaneBuffers {
    shared: Rc<RefCell<Spare>>,
}

#[derive(Default)]
struct Spare {
    buffers: Vec<Vec<u8>>,
    /// Whether something moves, so that buffers which come back are kept.
    is_wanted: bool,
}

impl LaneBuffers {
    /// An empty buffer with room for all that a machine puts out at once.
    pub fn take(&self) -> Vec<u8> {
        let mut spare = self.shared.borrow_mut();
        spare.is_wanted = true;
        spare.buffers.pop().unwrap_or_else(|| Vec::with_capacity(OUTPUT_BYTES_MAX + SLACK_BYTES))
    }

    /// Takes back a buffer that is done with.
    pub fn put(&self, mut bytes: Vec<u8>) {
        let mut spare = self.shared.borrow_mut();
        if spare.is_wanted && is_of_a_lane(&bytes) && spare.buffers.len() < KEPT_MAX {
            bytes.clear();
            spare.buffers.push(bytes);
        }
    }

    /// A buffer that comes back when its bytes were sent.
    pub fn lend(&self, bytes: Vec<u8>) -> Lent {
        Lent { bytes, buffers: self.clone() }
    }

    /// Gives the memory back, and that of buffers in flight when they come back.
    pub fn clear(&self) {
        *self.shared.borrow_mut() = Spare::default();
    }
}

/// Whether a buffer was made here, for a lane.
pub fn is_of_a_lane(bytes: &Vec<u8>) -> bool {
    (OUTPUT_BYTES_MAX..=2 * OUTPUT_BYTES_MAX).contains(&bytes.capacity())
}

/// A buffer in flight.
pub struct Lent {
    bytes: Vec<u8>,
    buffers: LaneBuffers,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.buffers.put(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_when_they_were_sent() {
        let buffers = LaneBuffers::default();
        let mut bytes = buffers.take();
        bytes.extend_from_slice(b"piece");
        let place = bytes.as_ptr();
        let lent = buffers.lend(bytes);
        assert_eq!(lent.as_ref(), b"piece");
        drop(lent);
        let again = buffers.take();
        assert!(again.is_empty() && again.as_ptr() == place);
        buffers.put(vec![0; 10]);
        assert!(buffers.take().capacity() >= OUTPUT_BYTES_MAX);
        (0..2 * KEPT_MAX).for_each(|_| buffers.put(Vec::with_capacity(OUTPUT_BYTES_MAX)));
        assert_eq!(buffers.shared.borrow().buffers.len(), KEPT_MAX);
        let late = buffers.lend(buffers.take());
        buffers.clear();
        drop(late);
        assert!(buffers.shared.borrow().buffers.is_empty());
    }
}
