//! Cluster mode as a client sees it: slots of keys, the slot map, redirections.

pub mod redirect;
pub mod refresher;
pub mod slot;
pub mod slot_map;
