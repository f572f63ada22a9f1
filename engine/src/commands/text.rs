//! Values as replies: each in the form that costs least to send.

use std::rc::Rc;

use crate::large::Chunk;
use crate::resp::{PINNED_BYTES_MIN, Pinned, Reply};
use crate::shard::Text;

/// A piece of a value that a reply holds until it is sent.
struct Held(Rc<Chunk>);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

impl Reply {
    /// A bulk string with the value. A long one is sent from where it lies.
    #[inline]
    pub fn bulk_text(&mut self, text: Text<'_>) {
        match text {
            Text::Bytes(bytes) => self.bulk(bytes),
            Text::Integer(value) => self.bulk_integer(value),
            Text::Large(string) if string.len() < PINNED_BYTES_MIN => self.bulk(text.bytes()),
            Text::Large(string) => {
                self.bulk_pinned(
                    string.chunks().iter().map(|chunk| Box::new(Held(Rc::clone(chunk))) as Pinned),
                );
            }
        }
    }

    /// The value, or null.
    #[inline]
    pub fn bulk_text_or_null(&mut self, text: Option<Text<'_>>) {
        match text {
            Some(text) => self.bulk_text(text),
            None => self.null(),
        }
    }
}
