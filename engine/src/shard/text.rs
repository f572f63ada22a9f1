//! Text: a string value as a reader sees it, however it is stored.

use std::borrow::Cow;
use std::ops::Range;

use crate::large::LargeString;

/// A string value.
#[derive(Clone, Copy, Debug)]
pub enum Text<'a> {
    /// In one piece.
    Bytes(&'a [u8]),
    /// A 64-bit integer; its text is its only decimal form.
    Integer(i64),
    /// In chunks outside the pages.
    Large(&'a LargeString),
}

impl<'a> Text<'a> {
    /// Its length in bytes.
    pub fn len(&self) -> usize {
        match self {
            Text::Bytes(bytes) => bytes.len(),
            Text::Integer(value) => Decimal::of(*value).as_bytes().len(),
            Text::Large(string) => string.len(),
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The integer, if it is one in its only form.
    pub fn integer(&self) -> Option<i64> {
        match self {
            Text::Integer(value) => Some(*value),
            Text::Bytes(bytes) => crate::number::parse_i64(bytes),
            Text::Large(_) => None,
        }
    }

    /// The bytes in one piece; copied if they are not.
    pub fn bytes(&self) -> Cow<'a, [u8]> {
        match self {
            Text::Bytes(bytes) => Cow::Borrowed(bytes),
            Text::Integer(value) => Cow::Owned(Decimal::of(*value).as_bytes().to_vec()),
            Text::Large(string) => Cow::Owned(self.large_range(string, 0..string.len())),
        }
    }

    /// The bytes of a range that lies within the text.
    pub fn range(&self, range: Range<usize>) -> Cow<'a, [u8]> {
        match self {
            Text::Bytes(bytes) => Cow::Borrowed(&bytes[range]),
            Text::Integer(value) => Cow::Owned(Decimal::of(*value).as_bytes()[range].to_vec()),
            Text::Large(string) => Cow::Owned(self.large_range(string, range)),
        }
    }

    /// Shows the bytes piece by piece, without copying.
    pub fn for_each_piece(&self, mut show: impl FnMut(&[u8])) {
        match self {
            Text::Bytes(bytes) => show(bytes),
            Text::Integer(value) => show(Decimal::of(*value).as_bytes()),
            Text::Large(string) => string.range(0..string.len()).for_each(show),
        }
    }

    fn large_range(&self, string: &LargeString, range: Range<usize>) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(range.len());
        string.range(range).for_each(|piece| bytes.extend_from_slice(piece));
        bytes
    }
}

/// The decimal form of a 64-bit integer.
#[derive(Clone, Copy, Debug)]
pub struct Decimal {
    bytes: [u8; 20],
    start: u8,
}

impl Decimal {
    /// The form of a value.
    pub fn of(value: i64) -> Decimal {
        let mut bytes = [0; 20];
        let mut start = bytes.len();
        let mut rest = value.unsigned_abs();
        loop {
            start -= 1;
            bytes[start] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            start -= 1;
            bytes[start] = b'-';
        }
        Decimal { bytes, start: start as u8 }
    }

    /// The digits, with the sign.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[usize::from(self.start)..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_match_the_standard_library() {
        for value in [0, 1, -1, 9, 10, 12345, i64::MAX, i64::MIN] {
            assert_eq!(Decimal::of(value).as_bytes(), value.to_string().as_bytes());
        }
    }
}
