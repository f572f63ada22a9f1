//! Splits an inline command into words, with quoting as in Redis.

use super::arguments::ArgumentRange;

/// A quote was opened and not closed, or closed in the middle of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unbalanced;

/// Appends the words of `line` to `bytes`, unquoted, and their ranges (from `base` in `bytes`) to `ranges`.
///
/// Words end at blanks; `"…"` knows `\n \r \t \b \a \xHH` and takes any other escaped byte as it is; `'…'` knows `\'`.
/// A NUL byte ends the line.
pub fn split_inline(
    line: &[u8],
    base: usize,
    bytes: &mut Vec<u8>,
    ranges: &mut Vec<ArgumentRange>,
) -> Result<(), Unbalanced> {
    let mut rest = &line[..line.iter().position(|byte| *byte == 0).unwrap_or(line.len())];
    loop {
        while let [b' ' | b'\t'..=b'\r', tail @ ..] = rest {
            rest = tail;
        }
        if rest.is_empty() {
            return Ok(());
        }
        let start = bytes.len() - base;
        rest = word(rest, bytes)?;
        ranges.push(ArgumentRange::new(start, bytes.len() - base));
    }
}

/// Appends the word that `rest` begins with; what follows it is returned.
fn word<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        match rest {
            [] | [b' ' | b'\n' | b'\r' | b'\t', ..] => return Ok(rest),
            [b'"', tail @ ..] => rest = double_quoted(tail, out)?,
            [b'\'', tail @ ..] => rest = single_quoted(tail, out)?,
            [byte, tail @ ..] => {
                out.push(*byte);
                rest = tail;
                continue;
            }
        }
        // A closing quote ends the word, so a blank or the end must follow.
        return match rest {
            [] | [b' ' | b'\t'..=b'\r', ..] => Ok(rest),
            _ => Err(Unbalanced),
        };
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        let (byte, tail) = match rest {
            [] => return Err(Unbalanced),
            [b'"', tail @ ..] => return Ok(tail),
            [b'\\', b'x', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (nibble(*high) << 4 | nibble(*low), tail)
            }
            [b'\\', escaped, tail @ ..] => (unescape(*escaped), tail),
            [byte, tail @ ..] => (*byte, tail),
        };
        out.push(byte);
        rest = tail;
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        let (byte, tail) = match rest {
            [] => return Err(Unbalanced),
            [b'\'', tail @ ..] => return Ok(tail),
            [b'\\', b'\'', tail @ ..] => (b'\'', tail),
            [byte, tail @ ..] => (*byte, tail),
        };
        out.push(byte);
        rest = tail;
    }
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    }
}

fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Result<Vec<Vec<u8>>, Unbalanced> {
        let (mut bytes, mut ranges) = (b"before".to_vec(), Vec::new());
        split_inline(line.as_bytes(), 6, &mut bytes, &mut ranges)?;
        Ok(ranges.iter().map(|range| bytes[6..][range.range()].to_vec()).collect())
    }

    #[test]
    fn words_split_as_in_redis() {
        let cases: &[(&str, &[&[u8]])] = &[
            ("", &[]),
            (" \t\x0b ", &[]),
            ("set  k v\t", &[b"set", b"k", b"v"]),
            (r#"a "" ''"#, &[b"a", b"", b""]),
            (r#""a b" 'c d'"#, &[b"a b", b"c d"]),
            (r#""\n\r\t\b\a\\\"\q""#, &[b"\n\r\t\x08\x07\\\"q"]),
            (r#""\x41\xfF\x4g""#, &[b"A\xffx4g"]),
            (r#"'it\'s \n'"#, &[b"it's \\n"]),
            (r#"key"with quote""#, &[b"keywith quote"]),
            ("a\x0bb", &[b"a\x0bb"]),
            ("a b\0c d", &[b"a", b"b"]),
        ];
        for (line, expected) in cases {
            assert_eq!(words(line).unwrap(), *expected, "{line:?}");
        }
        for line in ["\"", "'", "\"a\"b", "'a'b", "a \"b", "\"\\\"", "'\\'", "\"a\0b\""] {
            assert_eq!(words(line), Err(Unbalanced), "{line:?}");
        }
    }
}
