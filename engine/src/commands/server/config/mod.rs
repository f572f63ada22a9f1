//! CONFIG: the settings.

mod get;
mod help;
mod resetstat;
mod rewrite;
mod set;

use crate::commands::{Group, Spec};

/// CONFIG.
pub const SPEC: Spec = Spec {
    name: "config",
    syntax: "<subcommand> [<arg> ...]",
    arity: -2,
    since: "2.0.0",
    group: Group::Server,
    summary: "Commands about the settings.",
    complexity: "Depends on the subcommand.",
    subcommands: &[&get::SPEC, &help::SPEC, &resetstat::SPEC, &rewrite::SPEC, &set::SPEC],
    ..Spec::BASE
};
