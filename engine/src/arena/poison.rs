//! Tells AddressSanitizer which arena memory is in use, when built with `--cfg arena_poison`; otherwise nothing.

#[cfg(arena_poison)]
mod sanitizer {
    unsafe extern "C" {
        pub fn __asan_poison_memory_region(address: *const u8, size: usize);
        pub fn __asan_unpoison_memory_region(address: *const u8, size: usize);
    }
}

/// No access to this range is right from now on.
#[inline]
pub fn poison(address: *const u8, size: usize) {
    #[cfg(arena_poison)]
    // SAFETY: the range is the arena's; the call changes only the sanitizer's shadow of it.
    unsafe {
        sanitizer::__asan_poison_memory_region(address, size);
    }
    let _ = (address, size);
}

/// Accesses to this range are right again.
#[inline]
pub fn unpoison(address: *const u8, size: usize) {
    #[cfg(arena_poison)]
    // SAFETY: as in `poison`.
    unsafe {
        sanitizer::__asan_unpoison_memory_region(address, size);
    }
    let _ = (address, size);
}
