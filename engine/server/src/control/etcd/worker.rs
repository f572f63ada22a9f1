//! The thread that changes the map: one compare-and-swap for each change, and never a change on a guess.
//!
//! A hand-over goes through only if the map, the source's registration and the target's are what they were when it was
//! worked out. If the map alone has moved on, and the change still fits, it is worked out anew. If nobody can tell whether a
//! change went through, a *fence* decides: the map is put again as it is, under the next epoch, so that no earlier request
//! can take effect any more, and then says who owns the slots.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use whimbrel_engine::topology::{MapNode, NodeId, SlotMap};
use whimbrel_migration::{BatchId, Outcome};

use super::gateway::{Gateway, GatewayError, Repeat};
use super::keys::Keys;
use super::outbox::Outbox;
use super::view::{Update, View};
use super::watcher::read_all;
use super::wire::{self, Compare};
use crate::control::change::{Assignment, HandOver, resolved};
use crate::control::codec;
use crate::control::lease::Lease;
use crate::control::store::{Event, Request};

/// How often a change is worked out anew because the map has moved on.
const TRIES_MAX: usize = 16;
/// How long the thread waits before it asks again what became of a change.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// Something to do, and what was known when it was asked for.
pub struct Job {
    pub request: Request,
    pub view: View,
}

/// Changes the map.
pub struct Worker {
    pub gateway: Gateway,
    pub keys: Keys,
    pub process: NodeId,
    pub own: Vec<MapNode>,
    pub lease: Arc<Lease>,
    pub outbox: Outbox,
    /// Hand-overs whose outcome is being found out. At most one a batch, and so bounded by the moves of the process.
    pub doubtful: BTreeMap<BatchId, HandOver>,
}

/// What came of an attempt to change the map.
enum Tried {
    /// It went through.
    Done,
    /// Something has moved on; the view shows how it is now.
    Stale,
}

impl Worker {
    /// Does jobs until nobody has any more.
    pub fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let job = if self.doubtful.is_empty() {
                jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                jobs.recv_timeout(ASK_AGAIN)
            };
            match job {
                Ok(job) => self.begin(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.clear_doubts();
        }
    }

    fn begin(&mut self, job: Job) {
        let mut view = job.view;
        match job.request {
            Request::HandOver(job) => {
                let outcome = self.hand_over(&mut view, &job);
                self.outbox.event(Event::Outcome { batch: job.batch, outcome });
            }
            Request::Resolve(job) => {
                self.doubtful.insert(job.batch, job);
            }
            Request::Read { core } => {
                // Without an answer the core asks again.
                if self.refresh(&mut view).is_ok() {
                    self.outbox.event(Event::Read { core });
                }
            }
            Request::Assign { core, to, change } => {
                let outcome = self.assign(&mut view, &change);
                self.outbox.event(Event::Assigned { core, to, outcome });
            }
        }
    }

    /// Has a batch change hands.
    pub fn hand_over(&mut self, view: &mut View, job: &HandOver) -> Outcome {
        let refused = |reason: String| Outcome::Refused { reason };
        let mut is_fresh = false;
        for _ in 0..TRIES_MAX {
            let incarnation = self.lease.incarnation();
            let now = view.slot_map(&self.own);
            let next = match job.apply(&now, incarnation) {
                Ok(next) => next,
                // The store may know better than this process has heard yet.
                Err(_) if !is_fresh => match self.refresh(view) {
                    Ok(()) => {
                        is_fresh = true;
                        continue;
                    }
                    Err(error) => return refused(error.to_string()),
                },
                Err(reason) => return refused(reason),
            };
            let target = now.node(&job.target).map(|node| node.process);
            let target = target.expect("a hand-over that can be worked out has a target");
            let compares = [
                Compare::Created(self.keys.registration(&self.process), incarnation),
                Compare::Created(self.keys.registration(&target), job.target_incarnation.0),
            ];
            match self.swap(view, &next, &compares) {
                Ok(Tried::Done) => {
                    return Outcome::Committed { map: codec::encode(&view.slot_map(&self.own)) };
                }
                Ok(Tried::Stale) => is_fresh = true,
                Err(GatewayError::Unknown(_)) => return Outcome::Unknown,
                Err(error) => return refused(error.to_string()),
            }
        }
        refused("the map has moved on too often".to_owned())
    }

