//! Commands about the server.

mod command;
mod config;
mod dbsize;
mod info;

use super::spec::Spec;

/// The group's commands.
pub const SPECS: &[&Spec] = &[&command::SPEC, &config::SPEC, &dbsize::SPEC, &info::SPEC];
