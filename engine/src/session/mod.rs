//! Who is connected: one session per client, and all sessions of a core.

mod client;
mod slab;

pub use client::{ClientId, ReplyMode, Session};
pub use slab::{SessionIndex, Sessions};
