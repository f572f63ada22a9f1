//! What bytes come to on a link between nodes: each segment carries headers.
//!
//! The kernel decides where it cuts. At most each piece that it is given begins a segment of its own, and full segments follow.

/// Bytes of an Ethernet frame's payload, less IPv6 and TCP headers with timestamps: the least that a full segment carries.
const SEGMENT_BYTES: usize = 1428;

/// Those headers, and Ethernet's.
pub const HEADER_BYTES: usize = 86;

/// What a piece of a lane comes to.
pub fn with_headers(bytes: usize) -> usize {
    bytes + bytes.div_ceil(SEGMENT_BYTES) * HEADER_BYTES
}

/// The largest piece that comes to no more than `bytes`; a byte at least, so that the smallest cap lets something through.
pub fn without_headers(bytes: usize) -> usize {
    const FULL_BYTES: usize = SEGMENT_BYTES + HEADER_BYTES;
    let rest = (bytes % FULL_BYTES).saturating_sub(HEADER_BYTES);
    (bytes / FULL_BYTES * SEGMENT_BYTES + rest).max(bytes.min(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_segment_has_headers() {
        for (bytes, all) in [(0, 0), (1, 87), (1428, 1514), (1429, 1601), (14_280, 15_140)] {
            assert_eq!((with_headers(bytes), without_headers(all)), (all, bytes));
        }
        assert_eq!((without_headers(1), without_headers(86), without_headers(1514 + 86)), (1, 1, 1428));
    }

    proptest! {
        #[test]
        fn what_fits_is_not_more_than_fits(bytes in HEADER_BYTES + 1..1 << 40) {
            let fits = without_headers(bytes);
            prop_assert!(with_headers(fits) <= bytes && with_headers(fits + 1) > bytes);
        }
    }
}
