//! Commands on strings.

mod get;
mod getex;
mod msetex;
mod options;
mod set;
mod value;

use super::spec::Spec;

/// The group's commands.
pub const SPECS: &[&Spec] = &[&get::SPEC, &getex::SPEC, &msetex::SPEC, &set::SPEC];
