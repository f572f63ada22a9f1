//! Commands about the connection itself.

mod echo;
mod ping;

use super::spec::Spec;

/// The group's commands.
pub const SPECS: &[&Spec] = &[&echo::SPEC, &ping::SPEC];
