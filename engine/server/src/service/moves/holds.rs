//! Slots whose commands wait while they change hands.

use whimbrel_engine::commands::{Flag, Route, Spec};
use whimbrel_engine::key::{SLOT_COUNT, SlotId};

/// Which commands of a slot wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Level {
    /// None: the usual case.
    #[default]
    Nothing,
    /// Those that may change the slot.
    Writes,
    /// All.
    All,
}

impl Level {
    /// Whether a command waits where this level is in force.
    pub fn holds(self, spec: &Spec) -> bool {
        match self {
            Level::Nothing => false,
            Level::Writes => spec.is_write() || spec.flags.has(Flag::MayReplicate),
            Level::All => true,
        }
    }
}

/// Whether a command that every core has a part in looks at keys: it touches every slot.
pub fn touches_all(spec: &Spec) -> bool {
    matches!(spec.route, Route::Gather(_)) && (spec.is_write() || spec.flags.has(Flag::Readonly))
}

/// Which commands wait, slot by slot.
#[derive(Default)]
pub struct SlotHolds {
    /// By slot; made on first use.
    levels: Option<Box<[Level; SLOT_COUNT]>>,
    /// Slots at each level above the lowest.
    writes: usize,
    all: usize,
}

impl SlotHolds {
    /// Whether nothing waits: the usual case.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.writes + self.all == 0
    }

    /// Puts slots at a level.
    pub fn set(&mut self, slots: &[SlotId], level: Level) {
        let levels = self.levels.get_or_insert_with(|| Box::new([Level::Nothing; SLOT_COUNT]));
        for slot in slots {
            let before = std::mem::replace(&mut levels[slot.number()], level);
            self.writes =
                self.writes + usize::from(level == Level::Writes) - usize::from(before == Level::Writes);
            self.all = self.all + usize::from(level == Level::All) - usize::from(before == Level::All);
        }
        if self.is_empty() {
            self.levels = None;
        }
    }

    /// Puts slots at a level, but for those at a higher one.
    pub fn raise(&mut self, slots: &[SlotId], level: Level) {
        for slot in slots.iter().filter(|slot| self.level(**slot) < level).copied().collect::<Vec<_>>() {
            self.set(&[slot], level);
        }
    }

    /// Nothing waits any more.
    pub fn clear(&mut self) {
        *self = SlotHolds::default();
    }

    /// What is in force for a slot.
    pub fn level(&self, slot: SlotId) -> Level {
        self.levels.as_ref().map_or(Level::Nothing, |levels| levels[slot.number()])
    }

    /// The strictest level of any slot.
    pub fn strictest(&self) -> Level {
        if self.all > 0 {
            Level::All
        } else if self.writes > 0 {
            Level::Writes
        } else {
            Level::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use whimbrel_engine::commands::lookup;

    fn slots(numbers: &[usize]) -> Vec<SlotId> {
        numbers.iter().map(|number| SlotId::new(*number).expect("a slot")).collect()
    }

    #[test]
    fn levels_come_and_go() {
        let mut holds = SlotHolds::default();
        assert!(holds.is_empty());
        holds.set(&slots(&[1, 2]), Level::Writes);
        holds.set(&slots(&[2, 2]), Level::All);
        assert_eq!(
            slots(&[0, 1, 2]).into_iter().map(|slot| holds.level(slot)).collect::<Vec<_>>(),
            [Level::Nothing, Level::Writes, Level::All]
        );
        assert_eq!(holds.strictest(), Level::All);
        holds.set(&slots(&[2]), Level::Nothing);
        assert_eq!(holds.strictest(), Level::Writes);
        holds.set(&slots(&[1]), Level::Nothing);
        assert!(holds.is_empty() && holds.levels.is_none());
        holds.raise(&slots(&[1, 2]), Level::All);
        holds.raise(&slots(&[2, 3]), Level::Writes);
        assert_eq!((holds.level(slots(&[2])[0]), holds.level(slots(&[3])[0])), (Level::All, Level::Writes));
        holds.clear();
        assert!(holds.is_empty());
    }

    #[test]
    fn levels_hold_what_they_say() {
        let spec = |name: &[u8]| lookup(name).expect("a command").spec;
        assert!(!Level::Nothing.holds(spec(b"set")));
        assert!(Level::Writes.holds(spec(b"set")) && !Level::Writes.holds(spec(b"get")));
        assert!(Level::All.holds(spec(b"get")));
        assert!(touches_all(spec(b"flushall")) && touches_all(spec(b"dbsize")) && touches_all(spec(b"keys")));
        assert!(!touches_all(spec(b"info")) && !touches_all(spec(b"get")));
    }
}
