//! What the machine tells and allows: CPUs, the time that a process ran, memory.

pub mod cpus;
pub mod facts;
pub mod family;
pub mod memory;
pub mod priority;
pub mod schedstat;
pub mod stalls;
