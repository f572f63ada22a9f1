//! Replies in line: a reply that is ready waits while one before it is still made on another core.

use std::collections::VecDeque;

/// The number of a reply of one connection, counted from its first.
pub type Ticket = u32;

/// A place in line.
enum Place {
    /// The reply is still made.
    Awaited,
    /// The same, but the client does not want to hear it (CLIENT REPLY).
    Unwanted,
    Ready(Vec<u8>),
}

/// Replies of one connection that cannot go out yet.
#[derive(Default)]
pub struct Replies {
    /// The first is not ready, or there is none.
    line: VecDeque<Place>,
    /// The ticket of the first in line.
    first: Ticket,
}

impl Replies {
    /// Whether a reply that is ready now may go out at once.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Takes a place for a reply that comes later; it is dropped then if nobody wants it.
    pub fn promise(&mut self, is_wanted: bool) -> Ticket {
        self.line.push_back(if is_wanted { Place::Awaited } else { Place::Unwanted });
        self.first.wrapping_add(self.line.len() as u32 - 1)
    }

    /// Puts a reply that is ready behind those that are not.
    pub fn push(&mut self, bytes: &[u8]) {
        match self.line.back_mut() {
            Some(Place::Ready(last)) => last.extend_from_slice(bytes),
            _ => self.line.push_back(Place::Ready(bytes.to_vec())),
        }
    }

    /// Keeps a promise; what can go out is appended to `output`.
    pub fn keep(&mut self, ticket: Ticket, bytes: &[u8], output: &mut Vec<u8>) {
        let place = ticket.wrapping_sub(self.first) as usize;
        let Some(promised) = self.line.get_mut(place) else { return };
        let bytes = if let Place::Unwanted = promised { &[] } else { bytes };
        if place == 0 {
            output.extend_from_slice(bytes);
            self.line.pop_front();
            self.first = self.first.wrapping_add(1);
            while let Some(Place::Ready(ready)) =
                self.line.pop_front_if(|next| matches!(next, Place::Ready(_)))
            {
                output.extend_from_slice(&ready);
                self.first = self.first.wrapping_add(1);
            }
        } else {
            *promised = Place::Ready(bytes.to_vec());
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
