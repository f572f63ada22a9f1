//! Glob patterns as Redis reads them: `*`, `?`, `[a-z]`, `[^a]` and `\x`.
//!
//! The time is at most `pattern × text`: on a mismatch only the last `*` is tried again, so a pattern such as
//! `*a*a*a*a*b` cannot hold a core.

/// Whether letters match in either case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// `A` and `a` are two letters.
    Sensitive,
    /// `A` and `a` are one letter.
    Insensitive,
}

/// Whether the whole of `text` matches `pattern`.
pub fn matches(pattern: &[u8], text: &[u8], case: Case) -> bool {
    let (mut at, mut pos) = (0, 0);
    // Where to go on after a mismatch: behind the last star, one byte further into the text.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if at < pattern.len() && pattern[at] == b'*' {
            at += 1;
            retry = Some((at, pos));
            continue;
        }
        if pos == text.len() {
            return at == pattern.len();
        }
        match step(pattern, at, text[pos], case) {
            Some(next) => {
                at = next;
                pos += 1;
            }
            None => match retry {
                Some((after_star, from)) => {
                    at = after_star;
                    pos = from + 1;
                    retry = Some((after_star, pos));
                }
                None => return false,
            },
        }
    }
}

/// The text that every match has to equal, if the pattern is a plain text; then no scan is needed.
pub fn literal(pattern: &[u8]) -> Option<&[u8]> {
    (!pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\'))).then_some(pattern)
}

/// Matches one byte against the element at `at`; gives the position behind that element.
fn step(pattern: &[u8], at: usize, byte: u8, case: Case) -> Option<usize> {
    match *pattern.get(at)? {
        b'?' => Some(at + 1),
        b'[' => class(pattern, at + 1, byte, case),
        b'\\' if at + 1 < pattern.len() => same(pattern[at + 1], byte, case).then_some(at + 2),
        plain => same(plain, byte, case).then_some(at + 1),
    }
}

/// Matches one byte against the class that begins behind `[`. An unclosed class ends with the pattern.
fn class(pattern: &[u8], start: usize, byte: u8, case: Case) -> Option<usize> {
    let mut at = start;
    let negated = pattern.get(at) == Some(&b'^');
    if negated {
        at += 1;
    }
    let mut found = false;
    while let Some(&element) = pattern.get(at) {
        if element == b']' {
            at += 1;
            break;
        }
        if element == b'\\' && at + 1 < pattern.len() {
            found |= same(pattern[at + 1], byte, case);
            at += 2;
        } else if pattern.get(at + 1) == Some(&b'-') && at + 2 < pattern.len() {
            found |= within(element, pattern[at + 2], byte, case);
            at += 3;
        } else {
            found |= same(element, byte, case);
            at += 1;
        }
    }
    (found != negated).then_some(at)
}

fn same(left: u8, right: u8, case: Case) -> bool {
    match case {
        Case::Sensitive => left == right,
        Case::Insensitive => left.eq_ignore_ascii_case(&right),
    }
}

fn within(one: u8, other: u8, byte: u8, case: Case) -> bool {
    let fold = |b: u8| if case == Case::Insensitive { b.to_ascii_lowercase() } else { b };
    let (one, other, byte) = (fold(one), fold(other), fold(byte));
    (one.min(other)..=one.max(other)).contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let cases: &[(&str, &str, bool)] = &[
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("**a", "bca", true),
            ("a", "", false),
            ("a*", "", false),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h*llo", "heeeello", true),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-b]llo", "hbllo", true),
            ("h[b-a]llo", "hbllo", true),
            ("h[a-b]llo", "hcllo", false),
            (r"h\*llo", "h*llo", true),
            (r"h\*llo", "hallo", false),
            (r"[\]]", "]", true),
            (r"[\-]", "-", true),
            ("[abc", "b", true),
            ("[abc", "d", false),
            ("[a-", "-", true),
            ("[]a", "a", false),
            (r"a\", r"a\", true),
            ("*a*b*c", "xxaxxbxxc", true),
            ("*a*b*c", "xxaxxbxx", false),
            ("timeout", "TIMEOUT", false),
            ("a?", "a", false),
        ];
        for &(pattern, text, expected) in cases {
            assert_eq!(
                matches(pattern.as_bytes(), text.as_bytes(), Case::Sensitive),
                expected,
                "{pattern} {text}"
            );
        }
        assert!(matches(b"TIME[O-O]*", b"timeout", Case::Insensitive));
    }

    /// The same rules without a bound on the time: every star tries every length.
    fn matches_naively(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern, text) {
            ([], text) => text.is_empty(),
            ([b'*', rest @ ..], text) => (0..=text.len()).any(|skip| matches_naively(rest, &text[skip..])),
            (_, []) => false,
            (pattern, [byte, text @ ..]) => step(pattern, 0, *byte, Case::Sensitive)
                .is_some_and(|next| matches_naively(&pattern[next..], text)),
        }
    }

    proptest::proptest! {
        #[test]
        fn a_bounded_search_finds_what_an_unbounded_one_finds(
            pattern in r"[abc*?\[\]^\\-]{0,12}",
            text in r"[abc\[\]\\^-]{0,12}",
        ) {
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            let found = matches(pattern, text, Case::Sensitive);
            proptest::prop_assert_eq!(found, matches_naively(pattern, text));
        }
    }

    #[test]
    fn many_stars_stay_cheap() {
        let pattern = "*a".repeat(5_000) + "b";
        assert!(!matches(pattern.as_bytes(), &[b'a'; 10_000], Case::Sensitive));
    }

    #[test]
    fn only_plain_patterns_are_literal() {
        assert_eq!(literal(b"port"), Some(&b"port"[..]));
        assert_eq!(literal(b"p*"), None);
        assert_eq!(literal(br"p\*"), None);
    }
}
