//! Slots that an operator names, and what is asked of the keeper of the map.

use crate::commands::{CommandError, Context, Flag, Flags};
use crate::core::Action;
use crate::key::{SLOT_COUNT, SlotId};
use crate::resp::Arguments;
use crate::topology::SlotRange;

/// The flags of commands that change who owns what.
pub const FLAGS: Flags = Flags::of(&[Flag::NoAsyncLoading, Flag::Admin, Flag::Stale]);

const INVALID: &str = "ERR Invalid or out of range slot";

fn slot(word: &[u8]) -> Result<SlotId, CommandError> {
    super::slot(word, INVALID).map_err(|_| CommandError::Static(INVALID))
}

/// The slots that arguments 2 and following name one by one.
pub fn slots(arguments: &Arguments<'_>) -> Result<Vec<SlotId>, CommandError> {
    let slots: Result<Vec<SlotId>, CommandError> = arguments.from(2).iter().map(slot).collect();
    distinct(slots?)
}

/// The slots of the ranges that arguments 2 and following name, each by its first and last slot.
pub fn ranges(context: &Context<'_>, arguments: &Arguments<'_>) -> Result<Vec<SlotId>, CommandError> {
    if arguments.len() % 2 == 1 {
        return Err(context.wrong_arity());
    }
    let mut slots = Vec::new();
    for at in (2..arguments.len()).step_by(2) {
        let (first, last) = (slot(arguments.at(at))?.number(), slot(arguments.at(at + 1))?.number());
        let range = SlotRange::new(first, last).ok_or_else(|| {
            CommandError::text(format!(
                "ERR start slot number {first} is greater than end slot number {last}"
            ))
        })?;
        slots.extend(range.slots());
        if slots.len() > SLOT_COUNT {
            break;
        }
    }
    distinct(slots)
}

fn distinct(slots: Vec<SlotId>) -> Result<Vec<SlotId>, CommandError> {
    let mut seen = [false; SLOT_COUNT];
    match slots.iter().find(|slot| std::mem::replace(&mut seen[slot.number()], true)) {
        None => Ok(slots),
        Some(slot) => Err(CommandError::text(format!("ERR Slot {} specified multiple times", slot.number()))),
    }
}

/// Asks the keeper of the map, which answers in the command's stead.
pub fn ask(context: &mut Context<'_>, slots: Vec<SlotId>, gives: bool) -> Result<(), CommandError> {
    context.act(Action::AssignSlots { slots, gives });
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Bench;
    use crate::core::Action;

    #[test]
    fn slots_are_named_once_and_in_range() {
        let mut bench = Bench::default();
        bench.check(
            "
            @cores 2
            CLUSTER ADDSLOTS 1 2 1 -> -ERR Slot 1 specified multiple times
            CLUSTER ADDSLOTS 16384 -> -ERR Invalid or out of range slot
            CLUSTER DELSLOTS x -> -ERR Invalid or out of range slot
            CLUSTER DELSLOTS -> -ERR wrong number of arguments for 'cluster|delslots' command
            CLUSTER ADDSLOTSRANGE 1 2 3 -> -ERR wrong number of arguments for 'cluster|addslotsrange' command
            CLUSTER ADDSLOTSRANGE 2 1 -> -ERR start slot number 2 is greater than end slot number 1
            CLUSTER DELSLOTSRANGE 0 5 5 6 -> -ERR Slot 5 specified multiple times
            CLUSTER DELSLOTSRANGE 0 16384 -> -ERR Invalid or out of range slot
            ",
        );
        assert!(bench.actions.is_empty());
    }

    #[test]
    fn the_keeper_of_the_map_is_asked() {
        let mut bench = Bench::default();
        bench.check("@cores 2");
        for (request, expected, expected_gives) in [
            ("CLUSTER ADDSLOTS 5 3", &[5, 3][..], true),
            ("CLUSTER ADDSLOTSRANGE 1 2 9 9", &[1, 2, 9], true),
            ("CLUSTER DELSLOTS 7", &[7], false),
            ("CLUSTER DELSLOTSRANGE 7 8", &[7, 8], false),
        ] {
            assert_eq!(bench.ask(1, request), "", "{request}");
            let Some(Action::AssignSlots { slots, gives }) = bench.actions.pop() else { panic!("{request}") };
            let numbers: Vec<usize> = slots.iter().map(|slot| slot.number()).collect();
            assert_eq!((&numbers[..], gives), (expected, expected_gives), "{request}");
        }
    }
}
