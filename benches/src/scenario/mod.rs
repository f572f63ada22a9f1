//! Scenarios: servers side by side, pinned, measured in turn and repeatedly, reported as medians.

pub mod cell;
pub mod command;
pub mod measuring;
pub mod memory_row;
pub mod moves;
pub mod options;
pub mod peer;
pub mod results;
pub mod rows;
pub mod sample;
pub mod server;
pub mod table;
pub mod tail_row;
pub mod two_cores_row;
