//! What is asked of whoever keeps the map, and what comes of it.

use std::sync::Arc;

use whimbrel_engine::topology::{Heir, HeirId, SlotMap};

use super::change::{Assignment, Conclusion};
use super::etcd::Etcd;
use super::local::Local;
use crate::service::message::ReturnAddress;

/// What is asked of the map's keeper.
pub enum Request {
    /// An heir is to be named.
    Appoint { core: usize, heir: Heir },
    /// An appointment is to end. It is tried until the map does not name the heir.
    Conclude(HeirId, Conclusion),
    /// The newest map, for a core that must not go by an older one.
    Read { core: usize },
    /// An operator gives slots out.
    Assign { core: usize, to: ReturnAddress, change: Assignment },
}

/// What comes of it.
pub enum Event {
    /// A newer map.
    Map(Arc<SlotMap>),
    /// The map that names an heir, as it is written, or why there is none.
    Appointed { core: usize, heir: HeirId, outcome: Result<Vec<u8>, String> },
    /// The map as it is now is the newest that there was when the core asked.
    Read { core: usize },
    /// What became of an operator's change; an error is the reply's text.
    Assigned { core: usize, to: ReturnAddress, outcome: Result<(), String> },
}

/// Who keeps the map.
pub enum Store {
    /// This process alone.
    Local(Local),
    /// etcd, for several processes.
    Etcd(Box<Etcd>),
}

impl Store {
    /// Asks; what is known at once is answered at once.
    pub fn ask(&mut self, request: Request) -> Vec<Event> {
        match self {
            Self::Local(local) => local.answer(request),
            Self::Etcd(etcd) => etcd.ask(request),
        }
    }

    /// What has come meanwhile.
    pub fn events(&mut self) -> Vec<Event> {
        match self {
            Self::Local(_) => Vec::new(),
            Self::Etcd(etcd) => etcd.events(),
        }
    }

    /// Leaves the cluster. For a process that serves nothing any more.
    pub fn close(&mut self) {
        if let Self::Etcd(etcd) = self {
            etcd.close();
        }
    }
}
