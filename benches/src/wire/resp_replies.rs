//! Counts RESP2 and RESP3 replies without keeping them, at any split of the stream.
//!
//! Nesting needs no stack: a reply is complete when as many elements have ended as were announced.

use crate::wire::replies::{ErrorReply, LINE_BYTES_MAX, ProtocolViolation, Tally};

/// The state between two pieces of input.
#[derive(Debug, Default)]
pub struct RespReplies {
    /// Elements that the present reply still lacks; 0 between replies.
    missing: u64,
    /// Payload bytes, with their line end, that the present element still lacks.
    payload: u64,
    /// The present reply is a push message, which answers no command.
    push: bool,
    /// Start of a header line whose end has not arrived.
    line: Vec<u8>,
}

impl RespReplies {
    /// Takes the next piece and adds what it completes to `tally`.
    pub fn feed(&mut self, mut input: &[u8], tally: &mut Tally) -> Result<(), ProtocolViolation> {
        while !input.is_empty() {
            if self.payload > 0 {
                let taken = self.payload.min(input.len() as u64);
                self.payload -= taken;
                input = &input[taken as usize..];
                if self.payload == 0 {
                    self.end_element(tally);
                }
                continue;
            }
            let Some(end) = input.iter().position(|&b| b == b'\n') else {
                self.line.extend_from_slice(input);
                return if self.line.len() > LINE_BYTES_MAX { Err(ProtocolViolation) } else { Ok(()) };
            };
            if self.line.is_empty() {
                self.header(&input[..end], tally)?;
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(&input[..end]);
                self.header(&line, tally)?;
                line.clear();
                self.line = line;
            }
            input = &input[end + 1..];
        }
        Ok(())
    }

    #[inline]
    fn header(&mut self, line: &[u8], tally: &mut Tally) -> Result<(), ProtocolViolation> {
        let [kind, rest @ .., b'\r'] = line else { return Err(ProtocolViolation) };
        let whole = self.missing == 0;
        if whole {
            self.missing = 1;
        }
        match kind {
            b'$' | b'=' | b'!' => {
                if *kind == b'!' {
                    self.error(b"bulk error", tally);
                }
                match length(rest)? {
                    Some(bytes) => self.payload = bytes + 2,
                    None => self.null(whole, tally),
                }
            }
            b'+' | b':' | b',' | b'#' | b'(' => self.end_element(tally),
            b'-' => {
                self.error(rest, tally);
                self.end_element(tally);
            }
            b'_' => self.null(whole, tally),
            b'*' | b'~' => match length(rest)? {
                Some(elements) => self.aggregate(elements, tally)?,
                None => self.null(whole, tally),
            },
            b'%' => self.aggregate(pairs(rest)?, tally)?,
            // Attributes stand before the element that they describe.
            b'|' => self.announce(pairs(rest)?)?,
            b'>' => {
                self.push |= whole;
                self.aggregate(length(rest)?.ok_or(ProtocolViolation)?, tally)?;
            }
            _ => return Err(ProtocolViolation),
        }
        Ok(())
    }

    fn announce(&mut self, elements: u64) -> Result<(), ProtocolViolation> {
        self.missing = self.missing.checked_add(elements).ok_or(ProtocolViolation)?;
        Ok(())
    }

    fn aggregate(&mut self, elements: u64, tally: &mut Tally) -> Result<(), ProtocolViolation> {
        self.announce(elements)?;
        self.end_element(tally);
        Ok(())
    }

    fn null(&mut self, whole: bool, tally: &mut Tally) {
        tally.nulls += u64::from(whole);
        self.end_element(tally);
    }

    #[cold]
    fn error(&mut self, text: &[u8], tally: &mut Tally) {
        let text = String::from_utf8_lossy(text).into_owned();
        tally.errors.push(ErrorReply { ordinal: tally.replies, text });
    }

    #[inline]
    fn end_element(&mut self, tally: &mut Tally) {
        self.missing -= 1;
        if self.missing == 0 {
            tally.replies += u64::from(!self.push);
            self.push = false;
        }
    }
}

/// A length: digits, or -1 for none.
#[inline]
fn length(digits: &[u8]) -> Result<Option<u64>, ProtocolViolation> {
    if digits == b"-1" {
        return Ok(None);
    }
    if digits.is_empty() || digits.len() > 15 {
        return Err(ProtocolViolation);
    }
    let mut value = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return Err(ProtocolViolation);
        }
        value = value * 10 + u64::from(digit - b'0');
    }
    Ok(Some(value))
}

