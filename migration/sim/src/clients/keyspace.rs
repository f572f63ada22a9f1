//! The keys that clients know: a few slots, each with a few keys, some of them hot.

use whimbrel_engine::key::SlotId;

use super::command::{Command, Verb};
use crate::dice::Dice;

/// The keys of a run.
#[derive(Clone, Debug)]
pub struct Keyspace {
    /// The slots in use, with the hash tag that leads to each.
    slots: Vec<(SlotId, String)>,
    keys_per_slot: u64,
    /// Lengths of values, uniform in magnitude.
    value_bytes_max: u64,
    /// Chance in a million that a value is as long as `large_bytes`.
    large_per_million: u64,
    large_bytes: u64,
    writes_per_million: u64,
    values: u64,
}

/// What a keyspace is made of.
#[derive(Clone, Copy, Debug)]
pub struct KeyspaceNature {
    /// Slots in use.
    pub slots: usize,
    /// Keys in each.
    pub keys_per_slot: u64,
    /// Longest ordinary value.
    pub value_bytes_max: u64,
    /// Chance of a large string, in a million.
    pub large_per_million: u64,
    /// The length of a large string.
    pub large_bytes: u64,
    /// Writes among a million commands.
    pub writes_per_million: u64,
}

impl Keyspace {
    /// The keyspace of this nature. Which slots are in use follows from their number alone.
    pub fn new(nature: KeyspaceNature) -> Keyspace {
        let mut slots: Vec<(SlotId, String)> = Vec::new();
        let mut tag = 0;
        while slots.len() < nature.slots {
            let text = format!("{tag}");
            let slot = SlotId::of(text.as_bytes());
            if slots.iter().all(|(other, _)| *other != slot) {
                slots.push((slot, text));
            }
            tag += 1;
        }
        let KeyspaceNature { keys_per_slot, value_bytes_max, large_per_million, large_bytes, .. } = nature;
        let writes_per_million = nature.writes_per_million;
        Keyspace {
            slots,
            keys_per_slot,
            value_bytes_max,
            large_per_million,
            large_bytes,
            writes_per_million,
            values: 0,
        }
    }

    /// The slots in use.
    pub fn slots(&self) -> impl Iterator<Item = SlotId> {
        self.slots.iter().map(|(slot, _)| *slot)
    }

    /// A command for any key, often one of a few.
    pub fn command(&mut self, dice: &mut Dice) -> Command {
        let place = if dice.happens(300_000) { 0 } else { dice.index(self.slots.len()) };
        let number = if dice.happens(300_000) { 0 } else { dice.below(self.keys_per_slot) };
        self.command_for(place, number, dice)
    }

    /// A command that fills a key, for the beginning.
    pub fn filling(&mut self, place: usize, dice: &mut Dice) -> Command {
        let number = dice.below(self.keys_per_slot);
        let (slot, key) = self.key(place, number);
        let value = self.value(dice);
        let verb =
            if Self::is_hash(number) { Verb::HashSet(field(dice), value) } else { Verb::Set(value, None) };
        Command { key, slot, verb }
    }

    fn is_hash(number: u64) -> bool {
        number % 3 == 1
    }

    fn key(&self, place: usize, number: u64) -> (SlotId, Vec<u8>) {
        let (slot, tag) = &self.slots[place];
        let kind = match number % 3 {
            0 => "text",
            1 => "hash",
            _ => "count",
        };
        (*slot, format!("{{{tag}}}:{kind}:{number}").into_bytes())
    }

    fn command_for(&mut self, place: usize, number: u64, dice: &mut Dice) -> Command {
        let (slot, key) = self.key(place, number);
        let verb = if !dice.happens(self.writes_per_million) {
            if Self::is_hash(number) { Verb::HashGet(field(dice)) } else { Verb::Get }
        } else if dice.happens(20_000) {
            // Now and then a key changes its type.
            Verb::Set(self.value(dice), None)
        } else if dice.happens(120_000) {
            Verb::Delete
        } else if dice.happens(60_000) {
            Verb::Expire(dice.skewed(1..3_000))
        } else {
            self.ordinary_write(number, dice)
        };
        Command { key, slot, verb }
    }

    fn ordinary_write(&mut self, number: u64, dice: &mut Dice) -> Verb {
        match number % 3 {
            0 if dice.happens(250_000) => Verb::Append(self.value(dice)),
            0 => {
                let lifetime = dice.happens(80_000).then(|| dice.skewed(1..3_000));
                Verb::Set(self.value(dice), lifetime)
            }
            1 if dice.happens(300_000) => Verb::HashRemove(field(dice)),
            1 => Verb::HashSet(field(dice), self.value(dice)),
            _ => Verb::Increment,
        }
    }

    /// A value that no other command writes.
    fn value(&mut self, dice: &mut Dice) -> Vec<u8> {
        self.values += 1;
        let length = if dice.happens(self.large_per_million) {
            self.large_bytes
        } else {
            dice.skewed(1..self.value_bytes_max)
        };
        let mut value = format!("v{}.", self.values).into_bytes();
        let filling = (self.values % 251) as u8;
        value.resize(value.len().max(length as usize), filling);
        value
    }
}

/// One of the fields that hashes have; there are enough that some hashes become tables.
fn field(dice: &mut Dice) -> Vec<u8> {
    format!("f{}", dice.skewed(0..300)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_the_slots_of_their_keys() {
        let mut keyspace = Keyspace::new(KeyspaceNature {
            slots: 20,
            keys_per_slot: 9,
            value_bytes_max: 50,
            large_per_million: 0,
            large_bytes: 0,
            writes_per_million: 500_000,
        });
        let mut dice = Dice::new(1, 1);
        let slots: Vec<SlotId> = keyspace.slots().collect();
        for _ in 0..1000 {
            let command = keyspace.command(&mut dice);
            assert_eq!(command.slot, SlotId::of(&command.key));
            assert!(slots.contains(&command.slot));
        }
    }
}
