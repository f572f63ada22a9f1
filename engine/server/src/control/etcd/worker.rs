//! The thread that changes the map: one compare-and-swap for each change, and never a change on a guess.
//!
//! A change goes through only if the map is what it was when the change was worked out, and for an heir that is to be named
//! the source's registration and the target's too. If the map alone has moved on, and the change still fits, it is worked
//! out anew. What concerns heirs is tried until it is so, or can never be: carried out late, or twice, it does no harm. An
//! heir that its source does not want any more is withdrawn as soon as it is seen, one that was withdrawn is never named
//! again, and what was given away or dropped stays so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use whimbrel_engine::topology::{Heir, HeirId, MapNode, NodeId, SlotMap};

use super::gateway::{Gateway, GatewayError, Repeat};
use super::keys::Keys;
use super::outbox::Outbox;
use super::view::{Update, View};
use super::watcher::read_all;
use super::wire::{self, Compare};
use crate::control::change::{Appointed, Assignment, Conclusion, appoint};
use crate::control::codec;
use crate::control::lease::Lease;
use crate::control::store::{Event, Request};

/// How often a change is worked out anew because the map has moved on.
const TRIES_MAX: usize = 16;
/// How long the thread waits before it tries again what is not so yet.
const TRY_AGAIN: Duration = Duration::from_millis(50);

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
    /// What is not so yet. At most one thing an heir, and so bounded by the moves of the process.
    pub open: BTreeMap<HeirId, Open>,
}

/// What is to become of an heir.
#[derive(Clone, Debug)]
pub enum Open {
    /// It is to be named, for a core that waits for it.
    Appoint(usize, Heir),
    /// It is to be named no more.
    Conclude(Conclusion),
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
            let job = if self.open.is_empty() {
                jobs.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                jobs.recv_timeout(TRY_AGAIN)
            };
            match job {
                Ok(job) => self.begin(job),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.try_open();
        }
    }

    fn begin(&mut self, job: Job) {
        let mut view = job.view;
        match job.request {
            Request::Appoint { core, heir } => self.begin_open(&mut view, heir.id, Open::Appoint(core, heir)),
            Request::Conclude(heir, conclusion) => {
                self.begin_open(&mut view, heir, Open::Conclude(conclusion));
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

    /// Tries something that concerns an heir, in place of what was tried before.
    fn begin_open(&mut self, view: &mut View, heir: HeirId, open: Open) {
        self.open.insert(heir, open.clone());
        if self.advance(view, &heir, &open, false) {
            self.open.remove(&heir);
        }
    }

    /// Tries once more what is not so yet, by the map as it is now.
    fn try_open(&mut self) {
        let mut view = View::default();
        for (heir, open) in self.open.clone() {
            if self.refresh(&mut view).is_err() {
                return;
            }
            if self.advance(&mut view, &heir, &open, true) {
                self.open.remove(&heir);
            }
        }
    }

    /// One attempt; whether nothing is left to do.
    fn advance(&mut self, view: &mut View, heir: &HeirId, open: &Open, is_fresh: bool) -> bool {
        match open {
            Open::Appoint(core, heir) => {
                let outcome = self.appoint(view, heir, is_fresh);
                let is_known = outcome.is_some();
                if let Some(outcome) = outcome {
                    self.outbox.event(Event::Appointed { core: *core, heir: heir.id, outcome });
                }
                is_known
            }
            Open::Conclude(conclusion) => self.conclude(view, heir, *conclusion, is_fresh),
        }
    }

    /// Has the map name an heir: the map that does, or why none ever will; none if that is not known yet. `is_fresh`: nothing
    /// that is newer than the view was there when it was asked for.
    pub fn appoint(
        &mut self,
        view: &mut View,
        heir: &Heir,
        mut is_fresh: bool,
    ) -> Option<Result<Vec<u8>, String>> {
        for _ in 0..TRIES_MAX {
            let now = view.slot_map(&self.own);
            let next = match appoint(heir, &now) {
                Ok(Appointed::Already) => return Some(Ok(codec::encode(&now))),
                Ok(Appointed::Next(next)) => next,
                // The store may know better than this process has heard yet.
                Ok(Appointed::Later) | Err(_) if !is_fresh => {
                    self.refresh(view).ok()?;
                    is_fresh = true;
                    continue;
                }
                Ok(Appointed::Later) => return None,
                Err(reason) => return Some(Err(reason)),
            };
            let target = now.node(&heir.target).map(|node| node.process);
            let target = target.expect("an heir that may be named is registered");
            let compares = [
                Compare::Created(self.keys.registration(&self.process), heir.source_incarnation),
                Compare::Created(self.keys.registration(&target), heir.target_incarnation),
            ];
            match self.swap(view, &next, &compares) {
                Ok(Tried::Done) => return Some(Ok(codec::encode(&view.slot_map(&self.own)))),
                Ok(Tried::Stale) => is_fresh = true,
                Err(GatewayError::Refused(reason)) => return Some(Err(reason)),
                Err(_) => return None,
            }
        }
        None
    }

    /// Has the map name an heir no more; whether it surely does not.
    pub fn conclude(&mut self, view: &mut View, heir: &HeirId, how: Conclusion, mut is_fresh: bool) -> bool {
        for _ in 0..TRIES_MAX {
            match how.apply(heir, &view.slot_map(&self.own)) {
                None if is_fresh => return true,
                None if self.refresh(view).is_err() => return false,
                None => is_fresh = true,
                Some(next) => match self.swap(view, &next, &[]) {
                    Ok(Tried::Done) => return true,
                    Ok(Tried::Stale) => is_fresh = true,
                    Err(_) => return false,
                },
            }
        }
        false
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
