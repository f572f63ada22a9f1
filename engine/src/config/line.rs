//! One line of text as arguments, with Redis' quoting: `"a\tb\x00"`, `'it\'s'`.

use crate::resp::split_inline;

/// Splits a line at blanks, minding quotes. `None`: a quote is open at the end, text follows a closing quote, or a NUL
/// byte stands in the line.
pub fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (mut bytes, mut ranges) = (Vec::new(), Vec::new());
    if line.contains(&0) {
        return None;
    }
    split_inline(line, 0, &mut bytes, &mut ranges).ok()?;
    Some(ranges.iter().map(|range| bytes[range.range()].to_vec()).collect())
}

/// The text as one argument that [`split`] reads back: bare if it can be, quoted otherwise.
pub fn quoted(text: &[u8]) -> String {
    let bare = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !text.is_empty() && text[0] != b'#' && text.iter().all(bare) {
        return text.iter().map(|byte| char::from(*byte)).collect();
    }
    let mut out = String::from("\"");
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b' '..=b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines() {
        let cases: &[(&str, Option<&[&str]>)] = &[
            ("", Some(&[])),
            ("  \t ", Some(&[])),
            ("port 6379", Some(&["port", "6379"])),
            ("  port\t6379 \r", Some(&["port", "6379"])),
            (r#"save """#, Some(&["save", ""])),
            (r#"a "b c" 'd e'"#, Some(&["a", "b c", "d e"])),
            (r#"a "\x41\n\t\q\"" 'it\'s\n'"#, Some(&["a", "A\n\tq\"", r"it's\n"])),
            (r#"a "\xzz""#, Some(&["a", "xzz"])),
            (r#"a b"c d""#, Some(&["a", "bc d"])),
            (r#"a "b"c"#, None),
            (r#"a "b"#, None),
            (r#"a "b\"#, None),
            ("a 'b", None),
            ("a b\0c", None),
            ("a \"b\\\"", None),
        ];
        for (line, expected) in cases {
            let expected: Option<Vec<Vec<u8>>> =
                expected.map(|list| list.iter().map(|argument| argument.as_bytes().to_vec()).collect());
            assert_eq!(split(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn quotes_only_where_needed() {
        assert_eq!(quoted(b"127.0.0.1"), "127.0.0.1");
        assert_eq!(quoted(b""), "\"\"");
        assert_eq!(quoted(b"a b"), "\"a b\"");
        assert_eq!(quoted(b"#a"), "\"#a\"");
        assert_eq!(quoted(b"a\"\\\n\x00\xff"), "\"a\\\"\\\\\\n\\x00\\xff\"");
    }

    proptest! {
        #[test]
        fn quoted_reads_back(arguments: Vec<Vec<u8>>) {
            let line = arguments.iter().map(|argument| quoted(argument)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(split(line.as_bytes()), Some(arguments));
        }

        #[test]
        fn any_line_is_answered(line: Vec<u8>) {
            let _ = split(&line);
        }
    }
}
