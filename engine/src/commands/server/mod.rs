//! Commands about the server.

mod command;
mod config;
mod dbsize;
mod debug;
mod flushall;
mod flushdb;
mod info;
mod shutdown;
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
    &shutdown::SPEC,
    &time::SPEC,
];
