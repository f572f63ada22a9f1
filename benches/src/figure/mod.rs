//! The README's figure: CPU time per operation of every server, drawn from results.

pub mod chart;
pub mod command;
mod svg;
