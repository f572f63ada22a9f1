//! Without cluster mode: the cores of this process on which a command runs.

use super::keys::for_each_key;
use super::route::{Merge, Route};
use super::spec::Spec;
use crate::core::Core;
use crate::key::SlotId;
use crate::resp::Arguments;
use crate::shard::ScanCursor;

/// Where a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// On whatever core has it: it has no keys, or its arguments are wrong and the error is the same everywhere.
    Here,
    /// On this core, which owns all its keys.
    Core(u16),
    /// Cut by key (`split`), each part on its keys' core; `join` makes one reply of theirs.
    Split(Merge),
    /// On one core, under locks on all slots of its keys, after the keys of the others were brought there.
    Together,
    /// Its part runs on every core, its merge where the connection is.
    Everywhere,
}

/// Where a command of the right arity runs.
#[inline]
pub fn destination(core: &Core, spec: &Spec, arguments: &Arguments<'_>) -> Destination {
    let topology = &core.topology;
    let merge = match spec.route {
        Route::Local => return Destination::Here,
        Route::Gather(_) => return Destination::Everywhere,
        Route::Cursor => {
            let cursor = arguments.opt(1).and_then(ScanCursor::parse);
            let core = cursor.and_then(|cursor| topology.local_core(SlotId::new(cursor.slot())?));
            return core.map_or(Destination::Here, Destination::Core);
        }
        Route::Keys => None,
        Route::Split(merge) => Some(merge),
    };
    let (mut only, mut is_one) = (None, true);
    let found = for_each_key(spec, arguments, |position, _| {
        let owner = topology.local_core(core.foreknown.slot(arguments.at(position)));
        is_one &= *only.get_or_insert(owner) == owner;
    });
    match (found, only) {
        (Ok(()), Some(Some(core))) if is_one => Destination::Core(core),
        (Ok(()), Some(_)) if !is_one => merge.map_or(Destination::Together, Destination::Split),
        _ => Destination::Here,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing::Bench;
    use crate::commands::{Access, Keys};
    use crate::resp::OwnedArguments;

    #[test]
    fn keys_decide() {
        let mut bench = Bench::default();
        bench.check("@cores 2");
        let ask = |route: Route, line: &str| {
            let spec = Spec { keys: Keys::range(1, -1, 1, Access::READ), route, ..Spec::BASE };
            let words: OwnedArguments = line.split(' ').collect();
            destination(&bench.core, &spec, &words.view())
        };
        // bar lies on core 0, foo on core 1.
        assert_eq!(ask(Route::Keys, "x bar {bar}2"), Destination::Core(0));
        assert_eq!(ask(Route::Keys, "x foo"), Destination::Core(1));
        assert_eq!(ask(Route::Keys, "x foo bar"), Destination::Together);
        assert_eq!(ask(Route::Split(Merge::Sum), "x foo bar"), Destination::Split(Merge::Sum));
        assert_eq!(ask(Route::Split(Merge::Sum), "x foo {foo}1"), Destination::Core(1));
        assert_eq!(ask(Route::Keys, "x"), Destination::Here);
        assert_eq!(ask(Route::Local, "x foo"), Destination::Here);
        assert_eq!(ask(Route::Cursor, "x 0"), Destination::Core(0));
        let second = ScanCursor::at_slot(8192).number();
        assert_eq!(ask(Route::Cursor, &format!("x {second}")), Destination::Core(1));
        assert_eq!(ask(Route::Cursor, "x foo"), Destination::Here);
    }
}
