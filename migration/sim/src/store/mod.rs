//! The map store, as etcd is: one revision, leases by its own clock, transactions that compare before they change.
//!
//! The store itself never errs. What makes life hard stands between it and those who ask (`wire`): requests that are lost,
//! late or executed after the one who asked has given up.

mod wire;

use std::collections::BTreeMap;
use std::rc::Rc;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::topology::HeirId;

pub use wire::{AskId, Wire, WireNature};

/// Who owns a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owner {
    /// The core.
    pub core: usize,
    /// The epoch at which the slot became its.
    pub since: u64,
}

/// Who may take slots by their owner's word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Heir {
    /// The core that owns the slots, and the registration of its process.
    pub source: usize,
    pub source_incarnation: u64,
    /// The core that may take them, and the registration of its process.
    pub target: usize,
    pub target_incarnation: u64,
    /// The slots.
    pub slots: Vec<SlotId>,
}

/// Who owns which slot; its epoch counts the changes.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct SlotMap {
    /// The version of the map.
    pub epoch: u64,
    /// The owner of each slot in use.
    pub owners: BTreeMap<SlotId, Owner>,
    /// Who may take slots by their owners' word.
    pub heirs: BTreeMap<HeirId, Heir>,
}

impl SlotMap {
    /// The core that owns a slot.
    pub fn owner(&self, slot: SlotId) -> Option<usize> {
        self.owners.get(&slot).map(|owner| owner.core)
    }

    /// Whether a core owns all of these slots.
    pub fn owns_all(&self, core: usize, slots: &[SlotId]) -> bool {
        slots.iter().all(|slot| self.owner(*slot) == Some(core))
    }

    /// Whether a core owns any of these slots.
    pub fn owns_any(&self, core: usize, slots: &[SlotId]) -> bool {
        slots.iter().any(|slot| self.owner(*slot) == Some(core))
    }

    /// Who may take a slot.
    pub fn heir_of(&self, slot: SlotId) -> Option<(HeirId, &Heir)> {
        self.heirs.iter().find(|(_, heir)| heir.slots.contains(&slot)).map(|(id, heir)| (*id, heir))
    }

    /// The next map, in which slots have another owner, and no heirs.
    pub fn with(&self, slots: &[SlotId], core: usize) -> SlotMap {
        let mut next = SlotMap { epoch: self.epoch + 1, ..self.clone() };
        for slot in slots {
            next.owners.insert(*slot, Owner { core, since: next.epoch });
        }
        next.heirs.values_mut().for_each(|heir| heir.slots.retain(|slot| !slots.contains(slot)));
        next.heirs.retain(|_, heir| !heir.slots.is_empty());
        next
    }

    /// The next map, in which there is one heir more.
    pub fn with_heir(&self, id: HeirId, heir: Heir) -> SlotMap {
        let mut next = SlotMap { epoch: self.epoch + 1, ..self.clone() };
        next.heirs.insert(id, heir);
        next
    }

    /// The next map, in which there is no such heir.
    pub fn without_heir(&self, id: HeirId) -> SlotMap {
        let mut next = SlotMap { epoch: self.epoch + 1, ..self.clone() };
        next.heirs.remove(&id);
        next
    }

