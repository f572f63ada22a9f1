//! Two nodes of a cluster with a real etcd, clients that write all the time, and what can go wrong between them.

#![allow(dead_code, unused_imports, reason = "each test uses what it needs of this")]

mod cluster;
mod data;
mod etcd;
mod link;
mod network;
mod node;
mod owners;
mod sizes;
mod writer;

pub use cluster::{Cluster, MOVING, Outcome, STAYING};
pub use data::{Data, key_in};
pub use etcd::is_etcd_there;
pub use link::Link;
pub use network::Network;
pub use owners::Owners;
pub use sizes::Sizes;
pub use writer::{Writers, Written};
