//! Processor instructions that have no safe form: comparing sixteen bytes at once, and prefetching.

/// Which of sixteen bytes, low to high, equal `byte`, as bits.
#[inline]
pub fn equal_bytes(low: u64, high: u64, byte: u8) -> u16 {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8};
        // SAFETY: SSE2 is part of every x86-64 processor; so for the three below.
        let bytes = unsafe { _mm_set_epi64x(high as i64, low as i64) };
        // SAFETY: SSE2, as above.
        let wanted = unsafe { _mm_set1_epi8(byte as i8) };
        // SAFETY: SSE2, as above.
        let equal = unsafe { _mm_cmpeq_epi8(bytes, wanted) };
        // SAFETY: SSE2, as above.
        (unsafe { _mm_movemask_epi8(equal) }) as u16
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let bytes = (u128::from(high) << 64 | u128::from(low)).to_le_bytes();
        (0..16).filter(|index| bytes[*index] == byte).fold(0, |bits, index| bits | 1 << index)
    }
}

/// Asks the processor to fetch the cache line at an address.
#[inline]
pub fn prefetch<T>(target: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch never faults, whatever the address.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(target.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = target;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_are_found_at_their_places() {
        assert_eq!(equal_bytes(0x0102_0304_0506_0702, 0x0200_0000_0000_0002, 2), 0b1000_0001_0100_0001);
        assert_eq!(equal_bytes(0, 0, 0), 0xffff);
    }
}