    /// The map as bytes, for the target of a move.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.epoch.to_le_bytes().to_vec();
        bytes.extend((self.owners.len() as u16).to_le_bytes());
        for (slot, owner) in &self.owners {
            bytes.extend((slot.number() as u16).to_le_bytes());
            bytes.extend((owner.core as u16).to_le_bytes());
            bytes.extend(owner.since.to_le_bytes());
        }
        for (id, heir) in &self.heirs {
            bytes.extend(id.job.to_le_bytes());
            bytes.extend(id.number.to_le_bytes());
            bytes.extend(id.life.to_le_bytes());
            for (core, incarnation) in
                [(heir.source, heir.source_incarnation), (heir.target, heir.target_incarnation)]
            {
                bytes.extend((core as u16).to_le_bytes());
                bytes.extend(incarnation.to_le_bytes());
            }
            bytes.extend((heir.slots.len() as u16).to_le_bytes());
            heir.slots.iter().for_each(|slot| bytes.extend((slot.number() as u16).to_le_bytes()));
        }
        bytes
    }

    /// Reads a map back; nothing if the bytes are none.
    pub fn decode(bytes: &[u8]) -> Option<SlotMap> {
        let mut rest = bytes;
        let slot = |rest: &mut &[u8]| SlotId::new(u16::from_le_bytes(take(rest)?).into());
        let mut map = SlotMap { epoch: u64::from_le_bytes(take(&mut rest)?), ..SlotMap::default() };
        for _ in 0..u16::from_le_bytes(take(&mut rest)?) {
            let slot = slot(&mut rest)?;
            let core = u16::from_le_bytes(take(&mut rest)?).into();
            map.owners.insert(slot, Owner { core, since: u64::from_le_bytes(take(&mut rest)?) });
        }
        while !rest.is_empty() {
            let id = HeirId {
                job: u128::from_le_bytes(take(&mut rest)?),
                number: u32::from_le_bytes(take(&mut rest)?),
                life: u32::from_le_bytes(take(&mut rest)?),
            };
            let mut heir = Heir {
                source: u16::from_le_bytes(take(&mut rest)?).into(),
                source_incarnation: u64::from_le_bytes(take(&mut rest)?),
                target: u16::from_le_bytes(take(&mut rest)?).into(),
                target_incarnation: u64::from_le_bytes(take(&mut rest)?),
                slots: Vec::new(),
            };
            for _ in 0..u16::from_le_bytes(take(&mut rest)?) {
                heir.slots.push(slot(&mut rest)?);
            }
            map.heirs.insert(id, heir);
        }
        Some(map)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (array, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*array)
}

/// What the store holds at one revision.
#[derive(Clone, Debug)]
pub struct View {
    /// The revision at which the map changed last.
    pub revision: u64,
    /// The map.
    pub map: Rc<SlotMap>,
    /// When each registered process registered (its incarnation).
    pub registrations: BTreeMap<usize, u64>,
}

/// A change of the map on conditions.
#[derive(Clone, Debug)]
pub struct Swap {
    /// The revision that the map must still have.
    pub expected: u64,
    /// Registrations that must be these; `None`: there must be none.
    pub registrations: Vec<(usize, Option<u64>)>,
    /// The map that is put.
    pub map: SlotMap,
    /// Why, for those who look on; the store does not care.
    pub purpose: Purpose,
}

/// Why the map is changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// An heir is named.
    Appoint(HeirId),
    /// An heir has taken its slots.
    Commit(HeirId),
    /// An heir is one no more.
    Withdraw(HeirId),
    /// Slots of a process that is gone are given to another core.
    TakeOver {
        /// The slots.
        slots: Vec<SlotId>,
        /// The core that gets them.
        target: usize,
    },
}

/// What the store is asked. A swap names the slots that it gives away, for those who look on.
#[derive(Clone, Debug)]
pub enum Ask {
    /// A new registration of a process under a lease.
    Register { process: usize, ttl_us: u64 },
    /// Keep a registration's lease alive.
    Keep { process: usize, created: u64, ttl_us: u64 },
    /// Read everything, linearizably.
    Read,
    /// Change the map.
    Swap(Swap),
}

/// What the store answers.
#[derive(Clone, Debug)]
pub enum Told {
    /// The process is registered.
    Registered { created: u64, view: View },
    /// The lease runs anew.
    Kept,
    /// There is no such registration.
    Gone,
    /// What there is.
    Read(View),
    /// The map was changed.
    Swapped(View),
    /// Something compared unequal; this is what there is.
    Unswapped(View),
}

#[derive(Clone, Copy, Debug)]
struct Registration {
    created: u64,
    expires_us: u64,
}

/// The store.
#[derive(Debug)]
pub struct Store {
    revision: u64,
    map_revision: u64,
    map: Rc<SlotMap>,
    registrations: BTreeMap<usize, Registration>,
}

impl Store {
    /// A store with a first map.
    pub fn new(map: SlotMap) -> Store {
        Store { revision: 1, map_revision: 1, map: Rc::new(map), registrations: BTreeMap::new() }
    }

