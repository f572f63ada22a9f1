//! The pattern of KEYS and SCAN: which keys it may match, and where they are.

use std::ops::Range;

use crate::glob::{self, Case};
use crate::key::{SLOT_COUNT, SlotId};

/// A glob pattern for the names of keys.
pub(super) struct KeyPattern<'a> {
    pattern: &'a [u8],
}

impl<'a> KeyPattern<'a> {
    pub(super) fn new(pattern: &'a [u8]) -> KeyPattern<'a> {
        KeyPattern { pattern }
    }

    /// Whether a key has such a name.
    pub(super) fn matches(&self, key: &[u8]) -> bool {
        self.pattern == b"*" || glob::matches(self.pattern, key, Case::Sensitive)
    }

    /// The only name that it matches, if it is a plain one.
    pub(super) fn literal(&self) -> Option<&'a [u8]> {
        glob::literal(self.pattern)
    }

    /// Slots outside of which nothing matches: one, if what stands before the first wildcard holds a whole hash tag.
    pub(super) fn slots(&self) -> Range<usize> {
        let is_special = |byte: &u8| matches!(byte, b'*' | b'?' | b'[' | b'\\');
        let plain = self.pattern.iter().position(is_special).unwrap_or(self.pattern.len());
        let plain = &self.pattern[..plain];
        let tagged = plain.iter().position(|byte| *byte == b'{').is_some_and(|open| {
            plain[open + 1..].iter().position(|byte| *byte == b'}').is_some_and(|length| length > 0)
        });
        if tagged || plain.len() == self.pattern.len() {
            let slot = SlotId::of(plain).number();
            slot..slot + 1
        } else {
            0..SLOT_COUNT
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_tag_before_the_first_wildcard_says_the_slot() {
        for (pattern, key) in [
            ("{bar}*", Some("bar")),
            ("foo{bar}?{zap}", Some("bar")),
            ("foo", Some("foo")),
            ("{}", Some("{}")),
        ] {
            let slot = key.map(|key| SlotId::of(key.as_bytes()).number()).unwrap();
            assert_eq!(KeyPattern::new(pattern.as_bytes()).slots(), slot..slot + 1, "{pattern}");
        }
        for pattern in ["*", "{ba*}", "*{bar}", "{}{bar}*", "{ba[r]}*", r"{b\ar}*", "foo{bar*"] {
            assert_eq!(KeyPattern::new(pattern.as_bytes()).slots(), 0..SLOT_COUNT, "{pattern}");
        }
    }
}
