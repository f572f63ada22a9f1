//! Replies in line: a reply that is ready waits while one before it is still made on another core.

use std::collections::VecDeque;

/// The number of a reply of one connection, counted from its first.
pub type Ticket = u32;

/// Bytes of replies that went out already and still take memory, before they are cut off.
const GONE_BYTES_MAX: usize = 64 * 1024;

/// A reply in line.
#[derive(Clone, Copy)]
struct Place {
    /// Where its bytes begin, counted from the line's first byte ever kept; nothing while it is not ready.
    start: Option<usize>,
    length: usize,
    /// The client does not want to hear it (CLIENT REPLY).
    is_unwanted: bool,
}

impl Place {
    fn ready(start: usize, length: usize) -> Place {
        Place { start: Some(start), length, is_unwanted: false }
    }
}

/// Replies of one connection that cannot go out yet.
#[derive(Default)]
pub struct Replies {
    /// The first is not ready, or there is none.
    line: VecDeque<Place>,
    /// The ticket of the first in line.
    first: Ticket,
    /// The bytes of all that are ready, in the order in which they became so.
    bytes: Vec<u8>,
    /// How many bytes were cut off before those.
    cut: usize,
    /// How many of the bytes went out already.
    gone: usize,
}

impl Replies {
    /// Whether a reply that is ready now may go out at once.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Takes a place for a reply that comes later; it is dropped then if nobody wants it.
    pub fn promise(&mut self, is_wanted: bool) -> Ticket {
        self.line.push_back(Place { start: None, length: 0, is_unwanted: !is_wanted });
        self.first.wrapping_add(self.line.len() as u32 - 1)
    }

    /// Puts a reply that is ready behind those that are not.
    pub fn push(&mut self, bytes: &[u8]) {
        let end = self.end();
        match self.line.back_mut() {
            Some(Place { start: Some(start), length, .. }) if *start + *length == end => {
                *length += bytes.len()
            }
            _ => self.line.push_back(Place::ready(end, bytes.len())),
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Keeps a promise; what can go out is appended to `output`.
    pub fn keep(&mut self, ticket: Ticket, bytes: &[u8], output: &mut Vec<u8>) {
        let at = ticket.wrapping_sub(self.first) as usize;
        let end = self.end();
        let Some(place) = self.line.get_mut(at) else { return };
        let bytes = if place.is_unwanted { &[] } else { bytes };
        if at > 0 {
            *place = Place::ready(end, bytes.len());
            self.bytes.extend_from_slice(bytes);
            return;
        }
        output.extend_from_slice(bytes);
        self.advance();
        while let Some(Place { start: Some(start), length, .. }) = self.line.front().copied() {
            output.extend_from_slice(&self.bytes[start - self.cut..][..length]);
            self.gone += length;
            self.advance();
        }
        self.cut_off();
    }

    fn end(&self) -> usize {
        self.cut + self.bytes.len()
    }

    fn advance(&mut self) {
        self.line.pop_front();
        self.first = self.first.wrapping_add(1);
    }

    /// Gives memory back: all of it when nobody waits, else what went out, once that is most of it.
    fn cut_off(&mut self) {
        if self.line.is_empty() {
            self.cut += self.bytes.len();
            self.gone = 0;
            self.bytes.clear();
            self.bytes.shrink_to(GONE_BYTES_MAX);
        } else if self.gone > GONE_BYTES_MAX && self.gone > self.bytes.len() / 2 {
            let kept: Vec<u8> = self
                .line
                .iter_mut()
                .flat_map(|place| {
                    let start = place.start.map_or(0, |start| start - self.cut);
                    &self.bytes[start..start + place.length]
                })
                .copied()
                .collect();
            let mut at = self.end();
            for place in self.line.iter_mut().filter(|place| place.start.is_some()) {
                place.start = Some(at);
                at += place.length;
            }
            self.cut = self.end();
            self.bytes = kept;
            self.gone = 0;
        }
    }

    /// How many replies wait.
    pub fn len(&self) -> usize {
        self.line.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_go_out_in_the_order_of_their_commands() {
        let mut replies = Replies::default();
        let mut output = Vec::new();
        let first = replies.promise(true);
        replies.push(b"b");
        replies.push(b"c");
        let second = replies.promise(true);
        let third = replies.promise(true);
        replies.push(b"f");
        replies.keep(third, b"e", &mut output);
        assert!(output.is_empty());
        replies.keep(first, b"a", &mut output);
        assert_eq!(output, b"abc");
        replies.keep(second, b"d", &mut output);
        assert_eq!(output, b"abcdef");
        assert!(replies.is_empty());
        let next = replies.promise(true);
        replies.keep(next, b"g", &mut output);
        assert_eq!(output, b"abcdefg");
        let (unwanted, wanted) = (replies.promise(false), replies.promise(true));
        let also_unwanted = replies.promise(false);
        replies.push(b"i");
        replies.keep(also_unwanted, b"-", &mut output);
        replies.keep(unwanted, b"-", &mut output);
        replies.keep(wanted, b"h", &mut output);
        assert!(output.ends_with(b"hi") && !output.contains(&b'-') && replies.is_empty());
    }
}
