//! INFO: what a core counts, how the counts of all cores become one, and the text that clients and exporters read.
//!
//! A core fills [`CoreStats`] and hands it over as bytes; the core that was asked merges them and renders the sections
//! that were asked for. Field names are those of Redis and Valkey. A field is left out where Whimbrel has no such thing
//! (scripts, modules, I/O threads); where 0 is the truth it is 0.

pub(crate) mod codec;
mod core_stats;
mod counters;
mod observed;
mod process;
mod rate;
mod sections;

pub use core_stats::{CommandCount, CoreStats, LimitUse};
pub use counters::Counters;
pub use observed::Observed;
pub use process::Process;
pub use rate::Rate;
pub use sections::{Section, Selection, View, render};
