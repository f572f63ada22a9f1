//! A slot that holds what takes long to handle at once: a hash of millions of fields, a string of hundreds of megabytes,
//! and many tiny keys. Not a single step of moving or dropping it may hold a core.

use std::io;

use crate::cluster::slot::slot_of;
use crate::scenario::moves::cell::{HEAVY_SLOT, MoveCell};
use crate::wire::control::Control;

/// Fields that go out with one HSET, and keys with one MSET.
const TOGETHER: u64 = 500;
/// Bytes of a field's value, and of a tiny key's.
const SMALL_BYTES: usize = 8;
/// Bytes of a field's name, and of a tiny key's behind its tag.
const NUMBER_BYTES: usize = 9;

/// What such a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heavy {
    /// Fields of the hash.
    pub fields: u64,
    /// Bytes of the string.
    pub string_bytes: usize,
    /// Tiny keys.
    pub keys: u64,
}

impl Heavy {
    /// What the target names.
    pub const FULL: Self = Self { fields: 5_000_000, string_bytes: 256 << 20, keys: 100_000 };

    /// A hundredth of it, for a smoke run.
    pub fn quick(self) -> Self {
        Self { fields: self.fields / 100, string_bytes: self.string_bytes / 100, keys: self.keys / 100 }
    }

    /// Bytes of names and values.
    pub fn payload_bytes(self) -> u64 {
        (self.fields + self.keys) * (NUMBER_BYTES + SMALL_BYTES) as u64 + self.string_bytes as u64
    }

    /// Writes it, over a connection to the slot's owner.
    pub fn fill(self, owner: &mut Control) -> io::Result<()> {
        let tag = tag_of(HEAVY_SLOT);
        let value = "v".repeat(SMALL_BYTES);
        let in_turn = |owner: &mut Control, count: u64, begin: &[&str], name: &dyn Fn(u64) -> String| {
            for first in (0..count).step_by(TOGETHER as usize) {
                let names: Vec<String> = (first..count.min(first + TOGETHER)).map(name).collect();
                let pairs = names.iter().flat_map(|name| [name.as_str(), &value]);
                owner.ask_well(&begin.iter().copied().chain(pairs).collect::<Vec<_>>())?;
            }
            io::Result::Ok(())
        };
        let number = |number: u64| format!("{number:0NUMBER_BYTES$}");
        in_turn(owner, self.fields, &["HSET", &format!("{tag}hash")], &number)?;
        in_turn(owner, self.keys, &["MSET"], &|key| format!("{tag}{}", number(key)))?;
        owner.ask_well(&["SET", &format!("{tag}string"), &"s".repeat(self.string_bytes)])?;
        Ok(())
    }
}

/// Fills what the cell has besides its dataset.
pub fn fill_heavy(cell: &MoveCell, owner: &mut Control) -> io::Result<()> {
    cell.heavy.map_or(Ok(()), |heavy| heavy.fill(owner))
}

/// A hash tag of this slot.
fn tag_of(slot: u16) -> String {
    let mut names = (0u64..).map(|number| number.to_string());
    let name = names.find(|name| slot_of(name.as_bytes()) == slot).expect("every slot has names without end");
    format!("{{{name}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_brings_keys_to_the_slot() {
        assert_eq!(slot_of(format!("{}x", tag_of(HEAVY_SLOT)).as_bytes()), HEAVY_SLOT);
    }

    #[test]
    fn bytes_are_those_of_names_and_values() {
        let heavy = Heavy { fields: 3, string_bytes: 100, keys: 2 };
        assert_eq!(heavy.payload_bytes(), 5 * 17 + 100);
        assert_eq!(Heavy::FULL.quick().fields, 50_000);
    }
}
