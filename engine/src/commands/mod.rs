//! Commands: what each one is (its spec), how one is found, checked and run.

mod categories;
mod context;
mod destination;
mod error;
mod execute;
mod flags;
mod help;
mod keys;
mod lookup;
mod redirect;
mod registry;
mod route;
mod spec;
mod split;
mod text;

pub mod cluster;
pub mod connection;
pub mod generic;
pub mod hash;
pub mod server;
pub mod string;
#[cfg(test)]
pub mod testing;

pub use categories::{Categories, Category};
pub use context::{Context, PartContext};
pub use destination::{Destination, destination};
pub use error::CommandError;
pub use execute::{Executed, execute, execute_resolved, finish, finish_group, resolve, settle_reply_mode};
pub use flags::{Flag, Flags};
pub use help::run_help;
pub use keys::{Access, Begin, Find, FindKeys, KeyError, KeySpec, Keys, for_each_key};
pub use lookup::{CommandId, Resolved, all, lookup, lookup_full, lookup_subcommand};
pub use registry::SPECS;
pub use route::{Gather, Merge, Route, run_gather};
pub use spec::{Group, Run, Spec, unknown_subcommand};
pub use split::{SplitPart, join, split};
