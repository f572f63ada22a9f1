//! The system's allocator, which large strings and buffers come from: memory of theirs goes back when it is freed.

/// Allocations from this size on get a mapping of their own, which is given back as soon as they are freed.
const OWN_MAPPING_BYTES: i32 = 128 * 1024;

/// Keeps the system's allocator from holding freed large allocations back. To be called once, before threads start.
///
/// Left to itself, glibc raises the size from which an allocation gets its own mapping with every large one that is freed,
/// up to 32 MiB, and what then lies on the heap may stay there for good.
pub fn return_freed_mappings() {
    #[cfg(target_env = "gnu")]
    // SAFETY: `mallopt` changes a number of the allocator's own; no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
    }
}
