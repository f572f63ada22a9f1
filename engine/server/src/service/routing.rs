//! Which core runs a command, as this core sees it.

use whimbrel_engine::commands::{self, Resolved, Spec, for_each_key};
use whimbrel_engine::key::SlotId;
use whimbrel_engine::resp::Arguments;
use whimbrel_engine::session::Session;

use super::CoreService;

/// Which core runs a command, as this core sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Destination {
    /// This one.
    Here,
    /// Another one, whole.
    Core(usize),
    /// Every core has a part in it.
    Gather,
    /// Its keys lie on several cores.
    Several,
    /// This one, but its slot is locked.
    Locked,
    /// Not known until a slot has changed hands.
    Moving,
}

/// The slots of a command's keys; nothing if it has no keys or they cannot be found.
pub fn slots(spec: &Spec, arguments: &Arguments<'_>) -> Option<Vec<SlotId>> {
    let mut slots = Vec::new();
    for_each_key(spec, arguments, |position, _| slots.push(SlotId::of(arguments.at(position)))).ok()?;
    Some(slots)
}

impl CoreService {
    /// Decides. What every core would refuse alike is refused here, on the client's own core.
    pub(super) fn route(
        &self,
        session: &Session,
        command: Resolved,
        arguments: &Arguments<'_>,
    ) -> Destination {
        let spec = command.spec;
        let refused =
            !spec.accepts(arguments.len()) || (self.core.needs_password() && !session.authenticated);
        if refused {
            return Destination::Here;
        }
        if !self.moves.is_quiet() && self.waits_for_move(spec, arguments) {
            return Destination::Moving;
        }
        if self.core.config.cluster_enabled && self.count > 1 && spec.name == "config|set" {
            // Nodes in one process have one configuration.
            return Destination::Gather;
        }
        if self.core.config.cluster_enabled || self.count == 1 {
            return self.here(spec, arguments);
        }
        match commands::destination(&self.core, spec, arguments) {
            commands::Destination::Here => Destination::Here,
            commands::Destination::Core(core) if usize::from(core) == self.index => {
                self.here(spec, arguments)
            }
            commands::Destination::Core(core) => Destination::Core(core.into()),
            commands::Destination::Split(_) | commands::Destination::Together => Destination::Several,
            commands::Destination::Everywhere => Destination::Gather,
        }
    }

    /// A command that can run only here may still have to wait for a lock.
    fn here(&self, spec: &Spec, arguments: &Arguments<'_>) -> Destination {
        let is_locked = |slots: Vec<SlotId>| slots.iter().any(|slot| self.locks.is_locked(*slot));
        if !self.locks.is_empty() && slots(spec, arguments).is_some_and(is_locked) {
            return Destination::Locked;
        }
        Destination::Here
    }

    /// The core that owns a slot.
    pub(super) fn owner(&self, slot: SlotId) -> usize {
        self.core.topology.local_core(slot).map_or(self.index, usize::from)
    }
}
