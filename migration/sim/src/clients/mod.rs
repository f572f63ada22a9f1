//! Clients: what they ask, of which keys, and how they go about it.

mod client;
mod command;
mod keyspace;

pub use client::{Client, Reply};
pub use command::{Answer, Command, Shown, Verb};
pub use keyspace::{Keyspace, KeyspaceNature};
