//! Commands about the server.

mod command;

use super::spec::Spec;

/// The group's commands.
pub const SPECS: &[&Spec] = &[&command::SPEC];
