//! The provided-buffer ring: where the kernel puts what it receives.
//!
//! A buffer belongs to the kernel from `publish` until a completion names it, and to the reactor from then until the
//! next `publish`; [`Filled`] is the right to read it, and exists once.

use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

use super::mapping::Mapping;
use crate::error::RingError;
use crate::ring::{Filled, Ring, explain};

/// Distance that keeps the first lines of neighbouring buffers in different cache sets.
const COLOUR_BYTES: usize = 64;

/// The buffers of one group of one reactor.
pub(crate) struct ProvidedBuffers {
    entries: Mapping,
    memory: Mapping,
    /// A power of two.
    count: u16,
    size: u32,
    /// Buffers published so far, modulo 2^16; the kernel reads it from the ring.
    tail: u16,
}

impl ProvidedBuffers {
    /// Maps `count` buffers (a power of two) of `size` bytes, registers them as `group` and publishes all.
    pub fn register(ring: &Ring, group: u16, count: u16, size: u32) -> Result<Self, RingError> {
        assert!(count.is_power_of_two() && count <= 1 << 15, "the kernel takes powers of two up to 32768");
        assert!(size > 0, "a buffer holds at least one byte");
        let entries = Mapping::new(usize::from(count) * size_of::<BufRingEntry>()).map_err(explain)?;
        let memory = Mapping::new(usize::from(count) * stride(size)).map_err(explain)?;
        let start = entries.start() as u64;
        // SAFETY: `entries` is page-aligned, holds `count` entries, and outlives the ring's use of it: the reactor drops
        // the ring first, when nothing runs on it any more.
        let registered = unsafe { ring.submitter().register_buf_ring_with_flags(start, count, group, 0) };
        registered.map_err(explain)?;
        let mut buffers = Self { entries, memory, count, size, tail: 0 };
        for buffer in 0..count {
            buffers.publish(Filled { buffer, length: 0 });
        }
        Ok(buffers)
    }

    /// What the kernel wrote.
    pub fn bytes<'a>(&'a self, filled: &'a Filled) -> &'a [u8] {
        let length = filled.length.min(self.size) as usize;
        let start = self.start(filled.buffer);
        // SAFETY: the buffer lies inside `memory`, is zeroed or written, and is ours while its `Filled` exists.
        unsafe { std::slice::from_raw_parts(start, length) }
    }

    /// Gives a buffer back to the kernel.
    pub fn publish(&mut self, filled: Filled) {
        let address = self.start(filled.buffer) as u64;
        let place = usize::from(self.tail & (self.count - 1));
        let first = self.entries.start().cast::<BufRingEntry>();
        // SAFETY: `place < count`, so the entry lies inside `entries`.
        let entry = unsafe { first.add(place) };
        // SAFETY: the kernel reads entries between head and tail only; this one lies beyond the tail.
        let entry = unsafe { &mut *entry };
        entry.set_addr(address);
        entry.set_len(self.size);
        entry.set_bid(filled.buffer);
        self.tail = self.tail.wrapping_add(1);
        // SAFETY: `first` is the ring's first entry, zeroed and aligned; its reserved field is the ring's tail.
        let tail = unsafe { BufRingEntry::tail(first) };
        // SAFETY: the tail is aligned, lives as long as `entries`, and we are its only writer.
        let tail = unsafe { AtomicU16::from_ptr(tail.cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }

    /// Gives back what there is to give back.
    pub fn publish_all(&mut self, filled: Option<Filled>) {
        if let Some(filled) = filled {
            self.publish(filled);
        }
    }

    /// Never unmaps the memory: the kernel did not say that it is done with it.
    pub fn leak(&mut self) {
        self.entries.leak();
        self.memory.leak();
    }

    /// Memory set aside in bytes; only touched pages are paid for.
    pub fn mapped_bytes(&self) -> usize {
        self.entries.length() + self.memory.length()
    }

    fn start(&self, buffer: u16) -> *mut u8 {
        assert!(buffer < self.count, "the kernel named a buffer it was never given");
        let offset = usize::from(buffer) * stride(self.size);
        // SAFETY: `buffer < count`, so the offset lies inside `memory`.
        unsafe { self.memory.start().add(offset) }
    }
}

fn stride(size: u32) -> usize {
    (size as usize).next_multiple_of(COLOUR_BYTES) + COLOUR_BYTES
}
