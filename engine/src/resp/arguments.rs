//! The arguments of one command: ranges in bytes that somebody else holds.

use std::ops::{Index, Range};

/// Where one argument lies, from the beginning of its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgumentRange {
    start: u32,
    end: u32,
}

impl ArgumentRange {
    /// The range `start..end`; the parser's frame limit keeps both below 4 GiB.
    #[inline]
    pub fn new(start: usize, end: usize) -> Self {
        debug_assert!(start <= end && end <= u32::MAX as usize);
        Self { start: start as u32, end: end as u32 }
    }

    /// The same as a standard range.
    #[inline]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The arguments of one command, the command's name first. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Arguments<'a> {
    bytes: &'a [u8],
    ranges: &'a [ArgumentRange],
}

impl<'a> Arguments<'a> {
    /// Arguments that lie at `ranges` of `bytes`.
    #[inline]
    pub fn new(bytes: &'a [u8], ranges: &'a [ArgumentRange]) -> Self {
        Self { bytes, ranges }
    }

    /// How many arguments, the name included.
    #[inline]
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Whether there is not even a name.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The argument at `index`, which exists (arity was checked); panics otherwise.
    #[inline]
    pub fn at(&self, index: usize) -> &'a [u8] {
        &self.bytes[self.ranges[index].range()]
    }

    /// The argument at `index`, if there is one.
    #[inline]
    pub fn opt(&self, index: usize) -> Option<&'a [u8]> {
        self.ranges.get(index).map(|range| &self.bytes[range.range()])
    }

    /// Whether the argument at `index` is `word`, in whatever case.
    #[inline]
    pub fn is(&self, index: usize, word: &str) -> bool {
        self.opt(index).is_some_and(|argument| argument.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// The arguments from `index` on (none when there are fewer).
    pub fn from(&self, index: usize) -> Arguments<'a> {
        Self { bytes: self.bytes, ranges: self.ranges.get(index..).unwrap_or_default() }
    }

    /// All arguments in order, the name first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &'a [u8]> + ExactSizeIterator + use<'a> {
        let bytes = self.bytes;
        self.ranges.iter().map(move |range| &bytes[range.range()])
    }

    /// Bytes of all arguments together.
    pub fn bytes_total(&self) -> usize {
        self.ranges.iter().map(|range| range.range().len()).sum()
    }
}

impl Index<usize> for Arguments<'_> {
    type Output = [u8];

    #[inline]
    fn index(&self, index: usize) -> &[u8] {
        self.at(index)
    }
}

/// A command that outlives its connection's buffer: on its way to another core, or waiting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnedArguments {
    bytes: Vec<u8>,
    ranges: Vec<ArgumentRange>,
}

impl OwnedArguments {
    /// Copies `arguments` into two exact allocations.
    pub fn copy(arguments: &Arguments<'_>) -> Self {
        let mut owned = Self {
            bytes: Vec::with_capacity(arguments.bytes_total()),
            ranges: Vec::with_capacity(arguments.len()),
        };
        arguments.iter().for_each(|argument| owned.push(argument));
        owned
    }

    /// Appends one argument.
    pub fn push(&mut self, argument: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(argument);
        self.ranges.push(ArgumentRange::new(start, self.bytes.len()));
    }

    /// The arguments as commands see them.
    pub fn view(&self) -> Arguments<'_> {
        Arguments::new(&self.bytes, &self.ranges)
    }
}

impl<T: AsRef<[u8]>> FromIterator<T> for OwnedArguments {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        let mut owned = Self::default();
        iter.into_iter().for_each(|argument| owned.push(argument.as_ref()));
        owned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owned_arguments_read_like_the_originals() {
        let owned: OwnedArguments = ["set", "k", "", "v"].into_iter().collect();
        let view = owned.view();
        assert_eq!(view.iter().collect::<Vec<_>>(), [&b"set"[..], b"k", b"", b"v"]);
        assert_eq!(OwnedArguments::copy(&view), owned);
        assert_eq!(view.from(2).iter().collect::<Vec<_>>(), [&b""[..], b"v"]);
        assert!(view.from(9).is_empty());
        assert!(view.is(0, "SET") && !view.is(4, "SET"));
        assert_eq!((view.opt(4), &view[3], view.bytes_total()), (None, &b"v"[..], 5));
    }
}
