//! What took long, and how long commands take: the data behind LATENCY.
//!
//! The monitor keeps the spikes of named events over time; histograms keep the times of every call of a command.

mod doctor;
mod graph;
mod histogram;
mod monitor;
mod series;

pub use doctor::DoctorFacts;
pub use histogram::Histogram;
pub use monitor::Monitor;
pub use series::{Sample, Series, Summary};
