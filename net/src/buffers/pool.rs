//! Output buffers that wait for their next connection, so that a busy core allocates nothing and an idle one holds little.

use super::outgoing::Outgoing;

/// Buffers that grew beyond this are freed instead of kept.
pub(crate) const OUTPUT_KEPT_BYTES_MAX: usize = 32 << 10;
/// Buffers of each kind kept at most; connections with output in one loop beyond it allocate theirs.
const POOLED_MAX: usize = 256;
/// The first capacity of an output buffer.
const OUTPUT_FIRST_BYTES: usize = 1 << 10;

/// Free output buffers of one reactor.
#[derive(Default)]
pub(crate) struct OutputPool {
    #[expect(clippy::vec_box, reason = "a connection holds the box: one pointer while it is idle")]
    outgoings: Vec<Box<Outgoing>>,
    vectors: Vec<Vec<u8>>,
}

impl OutputPool {
    /// An empty queue of outgoing bytes.
    pub fn outgoing(&mut self) -> Box<Outgoing> {
        self.outgoings.pop().unwrap_or_default()
    }

    /// Takes back an empty queue.
    pub fn put_outgoing(&mut self, outgoing: Box<Outgoing>) {
        assert!(outgoing.pending_bytes() == 0, "bytes that nobody sent");
        if self.outgoings.len() < POOLED_MAX {
            self.outgoings.push(outgoing);
        }
    }

    /// An empty buffer.
    pub fn vector(&mut self) -> Vec<u8> {
        self.vectors.pop().unwrap_or_else(|| Vec::with_capacity(OUTPUT_FIRST_BYTES))
    }

    /// Takes back a buffer whose bytes were sent.
    pub fn put_vector(&mut self, mut vector: Vec<u8>) {
        if vector.capacity() <= OUTPUT_KEPT_BYTES_MAX && self.vectors.len() < POOLED_MAX {
            vector.clear();
            self.vectors.push(vector);
        }
    }
}
