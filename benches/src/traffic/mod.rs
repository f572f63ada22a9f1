//! What is sent and when: commands, keys and arrival times, all drawn from one seed.

pub mod arrivals;
pub mod decimal;
pub mod keys;
pub mod random;
pub mod template;
pub mod workload;
pub mod zipf;
