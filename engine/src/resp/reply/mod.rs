//! What commands answer: bytes of the protocol version that the client speaks, and large values that stay where they are.

mod digits;
mod pinned;

use std::fmt::Display;
use std::io::Write;

use crate::number::Shortest;
pub use digits::{DIGITS_MAX, Digits};
pub use pinned::{PINNED_BYTES_MIN, Piece, Pinned};

/// The protocol version of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// RESP2, what every connection starts with.
    #[default]
    Resp2,
    /// RESP3, after `HELLO 3`.
    Resp3,
}

impl Protocol {
    /// 2 or 3.
    pub fn version(self) -> i64 {
        match self {
            Self::Resp2 => 2,
            Self::Resp3 => 3,
        }
    }
}

/// The place of a header whose length is known only at the end.
#[derive(Debug)]
#[must_use = "a deferred header must be ended"]
pub struct Deferred {
    at: usize,
}

/// The replies of one connection, in order.
#[derive(Default)]
pub struct Reply {
    bytes: Vec<u8>,
    /// Values between the bytes, by where they belong. At least a line break follows each.
    pins: Vec<pinned::Pin>,
    protocol: Protocol,
}

impl Reply {
    /// An empty reply in `protocol`.
    pub fn new(protocol: Protocol) -> Self {
        Self::over(Vec::new(), protocol)
    }

    /// A reply that appends to `bytes`; `drain` or `into_bytes` gives them back.
    #[inline]
    pub fn over(bytes: Vec<u8>, protocol: Protocol) -> Self {
        Self { bytes, pins: Vec::new(), protocol }
    }

    /// The protocol that is written.
    #[inline]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Writes `protocol` from here on.
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// Whether RESP3 is written.
    #[inline]
    pub fn is_resp3(&self) -> bool {
        self.protocol == Protocol::Resp3
    }

