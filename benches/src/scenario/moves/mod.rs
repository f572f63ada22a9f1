//! M1–M9: slots move between two nodes of each product while traffic flows, measured from the client.
//!
//! A cell starts a fresh pair of nodes, fills it, and moves half of the slots once; repeats and products take turns.

mod cell;
mod dialect;
mod etcd;
pub mod figures;
mod heavy;
mod judging;
mod link;
mod measuring;
mod network;
mod pair;
mod probe;
mod reading;
mod source;
pub mod table;
mod traffic;
mod turns;
mod windows;

pub use measuring::measure_moves;
