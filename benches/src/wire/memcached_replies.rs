//! Counts the replies of memcached's text and meta commands, at any split of the stream.

use crate::wire::replies::{ErrorReply, LINE_BYTES_MAX, ProtocolViolation, Tally};

/// The state between two pieces of input.
#[derive(Debug, Default)]
pub struct MemcachedReplies {
    /// Payload bytes, with their line end, that the present value still lacks.
    payload: u64,
    /// What ends the reply once the payload is over.
    after: After,
    /// A `get` has found its key: the END to come is not a miss.
    found: bool,
    /// Start of a line whose end has not arrived.
    line: Vec<u8>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum After {
    /// `VALUE …` of a `get`: an `END` line follows.
    #[default]
    End,
    /// `VA …` of an `mg`: nothing follows.
    Nothing,
}

impl MemcachedReplies {
    /// Takes the next piece and adds what it completes to `tally`.
    pub fn feed(&mut self, mut input: &[u8], tally: &mut Tally) -> Result<(), ProtocolViolation> {
        while !input.is_empty() {
            if self.payload > 0 {
                let taken = self.payload.min(input.len() as u64);
                self.payload -= taken;
                input = &input[taken as usize..];
                if self.payload == 0 && self.after == After::Nothing {
                    tally.replies += 1;
                }
                continue;
            }
            let Some(end) = input.iter().position(|&b| b == b'\n') else {
                self.line.extend_from_slice(input);
                return if self.line.len() > LINE_BYTES_MAX { Err(ProtocolViolation) } else { Ok(()) };
            };
            let mut line = std::mem::take(&mut self.line);
            if line.is_empty() {
                self.header(&input[..end], tally)?;
            } else {
                line.extend_from_slice(&input[..end]);
                self.header(&line, tally)?;
                line.clear();
            }
            self.line = line;
            input = &input[end + 1..];
        }
        Ok(())
    }

    fn header(&mut self, line: &[u8], tally: &mut Tally) -> Result<(), ProtocolViolation> {
        let line = line.strip_suffix(b"\r").ok_or(ProtocolViolation)?;
        let mut words = line.split(|&b| b == b' ');
        match words.next().unwrap_or_default() {
            b"VALUE" => {
                self.payload = size(words.nth(2))? + 2;
                self.after = After::End;
                self.found = true;
            }
            b"VA" => {
                self.payload = size(words.next())? + 2;
                self.after = After::Nothing;
            }
            b"END" => {
                tally.nulls += u64::from(!self.found);
                self.found = false;
                tally.replies += 1;
            }
            b"EN" => {
                tally.nulls += 1;
                tally.replies += 1;
            }
            b"STORED" | b"HD" | b"DELETED" | b"NOT_FOUND" | b"NOT_STORED" | b"NS" | b"NF" => {
                tally.replies += 1;
            }
            b"ERROR" | b"CLIENT_ERROR" | b"SERVER_ERROR" => {
                let text = String::from_utf8_lossy(line).into_owned();
                tally.errors.push(ErrorReply { ordinal: tally.replies, text });
                tally.replies += 1;
            }
            _ => return Err(ProtocolViolation),
        }
        Ok(())
    }
}

fn size(word: Option<&[u8]>) -> Result<u64, ProtocolViolation> {
    let text = std::str::from_utf8(word.unwrap_or_default()).map_err(|_| ProtocolViolation)?;
    text.parse::<u32>().map(u64::from).map_err(|_| ProtocolViolation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_at_every_split() {
        let cases = [
            ("STORED|", (1, 0, 0)),
            ("END|", (1, 1, 0)),
            ("VALUE k 0 3|abc|END|END|", (2, 1, 0)),
            ("VALUE k 0 4|E|D|END|", (1, 0, 0)),
            ("VA 3|abc|EN|HD|", (3, 1, 0)),
            ("VA 0||", (1, 0, 0)),
            ("ERROR|SERVER_ERROR out of memory|STORED|", (3, 0, 2)),
        ];
        for (stream, wanted) in cases {
            let input = stream.replace('|', "\r\n").into_bytes();
            for split in 0..=input.len() {
                let (mut counter, mut tally) = (MemcachedReplies::default(), Tally::default());
                counter.feed(&input[..split], &mut tally).unwrap();
                counter.feed(&input[split..], &mut tally).unwrap();
                assert_eq!((tally.replies, tally.nulls, tally.errors.len()), wanted, "{stream}");
            }
        }
    }

    #[test]
    fn refuses_what_is_no_reply() {
        for stream in ["hello\r\n", "VALUE k 0\r\n", "VA x\r\n", "STORED\n"] {
            let fed = MemcachedReplies::default().feed(stream.as_bytes(), &mut Tally::default());
            assert_eq!(fed, Err(ProtocolViolation), "{stream}");
        }
    }
}
