//! Where one reply ends and the next begins.

/// The length of the reply that `bytes` begins with, elements included; none if it is not complete or no reply.
///
/// Time and memory do not depend on how deep arrays lie in each other.
pub fn reply_len(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut wanted) = (0, 1u64);
    while wanted > 0 {
        wanted -= 1;
        let line_len = bytes.get(at..)?.windows(2).position(|pair| pair == b"\r\n")?;
        let line = &bytes[at..at + line_len];
        at += line_len + 2;
        let (kind, text) = line.split_first()?;
        match kind {
            b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => {}
            b'$' | b'=' | b'!' => {
                if let Some(len) = length(text)? {
                    at += len as usize + 2;
                }
            }
            b'*' | b'~' | b'>' => wanted += length(text)?.unwrap_or(0),
            b'%' => wanted += length(text)?.unwrap_or(0) * 2,
            _ => return None,
        }
    }
    (at <= bytes.len()).then_some(at)
}

/// The number in a header: `Some(None)` for -1, which stands for no value.
fn length(text: &[u8]) -> Option<Option<u64>> {
    let number = crate::number::parse_i64(text)?;
    match number {
        -1 => Some(None),
        0..=0xffff_ffff => Some(Some(number as u64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_end_where_they_end() {
        let replies = [
            "+OK\r\n",
            "-ERR x\r\n",
            ":1\r\n",
            "$-1\r\n",
            "$0\r\n\r\n",
            "$4\r\na\r\nb\r\n",
            "*-1\r\n",
            "*0\r\n",
            "*2\r\n$1\r\na\r\n*1\r\n:1\r\n",
            "%1\r\n+a\r\n~1\r\n_\r\n",
            ",1.5\r\n",
            "#t\r\n",
            "=5\r\ntxt:a\r\n",
        ];
        for reply in replies {
            let followed = format!("{reply}+NEXT\r\n");
            assert_eq!(reply_len(followed.as_bytes()), Some(reply.len()), "{reply:?}");
            for cut in 0..reply.len() {
                assert_eq!(reply_len(&reply.as_bytes()[..cut]), None, "{reply:?} cut at {cut}");
            }
        }
        for text in ["x\r\n", "\r\n", "$x\r\n", "*-2\r\n", "*99999999999\r\n"] {
            assert_eq!(reply_len(text.as_bytes()), None);
        }
        let deep = "*1\r\n".repeat(100_000) + ":1\r\n";
        assert_eq!(reply_len(deep.as_bytes()), Some(deep.len()));
    }
}
