//! Commands about the server.

mod command;
mod config;
mod dbsize;
mod debug;
mod flushall;
mod flushdb;
mod info;
mod latency;
mod lolwut;
mod memory;
mod shutdown;
mod slowlog;
mod time;

use super::spec::Spec;

/// The group's commands.
pub const SPECS: &[&Spec] = &[
    &command::SPEC,
    &config::SPEC,
    &dbsize::SPEC,
    &debug::SPEC,
    &flushall::SPEC,
    &flushdb::SPEC,
    &info::SPEC,
    &latency::SPEC,
    &lolwut::SPEC,
    &memory::SPEC,
    &shutdown::SPEC,
    &slowlog::SPEC,
    &time::SPEC,
];
