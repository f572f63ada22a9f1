//! LZF, the compression of strings inside records.
//!
//! A compressed string is a row of two kinds of parts:
//!
//! ```text
//! 000LLLLL <L + 1 bytes>            copy the L + 1 bytes that follow
//! LLLooooo oooooooo                 copy L + 2 bytes from o + 1 bytes back, 1 <= L <= 6
//! 111ooooo LLLLLLLL oooooooo        copy L + 9 bytes from o + 1 bytes back
//! ```

use super::RecordError;

const LITERALS_MAX: usize = 32;
const MATCH_MIN: usize = 3;
const MATCH_MAX: usize = 264;
const DISTANCE_MAX: usize = 1 << 13;

/// More output than this per compressed byte is impossible: three bytes make at most `MATCH_MAX`.
const EXPANSION_MAX: usize = MATCH_MAX / 3;

const TABLE_BITS: u32 = 14;
const TABLE_SIZE: usize = 1 << TABLE_BITS;

/// After this many positions without a match the search takes longer steps, so that data which does not compress costs
/// little.
const MISSES_PER_STEP_BITS: u32 = 6;

/// Compresses strings one after the other.
///
/// The table of earlier positions survives from one string to the next without being cleared: positions count on over
/// all strings, and whatever lies before the present one does not count. So a short string costs no more than its bytes.
pub struct Compressor {
    /// Where three bytes with this hash stood last, in positions over all strings.
    table: Box<[u32; TABLE_SIZE]>,
    /// The position of the next string's first byte. Positions below it belong to earlier strings.
    base: u32,
}

impl Default for Compressor {
    fn default() -> Self {
        Self::new()
    }
}

impl Compressor {
    /// A compressor that has seen nothing. It takes 64 KiB.
    #[must_use]
    pub fn new() -> Self {
        Self { table: Box::new([0; TABLE_SIZE]), base: 1 }
    }

    /// Appends `input` in compressed form to `out` and returns true, or leaves `out` as it was and returns false if that
    /// would take more than `size_max` bytes.
    pub fn compress(&mut self, input: &[u8], size_max: usize, out: &mut Vec<u8>) -> bool {
        let Some(base) = self.claim(input.len()) else { return false };
        let start = out.len();
        let mut literals_from = 0;
        let mut at = 0;
        let mut misses = 0;
        while at + MATCH_MIN <= input.len() {
            let Some(source) = self.exchange(base, input, at) else {
                at += 1 + (misses >> MISSES_PER_STEP_BITS);
                misses += 1;
                continue;
            };
            let length = common_length(input, source, at);
            append_literals(out, &input[literals_from..at]);
            append_match(out, at - source, length);
            if out.len() - start > size_max {
                break;
            }
            at += length;
            literals_from = at;
            misses = 0;
            for passed in at - 2..at {
                if passed + MATCH_MIN <= input.len() {
                    self.table[slot(input, passed)] = base + passed as u32;
                }
            }
        }
        let tail = &input[literals_from..];
        let fits = out.len() - start + tail.len() + tail.len().div_ceil(LITERALS_MAX) <= size_max;
        if fits {
            append_literals(out, tail);
        } else {
            out.truncate(start);
        }
        fits
    }

    /// The position of the first byte of a string of `size` bytes. None if a string is too long to have positions.
    fn claim(&mut self, size: usize) -> Option<u32> {
        let size = u32::try_from(size).ok().filter(|size| *size < u32::MAX / 2)?;
        if self.base.checked_add(size).is_none() {
            self.table.fill(0);
            self.base = 1;
        }
        let base = self.base;
        self.base += size;
        Some(base)
    }