fn pairs(digits: &[u8]) -> Result<u64, ProtocolViolation> {
    length(digits)?.map(|n| n * 2).ok_or(ProtocolViolation)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Replies, nulls and the ordinals and texts of errors.
    type Wanted = (u64, u64, &'static [(u64, &'static str)]);

    const STREAMS: &[(&str, Wanted)] = &[
        ("+OK|", (1, 0, &[])),
        ("+OK|:1|$3|abc|", (3, 0, &[])),
        ("$-1|*-1|_|", (3, 3, &[])),
        ("$0||", (1, 0, &[])),
        ("$5|a|b*|", (1, 0, &[])),
        ("*0|", (1, 0, &[])),
        ("*2|$1|a|$-1|", (1, 0, &[])),
        ("*2|*2|:1|:2|*1|*0|+OK|", (2, 0, &[])),
        ("+OK|-ERR no|-MOVED 5 h:1|:1|", (4, 0, &[(1, "ERR no"), (2, "MOVED 5 h:1")])),
        ("%2|+a|:1|+b|*2|:1|:2|#t|", (2, 0, &[])),
        ("~3|:1|:2|:3|,1.5|(12345|=7|txt:abc|", (4, 0, &[])),
        (">2|+invalidate|*1|$1|k|+OK|", (1, 0, &[])),
        ("|1|+ttl|:3|$1|v|", (1, 0, &[])),
        ("!5|ERR x|+OK|", (2, 0, &[(0, "bulk error")])),
        ("*1|-ERR inner|+OK|", (2, 0, &[(0, "ERR inner")])),
    ];

    fn bytes(stream: &str) -> Vec<u8> {
        // `|` stands for a line end, but at a line's start it is RESP3's attribute marker.
        let mut out = Vec::new();
        for (index, byte) in stream.bytes().enumerate() {
            if byte == b'|' && index > 0 { out.extend_from_slice(b"\r\n") } else { out.push(byte) }
        }
        out
    }

    fn assert_tally(tally: &Tally, wanted: &Wanted, stream: &str) {
        let errors: Vec<(u64, &str)> = tally.errors.iter().map(|e| (e.ordinal, e.text.as_str())).collect();
        assert_eq!((tally.replies, tally.nulls, &errors[..]), (wanted.0, wanted.1, wanted.2), "{stream}");
    }

    #[test]
    fn counts_at_every_split() {
        for (stream, wanted) in STREAMS {
            let input = bytes(stream);
            for first in 0..=input.len() {
                for second in first..=input.len() {
                    let (mut counter, mut tally) = (RespReplies::default(), Tally::default());
                    for piece in [&input[..first], &input[first..second], &input[second..]] {
                        counter.feed(piece, &mut tally).unwrap();
                    }
                    assert_tally(&tally, wanted, stream);
                    assert_eq!((counter.missing, counter.payload), (0, 0), "{stream}");
                }
            }
        }
    }

    #[test]
    fn counts_byte_by_byte() {
        for (stream, wanted) in STREAMS {
            let (mut counter, mut tally) = (RespReplies::default(), Tally::default());
            for byte in bytes(stream) {
                counter.feed(&[byte], &mut tally).unwrap();
            }
            assert_tally(&tally, wanted, stream);
        }
    }

    #[test]
    fn refuses_what_is_no_reply() {
        for stream in ["hello|", "$x|", "$|", "$-2|", "*99999999999999999|", "||", "%-1|", ">-1|"] {
            let fed = RespReplies::default().feed(&bytes(stream), &mut Tally::default());
            assert_eq!(fed, Err(ProtocolViolation), "{stream}");
        }
        let endless = vec![b'+'; LINE_BYTES_MAX + 1];
        assert_eq!(RespReplies::default().feed(&endless, &mut Tally::default()), Err(ProtocolViolation));
    }

    #[test]
    fn an_unfinished_reply_is_not_counted() {
        let (mut counter, mut tally) = (RespReplies::default(), Tally::default());
        counter.feed(b"*2\r\n$3\r\nabc\r\n", &mut tally).unwrap();
        assert_eq!(tally.replies, 0);
        counter.feed(b":1\r\n", &mut tally).unwrap();
        assert_eq!(tally.replies, 1);
    }
}
