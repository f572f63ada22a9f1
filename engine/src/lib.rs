//! The data of one core: arena, slots, types, commands, RESP, sessions, forks, deltas.
//!
//! No I/O, no threads, no clock and no randomness here: those are arguments.

pub mod arena;
pub mod commands;
pub mod config;
pub mod core;
pub mod glob;
pub mod key;
pub mod number;
pub mod record;
pub mod resp;
pub mod session;
pub mod topology;
