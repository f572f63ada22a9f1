//! The map of a process by itself: the housekeeping thread is the authority, so every outcome is known at once.

use std::sync::Arc;

use whimbrel_engine::topology::{NodeId, SlotMap};
use whimbrel_migration::Outcome;

use super::change::{Assignment, HandOver, resolved};
use super::codec;
use super::store::{Event, Request};

/// The map of a process by itself.
pub struct Local {
    map: Arc<SlotMap>,
    process: NodeId,
    /// The number that all nodes of this process carry.
    incarnation: u64,
}

impl Local {
    /// Begins with a map of this process' own cores, which all carry `incarnation`.
    pub fn new(map: Arc<SlotMap>, process: NodeId, incarnation: u64) -> Local {
        Local { map, process, incarnation }
    }

    /// Does what is asked.
    pub fn answer(&mut self, request: Request) -> Vec<Event> {
        match request {
            Request::HandOver(job) => self.hand_over(&job),
            Request::Resolve(job) => {
                let outcome = resolved(&job, &self.map);
                vec![Event::Outcome { batch: job.batch, outcome }]
            }
            Request::Read { core } => vec![Event::Read { core }],
            Request::Assign { core, to, change } => {
                let outcome = self.assign(&change);
                let done = outcome.is_ok().then(|| Event::Map(Arc::clone(&self.map)));
                done.into_iter().chain([Event::Assigned { core, to, outcome }]).collect()
            }
        }
    }

    fn hand_over(&mut self, job: &HandOver) -> Vec<Event> {
        let batch = job.batch;
        match job.apply(&self.map, self.incarnation) {
            Ok(map) => {
                self.map = Arc::new(map);
                let outcome = Outcome::Committed { map: codec::encode(&self.map) };
                vec![Event::Map(Arc::clone(&self.map)), Event::Outcome { batch, outcome }]
            }
            Err(reason) => vec![Event::Outcome { batch, outcome: Outcome::Refused { reason } }],
        }
    }

    fn assign(&mut self, change: &Assignment) -> Result<(), String> {
        let assigned = change.apply(&self.map, &self.process).map_err(|error| error.to_string())?;
        self.map = Arc::new(assigned.map);
        Ok(())
    }
}
