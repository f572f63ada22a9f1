//! The process: joins the engine and the reactor into `whimbrel`.

pub mod banner;
pub mod checks;
pub mod cli;
pub mod cluster;
pub mod control;
pub mod facts;
pub mod file;
pub mod listeners;
pub mod log;
pub mod memory;
pub mod plan;
pub mod protection;
pub mod service;
pub mod signals;
pub mod start;
