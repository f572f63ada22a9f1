//! A place in bytes that nobody has checked yet.

use super::RecordError;

/// Hands out what is left of some bytes, piece by piece, and never more than there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// What has not been handed out yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` bytes. A count beyond what is left is an error, however large it is.
    pub(super) fn take(&mut self, count: u64) -> Result<&'a [u8], RecordError> {
        let count = usize::try_from(count).map_err(|_| RecordError::Truncated)?;
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(RecordError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes, to be made a number of.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(RecordError::Truncated)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// The next byte, which stays where it is.
    pub(super) fn peek(&self) -> Result<u8, RecordError> {
        self.rest.first().copied().ok_or(RecordError::Truncated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_out_no_more_than_there_is() {
        let mut reader = Reader::new(b"abcdef");
        assert_eq!(reader.take(2), Ok(&b"ab"[..]));
        assert_eq!(reader.peek(), Ok(b'c'));
        assert_eq!(reader.array(), Ok(*b"cd"));
        assert_eq!(reader.take(3), Err(RecordError::Truncated));
        assert_eq!(reader.take(u64::MAX), Err(RecordError::Truncated));
        assert_eq!(reader.array::<3>(), Err(RecordError::Truncated));
        assert_eq!(reader.rest(), b"ef");
        assert_eq!(reader.take(2), Ok(&b"ef"[..]));
        assert_eq!(reader.peek(), Err(RecordError::Truncated));
        assert!(reader.is_empty());
    }
}
