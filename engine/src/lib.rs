//! The data of one core: arena, slots, types, commands, RESP, sessions, forks, deltas.
//!
//! No I/O, no threads, no clock and no randomness here: those are arguments.

pub mod access;
pub mod arena;
pub mod commands;
pub mod config;
pub mod core;
pub mod glob;
pub mod info;
pub mod key;
pub mod large;
pub mod latency;
pub mod memory;
pub mod moves;
pub mod number;
pub mod object;
pub mod record;
pub mod resp;
pub mod session;
pub mod shard;
pub mod slowlog;
pub mod table;
pub mod topology;
pub mod version;
