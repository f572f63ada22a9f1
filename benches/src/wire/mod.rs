//! Bytes to and from a server: sockets, counted replies, and a plain client for set-up.

pub mod control;
pub mod memcached_replies;
pub mod replies;
pub mod resp_replies;
pub mod socket;
pub mod value;
