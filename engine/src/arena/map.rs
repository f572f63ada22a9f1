//! The address range of one arena: reserved once, backed by the kernel as it is touched.
//!
//! Every reference into the arena is a 32-bit count of 8-byte units from the base. The reservation covers all values that
//! such a reference can have, plus [`SPAN_BYTES_MAX`] behind the last, so an access of at most that many bytes through any
//! reference whatever lies inside memory that the arena owns. Memory that was never written reads as zeros. That is what
//! makes the typed accessors safe without a bounds check.

use std::ptr::NonNull;
use std::sync::Arc;

use bytemuck::Pod;

use super::class::UNIT_BYTES;
use super::{ArenaError, Ref};

/// The longest access through one reference.
pub const SPAN_BYTES_MAX: usize = 128 * 1024;

/// Bytes that 32-bit references can name: 32 GiB.
pub const ADDRESSABLE_BYTES: usize = (1 << 32) * UNIT_BYTES;

/// What huge pages are asked in: regions of 2 MiB.
pub const REGION_BYTES: usize = 2 * 1024 * 1024;

const RESERVED_BYTES: usize = ADDRESSABLE_BYTES + SPAN_BYTES_MAX + REGION_BYTES;

/// A range of addresses that is ours until this is dropped.
#[derive(Debug)]
pub struct Reservation {
    reserved: NonNull<u8>,
    /// `reserved` rounded up to a region, so that huge pages line up.
    base: NonNull<u8>,
}

// SAFETY: a reservation hands out no references; it names a range, and what it does to the range (advice that changes no
// contents that anything uses) may be done by any thread.
unsafe impl Send for Reservation {}
// SAFETY: as above.
unsafe impl Sync for Reservation {}

/// A private, anonymous, lazily backed mapping of [`ADDRESSABLE_BYTES`] and its tail.
#[derive(Debug)]
pub struct Mapping {
    reservation: Arc<Reservation>,
    /// That of the reservation.
    base: NonNull<u8>,
}

impl Reservation {
    /// Asks for huge pages, once for all: each time would take the lock that every page fault needs, and whoever holds it may
    /// have to wait for a CPU. A kernel that has none goes on with small ones.
    fn prefer_huge(&self) {
        // SAFETY: the range is inside our own anonymous mapping; the advice does not change its contents.
        unsafe { libc::madvise(self.base.as_ptr().cast(), ADDRESSABLE_BYTES, libc::MADV_HUGEPAGE) };
    }

    /// Has the kernel back a region with a huge page, as a write would, but without one: what stands there stays, and the
    /// arena may use the region meanwhile.
    pub fn back(&self, region_index: usize) {
        let offset = region_index * REGION_BYTES;
        assert!(offset + REGION_BYTES <= ADDRESSABLE_BYTES, "region {region_index} lies outside the arena");
        // SAFETY: the offset is inside the reservation, as asserted.
        let address = unsafe { self.base.add(offset) };
        // SAFETY: the range is inside our own anonymous mapping; the call does not change its contents.
        unsafe { libc::madvise(address.as_ptr().cast(), REGION_BYTES, libc::MADV_POPULATE_WRITE) };
    }

    /// Gives the memory behind a range of bytes, which nothing uses, back to the kernel; it reads as zeros afterwards.
    pub fn release(&self, offset: usize, length: usize) {
        assert!(offset + length <= ADDRESSABLE_BYTES, "range {offset}+{length} lies outside the arena");
        // SAFETY: the offset is inside the reservation, as asserted.
        let address = unsafe { self.base.add(offset) };
        // SAFETY: the range is inside our own anonymous mapping, and the arena hands out nothing there meanwhile. What a stale
        // reference reads are the bytes or zeros, and either is valid for every type that the accessors hand out.
        unsafe { libc::madvise(address.as_ptr().cast(), length, libc::MADV_DONTNEED) };
    }
}

impl Mapping {
    /// Reserves the range. Nothing is backed by memory yet.
    pub fn reserve() -> Result<Mapping, ArenaError> {
        // SAFETY: an anonymous mapping at an address of the kernel's choosing touches no memory that is in use.
        let address = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                RESERVED_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if address == libc::MAP_FAILED {
            return Err(ArenaError::Reserve);
        }
        let reserved = NonNull::new(address.cast::<u8>()).ok_or(ArenaError::Reserve)?;
        let skip = reserved.as_ptr().align_offset(REGION_BYTES);
        assert!(skip < REGION_BYTES, "a byte pointer can always be aligned to a region");
        // SAFETY: `skip` is less than REGION_BYTES, which the reservation has to spare behind its addressable part.
        let base = unsafe { reserved.add(skip) };
        let reservation = Arc::new(Reservation { reserved, base });
        reservation.prefer_huge();
        Ok(Mapping { reservation, base })
    }

    /// The range, for threads that back regions of it ahead and return what is free.
    pub fn reservation(&self) -> Arc<Reservation> {
        Arc::clone(&self.reservation)
    }

    /// Whether there is such a region.
    pub fn has_region(region_index: usize) -> bool {
        (region_index + 1) * REGION_BYTES <= ADDRESSABLE_BYTES
    }

