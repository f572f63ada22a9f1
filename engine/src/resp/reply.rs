//! What a command answers: bytes of the protocol version that the client speaks.

use std::fmt::Display;
use std::io::Write;

/// The protocol version of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// RESP2, what every connection starts with.
    #[default]
    Resp2,
    /// RESP3, after `HELLO 3`.
    Resp3,
}

/// The place of a header whose length is known only at the end.
#[derive(Debug)]
#[must_use = "a deferred header must be closed"]
pub struct Deferred {
    at: usize,
}

/// The replies of one connection, in order. Values are appended, never rewritten.
#[derive(Default)]
pub struct Reply {
    bytes: Vec<u8>,
    protocol: Protocol,
}

impl Reply {
    /// An empty reply in `protocol`.
    pub fn new(protocol: Protocol) -> Self {
        Self { bytes: Vec::new(), protocol }
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

    #[inline]
    fn is_resp3(&self) -> bool {
        self.protocol == Protocol::Resp3
    }

    /// Everything written so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes written so far.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Takes back what was written after the reply was `len` bytes long.
    pub fn truncate(&mut self, len: usize) {
        self.bytes.truncate(len);
    }

    /// Forgets everything, keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// `+text`; the text holds no line break.
    #[inline]
    pub fn simple(&mut self, text: &str) {
        self.bytes.push(b'+');
        self.bytes.extend_from_slice(text.as_bytes());
        self.line_end();
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.bytes.extend_from_slice(b"+OK\r\n");
    }

    /// `-text`, the text beginning with its code (`ERR …`); line breaks in it become spaces.
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
        self.bytes.push(b':');
        self.digits(value);
        self.line_end();
    }

    /// `:value`, for counts.
    #[inline]
    pub fn count(&mut self, value: usize) {
        self.integer(value as i64);
    }

    /// `$length` and the value.
    #[inline]
    pub fn bulk(&mut self, value: &[u8]) {
        self.header(b'$', value.len());
        self.bytes.extend_from_slice(value);
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

    /// The header of an array of `len` replies that follow.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.header(b'*', len);
    }

    /// The header of a map of `pairs` keys and values: an array of twice as many in RESP2.
    #[inline]
    pub fn map(&mut self, pairs: usize) {
        if self.is_resp3() { self.header(b'%', pairs) } else { self.header(b'*', pairs * 2) }
    }

    /// The header of a set: an array in RESP2.
    #[inline]
    pub fn set(&mut self, len: usize) {
        let kind = if self.is_resp3() { b'~' } else { b'*' };
        self.header(kind, len);
    }

    /// Begins an array whose length `array_end` says; elements follow.
    pub fn array_begin(&mut self) -> Deferred {
        Deferred { at: self.bytes.len() }
    }

    /// Ends what `array_begin` began. Inner ones end before outer ones.
    pub fn array_end(&mut self, deferred: Deferred, len: usize) {
        let tail = self.bytes.split_off(deferred.at);
        self.array(len);
        self.bytes.extend_from_slice(&tail);
    }

    #[inline]
    fn header(&mut self, kind: u8, len: usize) {
        self.bytes.push(kind);
        self.digits(len as i64);
        self.line_end();
    }

    #[inline]
    fn digits(&mut self, value: i64) {
        write!(self.bytes, "{value}").expect("writing to memory does not fail");
    }

    #[inline]
    fn line_end(&mut self) {
        self.bytes.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_sets_and_nulls_depend_on_the_protocol() {
        for (protocol, expected) in [
            (Protocol::Resp2, &b"*4\r\n*1\r\n$-1\r\n*-1\r\n"[..]),
            (Protocol::Resp3, b"%2\r\n~1\r\n_\r\n_\r\n"),
        ] {
            let mut reply = Reply::new(protocol);
            reply.map(2);
            reply.set(1);
            reply.null();
            reply.null_array();
            assert_eq!(reply.bytes(), expected);
        }
    }

    #[test]
    fn deferred_headers_nest() {
        let mut reply = Reply::default();
        let outer = reply.array_begin();
        let inner = reply.array_begin();
        reply.integer(-5);
        reply.array_end(inner, 1);
        reply.bulk(b"x");
        reply.array_end(outer, 2);
        assert_eq!(reply.bytes(), b"*2\r\n*1\r\n:-5\r\n$1\r\nx\r\n");
    }

    #[test]
    fn errors_stay_on_one_line() {
        let mut reply = Reply::default();
        reply.error("ERR a\r\nb");
        assert_eq!(reply.bytes(), b"-ERR a  b\r\n");
    }
}
