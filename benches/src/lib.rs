//! Load generator and scenarios: measures Whimbrel beside its peers.

pub mod cluster;
pub mod figure;
pub mod load;
pub mod machine;
pub mod micro;
pub mod scenario;
pub mod traffic;
pub mod wire;