    fn address(&self, at: Ref) -> NonNull<u8> {
        // SAFETY: every 32-bit reference lies inside the reservation (see the module's documentation).
        unsafe { self.base.add(at.0 as usize * UNIT_BYTES) }
    }

    /// The address behind a reference, for poisoning and prefetching; it is never dereferenced there.
    pub fn pointer(&self, at: Ref) -> *const u8 {
        self.address(at).as_ptr()
    }

    /// The value of a plain type at a reference.
    #[inline]
    pub fn get<T: Pod>(&self, at: Ref) -> &T {
        const { assert!(size_of::<T>() <= SPAN_BYTES_MAX && align_of::<T>() <= UNIT_BYTES) };
        // SAFETY: in range and aligned (units are 8 bytes), initialised (the mapping starts as zeros), valid for any bit
        // pattern (Pod), and `&self` keeps writers away.
        unsafe { self.address(at).cast::<T>().as_ref() }
    }

    /// The same, to be changed.
    #[inline]
    pub fn get_mut<T: Pod>(&mut self, at: Ref) -> &mut T {
        const { assert!(size_of::<T>() <= SPAN_BYTES_MAX && align_of::<T>() <= UNIT_BYTES) };
        // SAFETY: as in `get`; `&mut self` makes the access exclusive.
        unsafe { self.address(at).cast::<T>().as_mut() }
    }

    /// `count` values of a plain type at a reference.
    #[inline]
    pub fn slice<T: Pod>(&self, at: Ref, count: usize) -> &[T] {
        const { assert!(align_of::<T>() <= UNIT_BYTES) };
        assert!(count.saturating_mul(size_of::<T>()) <= SPAN_BYTES_MAX, "a slice of {count} is too long");
        // SAFETY: the length is at most SPAN_BYTES_MAX, hence in range; the rest as in `get`.
        unsafe { std::slice::from_raw_parts(self.address(at).cast::<T>().as_ptr(), count) }
    }

    /// The same, to be changed.
    #[inline]
    pub fn slice_mut<T: Pod>(&mut self, at: Ref, count: usize) -> &mut [T] {
        const { assert!(align_of::<T>() <= UNIT_BYTES) };
        assert!(count.saturating_mul(size_of::<T>()) <= SPAN_BYTES_MAX, "a slice of {count} is too long");
        // SAFETY: the length is at most SPAN_BYTES_MAX, hence in range; `&mut self` makes it exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.address(at).cast::<T>().as_ptr(), count) }
    }

    /// Copies `length` bytes from one place to another; the two may overlap.
    #[inline]
    pub fn copy(&mut self, from: Ref, to: Ref, length: usize) {
        assert!(length <= SPAN_BYTES_MAX, "a copy of {length} bytes is too long");
        let source = self.address(from).as_ptr();
        let target = self.address(to).as_ptr();
        // SAFETY: both ranges are in the mapping, as above, and `copy` allows overlap.
        unsafe { std::ptr::copy(source, target, length) };
    }

    /// Copies `bytes`, which may lie in this very mapping's past, behind `at`.
    #[inline]
    pub fn write(&mut self, at: Ref, offset: usize, bytes: &[u8]) {
        self.slice_mut::<u8>(at, offset + bytes.len())[offset..].copy_from_slice(bytes);
    }

    /// Asks the processor to fetch the cache line at a reference.
    #[inline]
    pub fn prefetch(&self, at: Ref) {
        super::simd::prefetch(self.pointer(at));
    }

    /// The same for an allocation of so many bytes. Beyond a few lines the processor sees the pattern by itself.
    #[inline]
    pub fn prefetch_whole(&self, at: Ref, bytes: usize) {
        const BYTES_MAX: usize = 1024;
        const LINE_UNITS: u32 = 8;
        let units = (bytes.min(BYTES_MAX) / UNIT_BYTES) as u32;
        (0..units)
            .step_by(LINE_UNITS as usize)
            .for_each(|unit| self.prefetch(Ref(at.0.saturating_add(unit))));
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `reserve` with this length, and nothing can refer to it any more.
        unsafe { libc::munmap(self.reserved.as_ptr().cast(), RESERVED_BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_reference_reads_zeros_before_it_is_written() {
        let mapping = Mapping::reserve().expect("address space");
        assert_eq!(*mapping.get::<u64>(Ref(u32::MAX)), 0);
        assert_eq!(mapping.slice::<u8>(Ref(7), 100), &[0; 100]);
    }

    #[test]
    fn released_memory_reads_zeros_again() {
        let mut mapping = Mapping::reserve().expect("address space");
        mapping.write(Ref(512), 3, b"whimbrel");
        assert_eq!(&mapping.slice::<u8>(Ref(512), 11)[3..], b"whimbrel");
        mapping.reservation().release(4096, 4096);
        assert_eq!(mapping.slice::<u8>(Ref(512), 11), &[0; 11]);
    }

    #[test]
    fn copies_may_overlap() {
        let mut mapping = Mapping::reserve().expect("address space");
        mapping.write(Ref(1), 0, b"0123456789abcdef");
        mapping.copy(Ref(1), Ref(2), 16);
        assert_eq!(mapping.slice::<u8>(Ref(2), 16), b"0123456789abcdef");
    }
}
