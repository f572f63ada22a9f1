//! The network between cores: connections that delay, spoil, cut and half-open.

mod connection;
mod stream;

pub use connection::{ConnectionId, End, Network, NetworkNature};
