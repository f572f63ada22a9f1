//! Keys of a batch whose hashes were computed before their commands run, so that their memory could be asked for.

use crate::key::SlotId;

/// A key by where it lies in the client's bytes, which do not change while the batch runs.
#[derive(Clone, Copy, Debug)]
struct Known {
    address: usize,
    length: usize,
    hash: u64,
    slot: SlotId,
}

/// Keys of the batch that runs, one place for each of its commands.
#[derive(Debug, Default)]
pub struct Foreknown {
    keys: Vec<Option<Known>>,
    /// The command that runs.
    current: usize,
}

impl Foreknown {
    /// Forgets the last batch. To be called before its bytes change.
    pub fn clear(&mut self) {
        self.keys.clear();
        self.current = 0;
    }

    /// Adds the next command of the batch, with the hash and slot of one of its keys.
    pub fn add(&mut self, key: Option<(&[u8], u64, SlotId)>) {
        self.keys.push(key.map(|(bytes, hash, slot)| Known {
            address: bytes.as_ptr().addr(),
            length: bytes.len(),
            hash,
            slot,
        }));
    }

    /// Says which command of the batch runs.
    #[inline]
    pub fn at(&mut self, command: usize) {
        self.current = command;
    }

    /// Hash and slot of a key of the command that runs, if they are known.
    #[inline]
    pub fn find(&self, bytes: &[u8]) -> Option<(u64, SlotId)> {
        let known = self.keys.get(self.current)?.as_ref()?;
        (known.address == bytes.as_ptr().addr() && known.length == bytes.len())
            .then_some((known.hash, known.slot))
    }

    /// The slot of a key of the command that runs.
    #[inline]
    pub fn slot(&self, bytes: &[u8]) -> SlotId {
        self.find(bytes).map_or_else(|| SlotId::of(bytes), |(_, slot)| slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_to_its_own_command_until_the_batch_ends() {
        let bytes = *b"key1key1";
        let slot = SlotId::of(b"key1");
        let mut known = Foreknown::default();
        known.add(None);
        known.add(Some((&bytes[..4], 7, slot)));
        assert_eq!(known.find(&bytes[..4]), None);
        known.at(1);
        assert_eq!(known.find(&bytes[..4]), Some((7, slot)));
        assert_eq!(known.find(&bytes[..3]), None);
        assert_eq!(known.slot(&bytes[..4]), slot);
        assert_eq!(known.slot(b"foo"), SlotId::of(b"foo"));
        assert_eq!(known.find(&bytes[4..]), None, "the same text elsewhere is another key");
        known.clear();
        assert_eq!(known.find(&bytes[..4]), None);
    }
}
