//! Commands about the connection itself.

mod asking;
mod auth;
mod client;
mod echo;
mod hello;
mod ping;
mod quit;
mod readonly;
mod readwrite;
mod reset;
mod select;

use super::context::Context;
use super::error::CommandError;
use super::spec::Spec;

/// The group's commands.
pub const SPECS: &[&Spec] = &[
    &asking::SPEC,
    &auth::SPEC,
    &client::SPEC,
    &echo::SPEC,
    &hello::SPEC,
    &ping::SPEC,
    &quit::SPEC,
    &readonly::SPEC,
    &readwrite::SPEC,
    &reset::SPEC,
    &select::SPEC,
];

/// The error for commands that mean nothing without cluster mode.
fn require_cluster(context: &Context<'_>) -> Result<(), CommandError> {
    if context.core.config.cluster_enabled {
        return Ok(());
    }
    Err(CommandError::Static("ERR This instance has cluster support disabled"))
}
