//! The wire protocol: requests in (ranges in the caller's bytes), replies out (RESP2 and RESP3).

mod arguments;
mod element;
mod inline;
mod parser;
mod reply;

pub use arguments::{ArgumentRange, Arguments, OwnedArguments};
pub use element::reply_len;
pub use inline::{Unbalanced, split_inline};
pub use parser::{
    Batch, Filled, LINE_BYTES_MAX, Limits, Parser, Progress, ProtocolError, Stop, first_argument,
};
pub use reply::{DIGITS_MAX, Deferred, Digits, PINNED_BYTES_MIN, Piece, Pinned, Protocol, Reply};
