//! The quick lane: a whole small frame at once, without state.
//!
//! Up to nine arguments of up to 999 bytes, all of them there: nearly every command that a cache sees. Whatever does
//! not fit is left to the parser that goes step by step.

use super::batch::Batch;
use crate::resp::arguments::ArgumentRange;

/// Appends the command that `frame` begins with to `batch`; answers the frame's length, or none if it does not fit.
#[inline]
pub fn command(frame: &[u8], start: usize, batch: &mut Batch) -> Option<usize> {
    let [b'*', count @ b'1'..=b'9', b'\r', b'\n', ..] = frame else { return None };
    let mark = batch.mark();
    let mut at = 4;
    for _ in 0..count - b'0' {
        let Some(range) = argument(frame, at) else {
            batch.back_to(mark);
            return None;
        };
        at = range.range().end + 2;
        batch.push_range(range);
    }
    batch.close(start, mark);
    Some(at)
}

/// The argument behind the name of the command that `frame` begins with, if both are there and short enough.
#[inline]
pub fn first_argument(frame: &[u8]) -> Option<&[u8]> {
    let [b'*', b'2'..=b'9', b'\r', b'\n', ..] = frame else { return None };
    let name = argument(frame, 4)?;
    let first = argument(frame, name.range().end + 2)?;
    Some(&frame[first.range()])
}

/// The argument whose line begins at `at`, if all of it and its line break are there.
#[inline(always)]
fn argument(frame: &[u8], at: usize) -> Option<ArgumentRange> {
    const fn digit(byte: u8) -> usize {
        (byte - b'0') as usize
    }
    // No argument is shorter than `$0`, its line break, and one more.
    let (from, len) = match frame.get(at..)?.first_chunk::<6>()? {
        [b'$', a @ b'0'..=b'9', b'\r', b'\n', _, _] => (at + 4, digit(*a)),
        [b'$', a @ b'1'..=b'9', b @ b'0'..=b'9', b'\r', b'\n', _] => (at + 5, digit(*a) * 10 + digit(*b)),
        [b'$', a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b'\r', b'\n'] => {
            (at + 6, digit(*a) * 100 + digit(*b) * 10 + digit(*c))
        }
        _ => return None,
    };
    let end = from + len;
    (end + 2 <= frame.len()).then(|| ArgumentRange::new(from, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_argument_is_found_where_it_is_short_and_there() {
        assert_eq!(first_argument(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\nmore"), Some(&b"k"[..]));
        assert_eq!(first_argument(b"*3\r\n$3\r\nSET\r\n$2\r\nkk\r\n$9"), Some(&b"kk"[..]));
        let others: [&[u8]; 7] = [
            b"",
            b"*1\r\n$4\r\nPING\r\n",
            b"*2\r\n$3\r\nGET\r\n$1\r\nk",
            b"*2\r\n$3\r\nGET\r\n",
            b"*2\r\n$-1\r\n$1\r\nk\r\n",
            b"GET k\r\n",
            b"*2\r\n$999\r\nGET\r\n$1\r\nk\r\n",
        ];
        others.iter().for_each(|frame| assert_eq!(first_argument(frame), None));
    }
}
