//! The simulator of slot moves: real shards and the real machines of `migration`, everything else under one seed.
//!
//! A run is a pure function of its seed: chance, time, networks, clocks, crashes, the map store, clients and operators all
//! follow from it. [`run`] makes one and says what did not hold, if anything; the same seed tells the same story again.

mod agenda;
mod checks;
mod clients;
mod clock;
mod core;
mod dice;
mod env;
mod event;
mod mischief;
mod mutation;
mod network;
mod operator;
mod process;
mod run;
mod scenario;
mod shards;
mod store;
mod story;
mod totals;
mod world;

pub use checks::{Invariant, Violation};
pub use mutation::Mutation;
pub use run::{Outcome, Runner};
pub use totals::{Faults, Totals};