    /// What there is now.
    pub fn view(&self) -> View {
        View {
            revision: self.map_revision,
            map: Rc::clone(&self.map),
            registrations: self.registrations.iter().map(|(process, it)| (*process, it.created)).collect(),
        }
    }

    /// Ends registrations whose lease has run out by the store's clock; says which.
    pub fn expire(&mut self, store_us: u64) -> Vec<usize> {
        let gone: Vec<usize> = self
            .registrations
            .iter()
            .filter(|(_, registration)| registration.expires_us <= store_us)
            .map(|(process, _)| *process)
            .collect();
        for process in &gone {
            self.revision += 1;
            self.registrations.remove(process);
        }
        gone
    }

    /// Does what is asked, at one instant.
    pub fn execute(&mut self, ask: &Ask, store_us: u64) -> Told {
        self.expire(store_us);
        match ask {
            Ask::Read => Told::Read(self.view()),
            Ask::Register { process, ttl_us } => {
                self.revision += 1;
                let registration = Registration { created: self.revision, expires_us: store_us + ttl_us };
                self.registrations.insert(*process, registration);
                Told::Registered { created: registration.created, view: self.view() }
            }
            Ask::Keep { process, created, ttl_us } => match self.registrations.get_mut(process) {
                Some(registration) if registration.created == *created => {
                    registration.expires_us = store_us + ttl_us;
                    Told::Kept
                }
                _ => Told::Gone,
            },
            Ask::Swap(swap) => {
                let same = |(process, created): &(usize, Option<u64>)| {
                    self.registrations.get(process).map(|registration| registration.created) == *created
                };
                if swap.expected != self.map_revision || !swap.registrations.iter().all(same) {
                    return Told::Unswapped(self.view());
                }
                self.revision += 1;
                self.map_revision = self.revision;
                self.map = Rc::new(swap.map.clone());
                Told::Swapped(self.view())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(number: usize) -> SlotId {
        SlotId::new(number).unwrap()
    }

    #[test]
    fn maps_come_back_from_bytes() {
        let map = SlotMap::default().with(&[slot(1), slot(9000)], 3).with(&[slot(1)], 2);
        let slots = vec![slot(1)];
        let heir = Heir { source: 2, source_incarnation: 7, target: 3, target_incarnation: 8, slots };
        let id = HeirId { job: 1, number: 2, life: 3 };
        let named = map.with_heir(id, heir);
        assert_eq!(SlotMap::decode(&named.encode()), Some(named.clone()));
        assert_eq!((map.epoch, map.owner(slot(1)), map.owner(slot(2))), (2, Some(2), None));
        assert_eq!(named.heir_of(slot(1)).map(|(id, _)| id), Some(id));
        assert!(named.heir_of(slot(9000)).is_none() && named.without_heir(id).heirs.is_empty());
        assert!(named.with(&[slot(1)], 3).heirs.is_empty());
        assert_eq!(SlotMap::decode(&[0; 9]), None);
    }

    #[test]
    fn a_swap_compares_all_that_it_names() {
        let mut store = Store::new(SlotMap::default().with(&[slot(1)], 0));
        let Told::Registered { created, view } = store.execute(&Ask::Register { process: 4, ttl_us: 100 }, 0)
        else {
            panic!("a registration is answered as such")
        };
        let swap = |expected, registrations| {
            Ask::Swap(Swap {
                expected,
                registrations,
                map: view.map.with(&[slot(1)], 1),
                purpose: Purpose::TakeOver { slots: vec![slot(1)], target: 1 },
            })
        };
        for wrong in [
            swap(0, vec![]),
            swap(1, vec![(4, None)]),
            swap(1, vec![(4, Some(1))]),
            swap(1, vec![(3, Some(1))]),
        ] {
            assert!(matches!(store.execute(&wrong, 10), Told::Unswapped(_)));
        }
        assert!(matches!(store.execute(&swap(1, vec![(4, Some(created))]), 99), Told::Swapped(_)));
        assert!(matches!(store.execute(&Ask::Keep { process: 4, created, ttl_us: 100 }, 99), Told::Kept));
        assert!(matches!(store.execute(&Ask::Keep { process: 4, created, ttl_us: 100 }, 199), Told::Gone));
    }
}
