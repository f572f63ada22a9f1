//! Who is connected: one session per client, and all sessions of a core.

mod client;
mod describe;
mod filter;
mod slab;

pub use client::{ClientId, Closing, ReplyMode, Session, Traffic};
pub use describe::describe;
pub use filter::Filter;
pub use slab::{SessionIndex, Sessions};
