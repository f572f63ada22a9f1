//! The map of a process by itself: the housekeeping thread is the authority, so every outcome is known at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use whimbrel_engine::topology::{Heir, HeirId, NodeId, SlotMap};

use super::change::{Appointed, Assignment, Conclusion, appoint};
use super::codec;
use super::store::{Event, Request};

/// The map of a process by itself.
pub struct Local {
    map: Arc<SlotMap>,
    process: NodeId,
    /// Heirs that wait for others to go, with the cores that asked. At most one a batch under way.
    waiting: BTreeMap<HeirId, (usize, Heir)>,
}

impl Local {
    /// Begins with a map of this process' own cores.
    pub fn new(map: Arc<SlotMap>, process: NodeId) -> Local {
        Local { map, process, waiting: BTreeMap::new() }
    }

    /// Does what is asked.
    pub fn answer(&mut self, request: Request) -> Vec<Event> {
        match request {
            Request::Appoint { core, heir } => self.appoint(core, heir),
            Request::Conclude(heir, conclusion) => self.conclude(&heir, conclusion),
            Request::Read { core } => vec![Event::Read { core }],
            Request::Assign { core, to, change } => {
                let outcome = self.assign(&change);
                let done = outcome.is_ok().then(|| Event::Map(Arc::clone(&self.map)));
                done.into_iter().chain([Event::Assigned { core, to, outcome }]).collect()
            }
        }
    }

    fn appoint(&mut self, core: usize, heir: Heir) -> Vec<Event> {
        let id = heir.id;
        let appointed = appoint(&heir, &self.map);
        let mut events = Vec::new();
        let outcome = match appointed {
            Ok(Appointed::Later) => {
                self.waiting.insert(id, (core, heir));
                return events;
            }
            Ok(Appointed::Next(map)) => {
                self.map = Arc::new(map);
                events.push(Event::Map(Arc::clone(&self.map)));
                Ok(codec::encode(&self.map))
            }
            Ok(Appointed::Already) => Ok(codec::encode(&self.map)),
            Err(reason) => Err(reason),
        };
        events.push(Event::Appointed { core, heir: id, outcome });
        events
    }

    fn conclude(&mut self, heir: &HeirId, conclusion: Conclusion) -> Vec<Event> {
        self.waiting.remove(heir);
        let Some(map) = conclusion.apply(heir, &self.map) else { return Vec::new() };
        self.map = Arc::new(map);
        let mut events = vec![Event::Map(Arc::clone(&self.map))];
        for (_, (core, heir)) in std::mem::take(&mut self.waiting) {
            events.extend(self.appoint(core, heir));
        }
        events
    }

    fn assign(&mut self, change: &Assignment) -> Result<(), String> {
        let assigned = change.apply(&self.map, &self.process).map_err(|error| error.to_string())?;
        self.map = Arc::new(assigned.map);
        Ok(())
    }
}
