//! The map of a cluster in etcd, by the JSON gateway of its v3 interface.
//!
//! | thread | what it does |
//! |---|---|
//! | `etcd-keeper` | keeps the process registered under a lease, and knows until when it may serve |
//! | `etcd-watcher` | hears of every change of the cluster's keys |
//! | `etcd-worker` | changes the map, one compare-and-swap at a time |
//!
//! All three wait for the network, so none of them is pinned, and no core waits for them. What they read goes to the
//! housekeeping thread, which makes one view of it.

pub mod gateway;
mod keeper;
pub mod keys;
mod outbox;
#[cfg(test)]
mod tests;
mod view;
mod watcher;
pub mod wire;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use serde_json::json;
use whimbrel_engine::topology::{MapNode, NodeId};
use whimbrel_net::{Waker, run_promptly};

use super::lease::Lease;
use super::store::{Event, Request};
use gateway::{Gateway, Repeat};
use keeper::Keeper;
use keys::Keys;
use outbox::{Outbox, Said};
use view::View;
use watcher::Watcher;
use worker::{Job, Worker};

/// What the threads may have said that the housekeeping thread has not heard yet.
const SAID_MAX: usize = 1024;
/// Changes that may wait for the worker; further ones are refused.
const JOBS_MAX: usize = 1024;

/// How a process takes part in a cluster.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The cluster's name.
    pub cluster: String,
    /// etcd's endpoints.
    pub endpoints: Vec<String>,
    /// The length of the lease.
    pub lease: Duration,
    /// The process.
    pub process: NodeId,
    /// Its nodes.
    pub own: Vec<MapNode>,
}

/// The map of a cluster in etcd.
pub(super) struct Etcd {
    keys: Keys,
    membership: Membership,
    view: View,
    jobs: SyncSender<Job>,
    said: Receiver<Said>,
    lease: Arc<Lease>,
    is_gone: Arc<AtomicBool>,
    stopping: Arc<AtomicBool>,
}

/// A thread that cores wait for: while slots change hands, or when a lease runs out.
fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let promptly = move || {
        run_promptly();
        run();
    };
    Builder::new().name(name.to_owned()).spawn(promptly).map(drop)
}

impl Etcd {
    /// Starts the threads. The first events follow when etcd has answered.
    pub fn start(membership: Membership, lease: Arc<Lease>, waker: Waker) -> std::io::Result<Etcd> {
        let (sender, said) = sync_channel(SAID_MAX);
        let (jobs, receiver) = sync_channel(JOBS_MAX);
        let outbox = Outbox::new(sender, waker);
        let keys = Keys::new(&membership.cluster);
        let stopping = Arc::new(AtomicBool::new(false));
        let is_gone = Arc::new(AtomicBool::new(false));
        let view = View::default();
        let etcd = Etcd { keys, view, jobs, said, lease: Arc::clone(&lease), is_gone, stopping, membership };
        let Membership { process, own, lease: length, .. } = etcd.membership.clone();
        let keeper = Keeper {
            gateway: etcd.gateway(),
            keys: etcd.keys.clone(),
            process,
            own: own.clone(),
            lease: Arc::clone(&lease),
            length,
            outbox: outbox.clone(),
            is_gone: Arc::clone(&etcd.is_gone),
            stopping: Arc::clone(&etcd.stopping),
        };
        let watcher = Watcher {
            gateway: etcd.gateway(),
            keys: etcd.keys.clone(),
            outbox: outbox.clone(),
            stopping: Arc::clone(&etcd.stopping),
        };
        let worker = Worker {
            gateway: etcd.gateway(),
            keys: etcd.keys.clone(),
            process,
            own,
            lease,
            outbox,
            open: BTreeMap::new(),
        };
        spawn("etcd-keeper", move || keeper.run())?;
        spawn("etcd-watcher", move || watcher.run())?;
        spawn("etcd-worker", move || worker.run(&receiver))?;
        Ok(etcd)
    }

    /// A gateway whose requests end early enough that several endpoints can be asked before a lease runs out.
    fn gateway(&self) -> Gateway {
        const TIMEOUT_MAX: Duration = Duration::from_secs(2);
        Gateway::new(&self.membership.endpoints, (self.membership.lease / 4).min(TIMEOUT_MAX))
    }

    /// Asks; the answer follows among the events. What finds no room is refused at once.
    pub fn ask(&mut self, request: Request) -> Vec<Event> {
        let job = Job { request, view: self.view.clone() };
        let Err(error) = self.jobs.try_send(job) else { return Vec::new() };
        let (std::sync::mpsc::TrySendError::Full(job) | std::sync::mpsc::TrySendError::Disconnected(job)) =
            error;
        let busy = || "too many changes wait for the cluster's store".to_owned();
        match job.request {
            Request::Appoint { core, heir } => {
                vec![Event::Appointed { core, heir: heir.id, outcome: Err(busy()) }]
            }
            // The cores ask again: for every map that still names the heir.
            Request::Conclude(..) | Request::Read { .. } => Vec::new(),
            Request::Assign { core, to, .. } => {
                vec![Event::Assigned { core, to, outcome: Err(format!("TRYAGAIN {}", busy())) }]
            }
        }
    }

    /// What has come meanwhile.
    pub fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Ok(said) = self.said.try_recv() {
            match said {
                Said::Read(update) => {
                    if self.view.apply(&self.keys, update) {
                        let map = self.view.slot_map(&self.membership.own);
                        events.push(Event::Map(Arc::new(map)));
                        self.look_for_registration();
                    }
                }
                Said::Decided(event) => events.push(event),
            }
        }
        events
    }

    /// A registration that somebody has taken away although its lease runs is made anew.
    fn look_for_registration(&self) {
        let registered = self.lease.incarnation();
        let shown = self.view.incarnation(&self.keys, &self.membership.process);
        if is_taken_away(self.view.revision(), shown, registered) {
            self.is_gone.store(true, Ordering::Release);
        }
    }

    /// Takes the registration away, so that nobody waits for the lease to run out. For a process that serves nothing any more.
    pub fn close(&mut self) {
        self.stopping.store(true, Ordering::Release);
        let key = self.keys.registration(&self.membership.process);
        let delete = json!({"key": wire::base64(key)});
        // If nobody hears it, the lease runs out by itself.
        let _ = self.gateway().post("/v3/kv/deleterange", &delete, Repeat::Freely);
    }
}

/// Whether a view that shows a registration `shown` (0: none) at `revision` shows that `registered` is gone. A registration
/// of this process that is newer is one that its lease is only about to be told of.
fn is_taken_away(revision: u64, shown: u64, registered: u64) -> bool {
    revision >= registered && shown < registered
}
