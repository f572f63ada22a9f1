//! Replies in line: a reply that is ready waits while one before it is still made on another core.

use std::collections::VecDeque;

/// The number of a reply of one connection, counted from its first.
pub type Ticket = u32;

/// Replies of one connection that cannot go out yet.
#[derive(Default)]
pub struct Replies {
    /// The first is not ready, or there is none.
    line: VecDeque<Option<Vec<u8>>>,
    /// The ticket of the first in line.
    first: Ticket,
}

impl Replies {
    /// Whether a reply that is ready now may go out at once.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// Takes a place for a reply that comes later.
    pub fn promise(&mut self) -> Ticket {
        self.line.push_back(None);
        self.first.wrapping_add(self.line.len() as u32 - 1)
    }

    /// Puts a reply that is ready behind those that are not.
    pub fn push(&mut self, bytes: &[u8]) {
        match self.line.back_mut() {
            Some(Some(last)) => last.extend_from_slice(bytes),
            _ => self.line.push_back(Some(bytes.to_vec())),
        }
    }

    /// Keeps a promise; what can go out is appended to `output`.
    pub fn keep(&mut self, ticket: Ticket, bytes: &[u8], output: &mut Vec<u8>) {
        let place = ticket.wrapping_sub(self.first) as usize;
        let Some(promised) = self.line.get_mut(place) else { return };
        if place == 0 {
            output.extend_from_slice(bytes);
            self.line.pop_front();
            self.first = self.first.wrapping_add(1);
            while let Some(ready) = self.line.pop_front_if(|next| next.is_some()).flatten() {
                output.extend_from_slice(&ready);
                self.first = self.first.wrapping_add(1);
            }
        } else {
            *promised = Some(bytes.to_vec());
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
        let first = replies.promise();
        replies.push(b"b");
        replies.push(b"c");
        let second = replies.promise();
        let third = replies.promise();
        replies.push(b"f");
        replies.keep(third, b"e", &mut output);
        assert!(output.is_empty());
        replies.keep(first, b"a", &mut output);
        assert_eq!(output, b"abc");
        replies.keep(second, b"d", &mut output);
        assert_eq!(output, b"abcdef");
        assert!(replies.is_empty());
        let next = replies.promise();
        replies.keep(next, b"g", &mut output);
        assert_eq!(output, b"abcdefg");
    }
}