    /// Changes the map as an operator asks; the error is the reply.
    fn assign(&mut self, view: &mut View, change: &Assignment) -> Result<(), String> {
        let told = |error: GatewayError| match error {
            GatewayError::Unknown(reason) => {
                format!("CLUSTERDOWN The outcome is not known, see CLUSTER NODES: {reason}")
            }
            error => format!("CLUSTERDOWN Nothing has changed: {error}"),
        };
        self.refresh(view).map_err(told)?;
        for _ in 0..TRIES_MAX {
            let incarnation = self.lease.incarnation();
            let assigned = change.apply(&view.slot_map(&self.own), &self.process);
            let assigned = assigned.map_err(|error| error.to_string())?;
            let mut compares = vec![Compare::Created(self.keys.registration(&self.process), incarnation)];
            compares
                .extend(assigned.gone.iter().map(|gone| Compare::Created(self.keys.registration(gone), 0)));
            match self.swap(view, &assigned.map, &compares) {
                Ok(Tried::Done) => return Ok(()),
                Ok(Tried::Stale) => {}
                Err(error) => return Err(told(error)),
            }
        }
        Err("TRYAGAIN The map has moved on too often".to_owned())
    }

    /// Finds out what became of hand-overs. One that nobody answers for is asked about again.
    fn clear_doubts(&mut self) {
        let doubtful: Vec<HandOver> = self.doubtful.values().cloned().collect();
        for job in doubtful {
            match self.resolve(&job) {
                Ok(outcome) => {
                    self.doubtful.remove(&job.batch);
                    self.outbox.event(Event::Outcome { batch: job.batch, outcome });
                }
                Err(_) => return,
            }
        }
    }

    /// Finds out what became of a hand-over, by a fence.
    pub fn resolve(&mut self, job: &HandOver) -> Result<Outcome, GatewayError> {
        let mut view = View::default();
        self.refresh(&mut view)?;
        loop {
            let now = view.slot_map(&self.own);
            let outcome = resolved(job, &now);
            if matches!(outcome, Outcome::Committed { .. }) {
                return Ok(outcome);
            }
            let fence = now.with([], None, now.epoch() + 1).expect("nobody is given anything");
            match self.swap(&mut view, &fence, &[])? {
                Tried::Done => return Ok(outcome),
                Tried::Stale => {}
            }
        }
    }

    /// Replaces the map that `view` shows, if it still stands and everything else holds too. Afterwards `view` shows what
    /// the store holds.
    fn swap(&mut self, view: &mut View, next: &SlotMap, compares: &[Compare]) -> Result<Tried, GatewayError> {
        let Some(changed) = view.map_changed() else {
            return Err(GatewayError::Refused("the map there cannot be read".to_owned()));
        };
        let mut all = vec![Compare::Changed(self.keys.map.clone(), changed)];
        all.extend(compares.iter().cloned());
        let value = codec::encode_owners(next);
        let body = wire::transaction(&all, &self.keys.map, &value, None, &self.keys.prefix);
        let answer = self.gateway.post("/v3/kv/txn", &body, Repeat::IfUnsent)?;
        let transacted = wire::transacted(&answer)
            .ok_or_else(|| GatewayError::Unknown("the answer is not of etcd's form".to_owned()))?;
        self.learn(view, Update::All { revision: transacted.revision, pairs: transacted.pairs });
        Ok(if transacted.succeeded { Tried::Done } else { Tried::Stale })
    }

    fn refresh(&mut self, view: &mut View) -> Result<(), GatewayError> {
        let (_, update) = read_all(&mut self.gateway, &self.keys)?;
        self.learn(view, update);
        Ok(())
    }

    /// Takes in what was read, and tells the housekeeping thread.
    fn learn(&self, view: &mut View, update: Update) {
        view.apply(&self.keys, update.clone());
        self.outbox.update(update);
    }
}