    /// Notes that the bytes at `at` stand there. Returns where the same three bytes stood before, if near enough.
    fn exchange(&mut self, base: u32, input: &[u8], at: usize) -> Option<usize> {
        let entry = &mut self.table[slot(input, at)];
        let before = std::mem::replace(entry, base + at as u32);
        let source = before.checked_sub(base)? as usize;
        let near = at - source <= DISTANCE_MAX;
        let same = input[source..source + MATCH_MIN] == input[at..at + MATCH_MIN];
        (near && same).then_some(source)
    }
}

fn slot(input: &[u8], at: usize) -> usize {
    let three = u32::from_le_bytes([input[at], input[at + 1], input[at + 2], 0]);
    (three.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)) as usize
}

/// How many bytes from `source` and from `at` on are the same, at most what one part can copy.
fn common_length(input: &[u8], source: usize, at: usize) -> usize {
    let ahead = &input[at..input.len().min(at + MATCH_MAX)];
    let behind = &input[source..source + ahead.len()];
    let (blocks_ahead, tail_ahead) = ahead.as_chunks::<8>();
    let (blocks_behind, tail_behind) = behind.as_chunks::<8>();
    let mut length = 0;
    for (left, right) in blocks_ahead.iter().zip(blocks_behind) {
        let difference = u64::from_le_bytes(*left) ^ u64::from_le_bytes(*right);
        if difference != 0 {
            return length + difference.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    length + tail_ahead.iter().zip(tail_behind).take_while(|(left, right)| left == right).count()
}

fn append_literals(out: &mut Vec<u8>, bytes: &[u8]) {
    for run in bytes.chunks(LITERALS_MAX) {
        out.push(run.len() as u8 - 1);
        out.extend_from_slice(run);
    }
}

fn append_match(out: &mut Vec<u8>, distance: usize, length: usize) {
    assert!((MATCH_MIN..=MATCH_MAX).contains(&length));
    assert!((1..=DISTANCE_MAX).contains(&distance));
    let offset = distance - 1;
    let high = (offset >> 8) as u8;
    match length - 2 {
        short @ 1..=6 => out.push((short as u8) << 5 | high),
        long => out.extend([7 << 5 | high, (long - 7) as u8]),
    }
    out.push(offset as u8);
}

/// The `size` bytes that `input` was made of. Allocates nothing that `input` could not fill.
pub fn decompress(input: &[u8], size: usize) -> Result<Vec<u8>, RecordError> {
    if size > input.len().saturating_mul(EXPANSION_MAX) {
        return Err(RecordError::Malformed);
    }
    let mut out = Vec::with_capacity(size);
    let mut rest = input;
    while let Some((control, after)) = rest.split_first() {
        rest = if *control < LITERALS_MAX as u8 {
            let count = usize::from(*control) + 1;
            let (literals, after) = after.split_at_checked(count).ok_or(RecordError::Truncated)?;
            if count > size - out.len() {
                return Err(RecordError::Malformed);
            }
            out.extend_from_slice(literals);
            after
        } else {
            copy_back(*control, after, size, &mut out)?
        };
    }
    if out.len() == size { Ok(out) } else { Err(RecordError::Malformed) }
}

/// Carries out one copy from earlier output. Returns what follows it in the input.
fn copy_back<'a>(
    control: u8,
    input: &'a [u8],
    size: usize,
    out: &mut Vec<u8>,
) -> Result<&'a [u8], RecordError> {
    let (extra, offset_low, rest) = match (control >> 5, input) {
        (7, [extra, low, rest @ ..]) => (*extra, *low, rest),
        (1..7, [low, rest @ ..]) => (0, *low, rest),
        _ => return Err(RecordError::Truncated),
    };
    let distance = (usize::from(control & 0x1f) << 8 | usize::from(offset_low)) + 1;
    let mut left = usize::from(control >> 5) + usize::from(extra) + 2;
    if left > size - out.len() {
        return Err(RecordError::Malformed);
    }
    let source = out.len().checked_sub(distance).ok_or(RecordError::Malformed)?;
    // Source and target may overlap: what is copied in one round can be copied again in the next.
    while left > 0 {
        let count = left.min(out.len() - source);
        out.extend_from_within(source..source + count);
        left -= count;
    }
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compressed(input: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        assert!(Compressor::new().compress(input, usize::MAX, &mut out));
        out
    }

    #[test]
    fn known_forms() {
        let cases: [(&[u8], &[u8]); 4] = [
            (b"", b""),
            (b"a", b"\0a"),
            (b"abcabcabc", b"\x02abc\x80\x02"),
            (b"aaaaaaaaaaaaaaaaaaaa", b"\0a\xe0\x0a\0"),
        ];
        for (plain, packed) in cases {
            assert_eq!(compressed(plain), packed);
            assert_eq!(decompress(packed, plain.len()).as_deref(), Ok(plain));
        }
    }

    #[test]
    fn long_runs_take_almost_nothing() {
        let plain = vec![b'x'; 1 << 20];
        let packed = compressed(&plain);
        assert!(packed.len() < plain.len() / 80, "{} bytes", packed.len());
        assert_eq!(decompress(&packed, plain.len()), Ok(plain));
    }

    #[test]
    fn output_over_the_limit_leaves_nothing() {
        let mut out = b"before".to_vec();
        let plain: Vec<u8> = (0..=255).collect();
        assert!(!Compressor::new().compress(&plain, 252, &mut out));
        assert_eq!(out, b"before");
    }

    #[test]
    fn earlier_strings_are_never_matched() {
        let mut compressor = Compressor::new();
        let mut first = Vec::new();
        let mut second = Vec::new();
        assert!(compressor.compress(b"a string seen twice", 99, &mut first));
        assert!(compressor.compress(b"a string seen twice", 99, &mut second));
        assert_eq!(first, second);
    }

    #[test]
    fn positions_start_again_before_they_run_out() {
        let mut compressor = Compressor::new();
        let plain = b"abcabcabcabcabcabc";
        let mut out = Vec::new();
        compressor.compress(plain, 99, &mut out);
        compressor.base = u32::MAX - 5;
        let mut again = Vec::new();
        assert!(compressor.compress(plain, 99, &mut again));
        assert_eq!(out, again);
        assert_eq!(compressor.base, 1 + plain.len() as u32);
    }

    #[test]
    fn hostile_input_is_refused() {
        let cases: [(&[u8], usize, RecordError); 9] = [
            (b"", 1, RecordError::Malformed),
            (b"\0a", usize::MAX, RecordError::Malformed),
            (b"\0a", 2, RecordError::Malformed),
            (b"\x01ab", 1, RecordError::Malformed),
            (b"\x05ab", 6, RecordError::Truncated),
            (b"\0a\x20", 4, RecordError::Truncated),
            (b"\0a\xe0\x01", 12, RecordError::Truncated),
            (b"\0a\x20\x01", 4, RecordError::Malformed),
            (b"\0a\xe0\xff\0", 20, RecordError::Malformed),
        ];
        for (input, size, error) in cases {
            assert_eq!(decompress(input, size), Err(error), "{input:?}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(words in prop::collection::vec(prop::collection::vec(0_u8..4, 0..40), 0..200)) {
            let plain = words.concat();
            let packed = compressed(&plain);
            prop_assert_eq!(decompress(&packed, plain.len()), Ok(plain));
        }

        #[test]
        fn round_trip_of_noise(plain in prop::collection::vec(any::<u8>(), 0..20_000)) {
            let packed = compressed(&plain);
            prop_assert!(packed.len() <= plain.len() + plain.len() / 32 + 1);
            prop_assert_eq!(decompress(&packed, plain.len()), Ok(plain));
        }

        #[test]
        fn any_bytes_are_safe(input in prop::collection::vec(any::<u8>(), 0..200), size in 0_usize..4000) {
            if let Ok(plain) = decompress(&input, size) {
                prop_assert_eq!(plain.len(), size);
            }
        }
    }
}
