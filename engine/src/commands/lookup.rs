//! From a name to its command: one hash, one compare, built at compile time.

use super::registry::SPECS;
use super::spec::Spec;

/// A dense number of a command or subcommand, for counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommandId(u16);

impl CommandId {
    /// The number as an index: below `CommandId::COUNT`.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A command that was found.
#[derive(Clone, Copy, Debug)]
pub struct Resolved {
    /// What it is.
    pub spec: &'static Spec,
    /// Its number.
    pub id: CommandId,
}

/// Names are compared as three words, folded to lower case and padded with zeros.
const NAME_MAX: usize = 24;
const SLOTS: usize = 2048;
const EMPTY: u16 = u16::MAX;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Name {
    words: [u64; 3],
    len: u64,
}

struct Table {
    slots: [u16; SLOTS],
    names: [Name; SPECS.len()],
    subcommands_first: [u16; SPECS.len()],
}

static TABLE: Table = build();

/// The command called `name`, in any case.
#[inline]
pub fn lookup(name: &[u8]) -> Option<Resolved> {
    if name.len() > NAME_MAX {
        return None;
    }
    let name = fold(name);
    let mut slot = hash(&name);
    loop {
        let index = TABLE.slots[slot];
        if index == EMPTY {
            return None;
        }
        if TABLE.names[index as usize] == name {
            return Some(Resolved { spec: SPECS[index as usize], id: CommandId(index) });
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// The subcommand `word` of `command`, in any case.
pub fn lookup_subcommand(command: Resolved, word: &[u8]) -> Option<Resolved> {
    let position = command
        .spec
        .subcommands
        .iter()
        .position(|spec| spec.short_name().as_bytes().eq_ignore_ascii_case(word))?;
    let id = TABLE.subcommands_first[command.id.index()] + position as u16;
    Some(Resolved { spec: command.spec.subcommands[position], id: CommandId(id) })
}

/// The command or, as in `client|list`, subcommand of this full name.
pub fn lookup_full(name: &[u8]) -> Option<Resolved> {
    match name.iter().position(|byte| *byte == b'|') {
        None => lookup(name),
        Some(bar) => lookup_subcommand(lookup(&name[..bar])?, &name[bar + 1..]),
    }
}

/// All commands and subcommands with their numbers.
pub fn all() -> impl Iterator<Item = Resolved> {
    SPECS.iter().enumerate().flat_map(|(index, spec)| {
        let first = TABLE.subcommands_first[index];
        let own = Resolved { spec, id: CommandId(index as u16) };
        let subcommands = spec.subcommands.iter().enumerate();
        std::iter::once(own)
            .chain(subcommands.map(move |(n, spec)| Resolved { spec, id: CommandId(first + n as u16) }))
    })
}

#[inline]
fn fold(name: &[u8]) -> Name {
    let mut words = [0; 3];
    if name.len() <= 8 {
        words[0] = word(name);
    } else {
        for (index, chunk) in name.chunks(8).enumerate() {
            words[index] = word(chunk);
        }
    }
    Name { words, len: name.len() as u64 }
}

/// Up to eight bytes as one word in lower case, loaded with at most two overlapping reads.
#[inline]
fn word(bytes: &[u8]) -> u64 {
    let raw = if let Some(bytes) = bytes.first_chunk::<8>() {
        u64::from_le_bytes(*bytes)
    } else if let (Some(head), Some(tail)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        let shift = 8 * (bytes.len() - 4);
        u32::from_le_bytes(*head) as u64 | (u32::from_le_bytes(*tail) as u64) << shift
    } else {
        bytes.iter().rev().fold(0, |word, byte| word << 8 | *byte as u64)
    };
    lower(raw)
}

/// Folds the ASCII letters of eight bytes to lower case at once.
#[inline]
const fn lower(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let seven = word & (0x7f * ONES);
    let from_a = seven + (0x80 - b'A' as u64) * ONES;
    let beyond_z = seven + (0x7f - b'Z' as u64) * ONES;
    let upper = from_a & !beyond_z & !word & (0x80 * ONES);
    word | upper >> 2
}

#[inline]
const fn hash(name: &Name) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = name.words[0] ^ name.words[1].rotate_left(23) ^ name.words[2].rotate_left(41) ^ name.len;
    (mixed.wrapping_mul(ODD) >> (64 - SLOTS.ilog2())) as usize
}

const fn build() -> Table {
    const {
        assert!(SPECS.len() * 4 <= SLOTS, "the table of names is to stay sparse");
    }
    let none = Name { words: [0; 3], len: 0 };
    let mut table =
        Table { slots: [EMPTY; SLOTS], names: [none; SPECS.len()], subcommands_first: [0; SPECS.len()] };
    let mut id_next = SPECS.len() as u16;
    let mut index = 0;
    while index < SPECS.len() {
        let name = fold_const(SPECS[index].name.as_bytes());
        let mut slot = hash(&name);
        while table.slots[slot] != EMPTY {
            assert!(!same(&table.names[table.slots[slot] as usize], &name), "two commands of one name");
            slot = (slot + 1) % SLOTS;
        }
        table.slots[slot] = index as u16;
        table.names[index] = name;
        table.subcommands_first[index] = id_next;
        id_next += SPECS[index].subcommands.len() as u16;
        index += 1;
    }
    table
}

const fn fold_const(name: &[u8]) -> Name {
    assert!(name.len() <= NAME_MAX && !name.is_empty(), "a command's name has 1 to 24 bytes");
    let mut words = [0; 3];
    let mut index = 0;
    while index < name.len() {
        assert!(!name[index].is_ascii_uppercase(), "specs are named in lower case");
        words[index / 8] |= (name[index] as u64) << (8 * (index % 8));
        index += 1;
    }
    Name { words, len: name.len() as u64 }
}

const fn same(a: &Name, b: &Name) -> bool {
    a.words[0] == b.words[0] && a.words[1] == b.words[1] && a.words[2] == b.words[2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_is_found_in_any_case() {
        for resolved in all() {
            let name = resolved.spec.name.split('|').next().unwrap();
            for name in [name.to_owned(), name.to_ascii_uppercase()] {
                let mut found = lookup(name.as_bytes()).unwrap();
                if resolved.spec.name.contains('|') {
                    found = lookup_subcommand(found, resolved.spec.short_name().as_bytes()).unwrap();
                }
                assert_eq!((found.spec.name, found.id), (resolved.spec.name, resolved.id));
            }
        }
    }

    #[test]
    fn ids_are_dense() {
        let mut ids: Vec<usize> = all().map(|resolved| resolved.id.index()).collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..ids.len()).collect::<Vec<_>>());
    }

    #[test]
    fn near_misses_are_not_found() {
        for name in
            ["", "pin", "ping\0", "pingg", "\0", "p\u{49}ng\0\0\0\0\0", "0123456789012345678901234567"]
        {
            assert!(lookup(name.as_bytes()).is_none(), "{name:?}");
        }
        assert!(lookup(b"P\x89NG").is_none());
    }

    #[test]
    fn folding_touches_letters_only() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let word = (byte as u64) << (8 * place);
                assert_eq!(lower(word), (byte.to_ascii_lowercase() as u64) << (8 * place));
            }
        }
    }
}
