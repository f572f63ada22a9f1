//! Which core runs a command.

use whimbrel_engine::commands::{Resolved, Route, Spec, for_each_key};
use whimbrel_engine::key::SlotId;
use whimbrel_engine::resp::Arguments;
use whimbrel_engine::session::Session;
use whimbrel_engine::shard::ScanCursor;

use super::CoreService;

/// Which core runs a command.
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
}

/// The slots of a command's keys; nothing if it has no keys or they cannot be found.
pub fn slots(spec: &Spec, arguments: &Arguments<'_>) -> Option<Vec<SlotId>> {
    let mut slots = Vec::new();
    for_each_key(spec, arguments, |position, _| slots.push(SlotId::of(arguments.at(position)))).ok()?;
    Some(slots)
}

impl CoreService {
    /// Decides. What the command itself would refuse is refused here, on the client's own core.
    pub(super) fn route(
        &self,
        session: &Session,
        command: Resolved,
        arguments: &Arguments<'_>,
    ) -> Destination {
        let spec = command.spec;
        let refused =
            !spec.accepts(arguments.len()) || (self.core.needs_password() && !session.authenticated);
        if refused || self.core.config.cluster_enabled || self.count == 1 {
            return self.here(spec, arguments, refused);
        }
        match spec.route {
            Route::Local => Destination::Here,
            Route::Gather(_) => Destination::Gather,
            Route::Keys | Route::Split(_) if spec.name == "scan" => self.scanning(arguments),
            Route::Keys | Route::Split(_) => self.owner_of_keys(spec, arguments),
        }
    }

    /// A command that can run only here may still have to wait for a lock.
    fn here(&self, spec: &Spec, arguments: &Arguments<'_>, refused: bool) -> Destination {
        if !refused && !self.locks.is_empty() {
            let locked = slots(spec, arguments)
                .is_some_and(|slots| slots.iter().any(|slot| self.locks.is_locked(*slot)));
            if locked {
                return Destination::Locked;
            }
        }
        Destination::Here
    }

    fn owner_of_keys(&self, spec: &Spec, arguments: &Arguments<'_>) -> Destination {
        let (mut core, mut several) = (None, false);
        let found = for_each_key(spec, arguments, |position, _| {
            let owner = self.owner(SlotId::of(arguments.at(position)));
            several |= core.is_some_and(|core| core != owner);
            core = Some(owner);
        });
        match (found, core) {
            // Without keys, or with keys that cannot be found, the command says what is wrong.
            (Err(_), _) | (Ok(()), None) => Destination::Here,
            (Ok(()), Some(_)) if several => Destination::Several,
            (Ok(()), Some(core)) if core == self.index => self.here(spec, arguments, false),
            (Ok(()), Some(core)) => Destination::Core(core),
        }
    }

    /// SCAN goes on where its cursor points.
    fn scanning(&self, arguments: &Arguments<'_>) -> Destination {
        let cursor = arguments
            .opt(1)
            .and_then(|text| std::str::from_utf8(text).ok())
            .and_then(|text| text.parse().ok());
        let slot = cursor.and_then(|number| SlotId::new(ScanCursor::from_number(number).slot()));
        match slot.map(|slot| self.owner(slot)) {
            Some(core) if core != self.index => Destination::Core(core),
            _ => Destination::Here,
        }
    }

    /// The core that owns a slot.
    pub(super) fn owner(&self, slot: SlotId) -> usize {
        self.core.topology.local_core(slot).map_or(self.index, usize::from)
    }
}
