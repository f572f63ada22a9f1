//! The background sweep: finds what has expired without looking at anything that never does.
//!
//! Every table knows, for each subtree, a second before which nothing in it expires. The sweep goes round the slots that
//! hold something that expires and descends only where that second has come.

use super::entry::Entry;
use super::{Key, Shard};
use crate::arena::Ref;
use crate::key::SlotId;
use crate::object::Parts;

/// The second before which something that expires at this millisecond does not; never 0.
pub fn bound_s(expires_at_ms: u64) -> u32 {
    u32::try_from(expires_at_ms / 1000).unwrap_or(u32::MAX).max(1)
}

/// Where the sweep stands.
#[derive(Clone, Copy, Default, Debug)]
pub struct Sweep {
    slot: usize,
    hash: u64,
    /// Nothing in the shard expires before this second. 0 when that is not known.
    due_s: u32,
    /// The same for what this round has passed.
    passed_due_s: Option<u32>,
}

impl Sweep {
    /// The second before which nothing in the shard expires.
    pub fn due_s(&self) -> u32 {
        self.due_s
    }

    /// A slot's bound changed; 0 is none.
    #[inline]
    pub fn note(&mut self, expiry_s: u32) {
        if expiry_s != 0 {
            self.due_s = self.due_s.min(expiry_s);
            self.passed_due_s = self.passed_due_s.map(|due_s| due_s.min(expiry_s));
        }
    }

    fn go_on(&mut self, slot: usize, hash: u64) {
        (self.slot, self.hash) = (slot, hash);
    }

    fn pass(&mut self, expiry_s: u32) {
        let passed = self.passed_due_s.get_or_insert(u32::MAX);
        if expiry_s != 0 {
            *passed = (*passed).min(expiry_s);
        }
    }
}

impl Shard {
    /// Removes what has expired, looking at up to `leaves_max` leaves and as many slots times 16; `false` when a round
    /// through all slots is complete.
    pub fn sweep_expired(&mut self, now_ms: u64, leaves_max: usize) -> bool {
        let now_s = (now_ms / 1000) as u32;
        let mut leaves = 0;
        for _ in 0..leaves_max.saturating_mul(16) {
            let Some(slot) = self.expiring.next(self.sweep.slot) else {
                let due_s = self.sweep.passed_due_s.unwrap_or(u32::MAX);
                self.sweep = Sweep { due_s, ..Sweep::default() };
                return false;
            };
            if slot.number() != self.sweep.slot {
                self.sweep.go_on(slot.number(), 0);
            }
            let table = self.slots[slot.number()].table;
            let Some(view) = self.memory.due_leaf(&table, self.sweep.hash, now_s) else {
                self.sweep.pass(table.child.expiry_s);
                self.sweep.go_on(slot.number() + 1, 0);
                continue;
            };
            if self.sweep_leaf(slot, view.low(), now_ms) {
                // There is more in this leaf than one step may remove.
                self.sweep.go_on(slot.number(), view.low());
            } else if let Some(hash) = view.end() {
                self.sweep.go_on(slot.number(), hash);
            } else {
                self.sweep.pass(self.slots[slot.number()].table.child.expiry_s);
                self.sweep.go_on(slot.number() + 1, 0);
            }
            leaves += 1;
            if leaves == leaves_max {
                break;
            }
        }
        true
    }

    /// Removes what has expired in one leaf and sets the leaf's bound anew; says whether it had to stop before the end.
    fn sweep_leaf(&mut self, slot: SlotId, hash: u64, now_ms: u64) -> bool {
        /// Keys removed in one go.
        const KEYS_AT_ONCE: usize = 32;
        let mut objects = Vec::new();
        let view = self.memory.leaf_view(self.slots[slot.number()].table.child, hash);
        self.memory.expiring_entries(&view, &mut objects);
        let keys: Vec<Vec<u8>> = objects
            .into_iter()
            .filter(|object| {
                self.object_bound_s(*object).is_some_and(|bound| u64::from(bound) <= now_ms / 1000)
            })
            .take(KEYS_AT_ONCE)
            .map(|object| Parts::of(&self.memory.arena, object).key(&self.memory.arena, object).to_vec())
            .collect();
        let keys_before = self.keys.total();
        for bytes in &keys {
            let key = Key::new(bytes, self.memory.seed);
            self.sweep_key(&key, now_ms);
        }
        if keys.len() == KEYS_AT_ONCE && self.keys.total() < keys_before {
            return true;
        }
        // The leaf may have been replaced or merged; whatever leaf now holds this hash gets a true bound.
        let mut objects = Vec::new();
        let view = self.memory.leaf_view(self.slots[slot.number()].table.child, hash);
        self.memory.expiring_entries(&view, &mut objects);
        let bound = objects.into_iter().filter_map(|object| self.object_bound_s(object)).min().unwrap_or(0);
        self.memory.set_expiry_bound(&mut self.slots[slot.number()].table, hash, bound);
        false
    }

    /// Removes a key that has expired, or the fields of a hash that have.
    fn sweep_key(&mut self, key: &Key<'_>, now_ms: u64) {
        /// Fields removed from one hash in one go; the bound stays due, so the rest follows.
        const FIELDS_AT_ONCE: usize = 32;
        let mut write = self.amend(key, now_ms);
        let Some(hash) = write.entry().and_then(|entry| entry.hash()) else { return };
        let names = hash.expired(now_ms, FIELDS_AT_ONCE);
        let mut gone = 0;
        for name in &names {
            if write.hash_remove(name).is_err() {
                break;
            }
            gone += 1;
        }
        write.settle_field_bound(now_ms);
        drop(write);
        self.stats.expired_fields += gone;
    }

    /// The second before which nothing in the object expires.
    fn object_bound_s(&self, object: Ref) -> Option<u32> {
        let entry = Entry::of(&self.memory, object, 0);
        let own = entry.expires_at_ms().map(bound_s);
        let fields = entry.hash().and_then(|hash| hash.expires_s());
        [own, fields].into_iter().flatten().min()
    }
}
