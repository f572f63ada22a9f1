//! The load generator: connections that send a workload in a closed or an open loop and time the replies.

pub mod command;
mod connection;
mod in_flight;
pub mod kept;
pub mod options;
mod pace;
pub mod plan;
mod recorder;
pub mod report;
mod router;
pub mod run;
mod sending;
mod settling;
mod worker;
