//! Micro benchmarks: one structure at a time, in this process, in nanoseconds an operation.

pub mod command;
mod fork;
mod memory;
mod moving;
mod parse;
mod shard;
mod timing;
