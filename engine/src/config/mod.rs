//! The configuration: one table of parameters, and everything that is said about them made from it.
//!
//! A parameter stands in one place, its row in `table.rs`: name, type, range, default, when it may change, and its
//! line of documentation. The row makes the field of [`Config`], `CONFIG GET/SET/REWRITE`, the option on the command
//! line, the line in the configuration file and the row in the documentation.
//!
//! A parameter of Redis that Whimbrel does not implement never pretends: it is either accepted at the one value that
//! describes what Whimbrel does ([`Kind::Only`]), or refused with what to do instead (`refused.rs`), or unknown.

mod choice;
mod cpus;
mod document;
mod file;
mod kind;
mod line;
mod output_limits;
mod parameter;
mod query;
mod refused;
mod rewrite;
mod table;
mod value;

pub use choice::{Choice, DebugCommand, LogLevel, MaxmemoryPolicy};
pub use cpus::CpuList;
pub use document::{default_of, markdown, takes};
pub use file::{FAULTS_MAX, FileError, FileFault, Included, load};
pub use kind::{Kind, Rejection};
pub use line::{quoted, split};
pub use output_limits::{ClientClass, OutputLimit, OutputLimits};
pub use parameter::{Group, Parameter, When};
pub use query::SetError;
pub use refused::remedy;
pub use rewrite::rewrite;
pub use table::{Ceilings, Config, parameter, parameters};
pub use value::{Secret, Value};
