//! Large values in a reply that are sent from where they lie.

use super::Reply;

/// From this length on a value is worth pinning; a shorter one is copied faster than it is tracked.
pub const PINNED_BYTES_MIN: usize = 16 * 1024;

/// Bytes that stay where they are, unchanged, until this owner is dropped.
pub type Pinned = Box<dyn AsRef<[u8]>>;

/// A pinned value and where it belongs among the written bytes.
pub(super) struct Pin {
    pub(super) at: usize,
    pub(super) value: Pinned,
}

/// What is to be sent next.
pub enum Piece<'a> {
    /// Bytes to be copied.
    Bytes(&'a [u8]),
    /// Bytes to be sent from where they are.
    Pinned(Pinned),
}

impl Reply {
    /// Whether there are pinned values; if not, `into_bytes` is all.
    #[inline]
    pub fn has_pinned(&self) -> bool {
        !self.pins.is_empty()
    }

    /// Hands out everything in order and forgets it, but for the memory.
    pub fn drain(&mut self, mut send: impl FnMut(Piece<'_>)) {
        let mut sent = 0;
        for pin in self.pins.drain(..) {
            if sent < pin.at {
                send(Piece::Bytes(&self.bytes[sent..pin.at]));
            }
            sent = pin.at;
            send(Piece::Pinned(pin.value));
        }
        if sent < self.bytes.len() {
            send(Piece::Bytes(&self.bytes[sent..]));
        }
        self.bytes.clear();
    }

    /// Everything as bytes; pinned values are copied now.
    pub fn into_bytes(mut self) -> Vec<u8> {
        if !self.has_pinned() {
            return self.bytes;
        }
        let mut all = Vec::new();
        self.drain(|piece| match piece {
            Piece::Bytes(bytes) => all.extend_from_slice(bytes),
            Piece::Pinned(value) => all.extend_from_slice((*value).as_ref()),
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::Protocol;

    fn pinned(text: &'static str) -> Pinned {
        Box::new(text.as_bytes())
    }

    #[test]
    fn pinned_values_keep_their_place() {
        let mut reply = Reply::new(Protocol::Resp2);
        reply.ok();
        let array = reply.defer();
        reply.bulk_pinned([pinned("hello "), pinned("world")]);
        reply.bulk_pinned([pinned("x")]);
        reply.end_array(array, 2);
        let mark = reply.len();
        reply.bulk_pinned([pinned("taken back")]);
        reply.truncate(mark);
        reply.bulk("end");
        let mut pieces = Vec::new();
        reply.drain(|piece| match piece {
            Piece::Bytes(bytes) => pieces.push(String::from_utf8_lossy(bytes).replace("\r\n", "|")),
            Piece::Pinned(value) => pieces.push(format!("<{}>", String::from_utf8_lossy((*value).as_ref()))),
        });
        assert_eq!(pieces, ["+OK|*2|$11|", "<hello >", "<world>", "|$1|", "<x>", "|$3|end|"]);
        assert!(reply.is_empty() && !reply.has_pinned());
    }

    #[test]
    fn a_reply_writes_over_a_lent_buffer() {
        let mut reply = Reply::over(b"+A\r\n".to_vec(), Protocol::Resp2);
        reply.bulk_pinned([pinned("ab")]);
        assert_eq!(reply.into_bytes(), b"+A\r\n$2\r\nab\r\n");
    }
}