    /// Bytes written so far, without pinned values; a mark for `truncate`.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// What was written, without pinned values.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether nothing was written.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes back everything that was written after the reply was `len` bytes long.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
        if !self.pins.is_empty() {
            self.pins.retain(|pin| pin.at < len);
        }
    }

    /// `+text`; the text holds no line break.
    #[inline]
    pub fn simple(&mut self, text: &str) {
        debug_assert!(!text.contains(['\r', '\n']));
        self.bytes.push(b'+');
        self.bytes.extend_from_slice(text.as_bytes());
        self.line_end();
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.bytes.extend_from_slice(b"+OK\r\n");
    }

    /// `-text`, the text beginning with its code (`ERR …`); line breaks in it become blanks.
    pub fn error(&mut self, text: impl Display) {
        self.bytes.push(b'-');
        let start = self.bytes.len();
        write!(self.bytes, "{text}").expect("writing to memory does not fail");
        for byte in &mut self.bytes[start..] {
            if matches!(byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        self.line_end();
    }

    /// `:value`.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        self.line(b':', value);
    }

    /// `:value`, for counts.
    #[inline]
    pub fn count(&mut self, value: usize) {
        self.line(b':', value as i64);
    }

    /// `$length` and the value.
    #[inline]
    pub fn bulk(&mut self, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        self.bytes.reserve(value.len() + 32);
        self.line(b'$', value.len() as i64);
        self.bytes.extend_from_slice(value);
        self.line_end();
    }

    /// `$length` and the integer's digits.
    #[inline]
    pub fn bulk_integer(&mut self, value: i64) {
        let digits = Digits::of(value);
        self.bulk(digits.as_bytes());
    }

    /// `$length` and the value, which lies in `pieces` and is not copied. Worth it from `PINNED_BYTES_MIN` on.
    pub fn bulk_pinned(&mut self, pieces: impl IntoIterator<Item = Pinned>) {
        let first = self.pins.len();
        let at = self.bytes.len();
        self.pins.extend(pieces.into_iter().map(|value| pinned::Pin { at, value }));
        let total: usize = self.pins[first..].iter().map(|pin| (*pin.value).as_ref().len()).sum();
        self.line(b'$', total as i64);
        let at = self.bytes.len();
        self.pins[first..].iter_mut().for_each(|pin| pin.at = at);
        self.line_end();
    }

    /// No value: `$-1`, or `_` in RESP3.
    #[inline]
    pub fn null(&mut self) {
        self.bytes.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// No array: `*-1`, or `_` in RESP3.
    #[inline]
    pub fn null_array(&mut self) {
        self.bytes.extend_from_slice(if self.is_resp3() { b"_\r\n" } else { b"*-1\r\n" });
    }

    /// The value, or null.
    #[inline]
    pub fn bulk_or_null(&mut self, value: Option<impl AsRef<[u8]>>) {
        match value {
            Some(value) => self.bulk(value),
            None => self.null(),
        }
    }

    /// A number with a fraction: `,1.5`, or a bulk string in RESP2.
    pub fn double(&mut self, value: f64) {
        let text = Shortest::of(value);
        if self.is_resp3() { self.text_line(b',', text.as_str()) } else { self.bulk(text.as_str()) }
    }

    /// `#t` and `#f`, or `:1` and `:0` in RESP2.
    pub fn boolean(&mut self, value: bool) {
        match (self.is_resp3(), value) {
            (true, true) => self.bytes.extend_from_slice(b"#t\r\n"),
            (true, false) => self.bytes.extend_from_slice(b"#f\r\n"),
            (false, value) => self.integer(value as i64),
        }
    }

    /// An integer of any size, given by its digits: `(123`, or a bulk string in RESP2.
    pub fn big_number(&mut self, digits: &str) {
        if self.is_resp3() { self.text_line(b'(', digits) } else { self.bulk(digits) }
    }

    /// Text for people, in a format of three letters (`txt`, `mkd`): `=…`, or a bulk string in RESP2.
    pub fn verbatim(&mut self, format: &str, text: impl AsRef<[u8]>) {
        debug_assert!(format.len() == 3, "a verbatim format has three letters");
        let text = text.as_ref();
        if !self.is_resp3() {
            return self.bulk(text);
        }
        self.line(b'=', text.len() as i64 + 4);
        self.bytes.extend_from_slice(format.as_bytes());
        self.bytes.push(b':');
        self.bytes.extend_from_slice(text);
        self.line_end();
    }

    /// The header of an array of `len` replies that follow.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.line(b'*', len as i64);
    }

    /// The header of a map of `pairs` keys and values: an array of twice as many in RESP2.
    #[inline]
    pub fn map(&mut self, pairs: usize) {
        if self.is_resp3() { self.line(b'%', pairs as i64) } else { self.array(pairs * 2) }
    }

    /// The header of a set: an array in RESP2.
    #[inline]
    pub fn set(&mut self, len: usize) {
        self.line(if self.is_resp3() { b'~' } else { b'*' }, len as i64);
    }

    /// The header of a message that no command asked for: an array in RESP2.
    pub fn push(&mut self, len: usize) {
        self.line(if self.is_resp3() { b'>' } else { b'*' }, len as i64);
    }

    /// Keeps a place for a header whose length one of the `end_…` functions says; its elements follow.
    pub fn defer(&mut self) -> Deferred {
        Deferred { at: self.bytes.len() }
    }

    /// Makes an array of what was written since `defer`. Inner ones end before outer ones.
    pub fn end_array(&mut self, deferred: Deferred, len: usize) {
        self.end(deferred, |reply| reply.array(len));
    }

    /// Makes a map of what was written since `defer`.
    pub fn end_map(&mut self, deferred: Deferred, pairs: usize) {
        self.end(deferred, |reply| reply.map(pairs));
    }

    /// Makes a set of what was written since `defer`.
    pub fn end_set(&mut self, deferred: Deferred, len: usize) {
        self.end(deferred, |reply| reply.set(len));
    }

    /// Puts a bulk string where `defer` was, before all that was written since.
    pub fn end_bulk(&mut self, deferred: Deferred, value: impl AsRef<[u8]>) {
        self.end(deferred, |reply| reply.bulk(value));
    }

    /// Replies that were written elsewhere, in the same protocol.
    pub fn raw(&mut self, replies: &[u8]) {
        self.bytes.extend_from_slice(replies);
    }

    fn end(&mut self, deferred: Deferred, header: impl FnOnce(&mut Self)) {
        let before = self.bytes.len();
        header(self);
        let width = self.bytes.len() - before;
        self.bytes[deferred.at..].rotate_right(width);
        for pin in self.pins.iter_mut().rev().take_while(|pin| pin.at >= deferred.at) {
            pin.at += width;
        }
    }

    #[inline]
    fn line(&mut self, kind: u8, value: i64) {
        digits::append_line(&mut self.bytes, kind, value);
    }

    fn text_line(&mut self, kind: u8, text: &str) {
        self.bytes.push(kind);
        self.bytes.extend_from_slice(text.as_bytes());
        self.line_end();
    }

    #[inline]
    fn line_end(&mut self) {
        self.bytes.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(write: impl Fn(&mut Reply)) -> String {
        let text = |protocol| {
            let mut reply = Reply::new(protocol);
            write(&mut reply);
            String::from_utf8(reply.into_bytes()).unwrap().replace("\r\n", "|")
        };
        format!("{} {}", text(Protocol::Resp2), text(Protocol::Resp3))
    }

    #[test]
    fn every_kind_in_both_protocols() {
        assert_eq!(both(|r| r.null()), "$-1| _|");
        assert_eq!(both(|r| r.null_array()), "*-1| _|");
        assert_eq!(both(|r| r.map(2)), "*4| %2|");
        assert_eq!(both(|r| r.set(2)), "*2| ~2|");
        assert_eq!(both(|r| r.push(2)), "*2| >2|");
        assert_eq!(both(|r| r.double(1.5)), "$3|1.5| ,1.5|");
        assert_eq!(both(|r| r.double(f64::NEG_INFINITY)), "$4|-inf| ,-inf|");
        assert_eq!(both(|r| r.boolean(true)), ":1| #t|");
        assert_eq!(both(|r| r.big_number("-12345")), "$6|-12345| (-12345|");
        assert_eq!(both(|r| r.verbatim("txt", "hello")), "$5|hello| =9|txt:hello|");
        assert_eq!(both(|r| r.bulk_or_null(None::<&str>)), "$-1| _|");
        assert_eq!(both(|r| r.bulk_integer(-42)), "$3|-42| $3|-42|");
        assert_eq!(both(|r| r.error("ERR a\r\nb")), "-ERR a  b| -ERR a  b|");
    }

    #[test]
    fn deferred_headers_nest() {
        let text = both(|reply| {
            reply.ok();
            let outer = reply.defer();
            let inner = reply.defer();
            reply.integer(-5);
            reply.bulk("k");
            reply.end_map(inner, 1);
            let set = reply.defer();
            reply.end_set(set, 0);
            reply.bulk("x");
            reply.end_array(outer, 3);
        });
        assert_eq!(text, "+OK|*3|*2|:-5|$1|k|*0|$1|x| +OK|*3|%1|:-5|$1|k|~0|$1|x|");
    }
}
