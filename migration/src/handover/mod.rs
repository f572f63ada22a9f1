//! When to pause writes: predicting how long the rest takes, and how soon to try again.

mod drain;
mod pauses;

pub use drain::Drain;
pub use pauses::Pauses;
