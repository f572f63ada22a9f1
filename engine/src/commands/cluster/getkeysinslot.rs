//! CLUSTER GETKEYSINSLOT: keys of this core in a slot.

use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::number::parse_i64;
use crate::resp::Arguments;
use crate::shard::ScanCursor;

/// CLUSTER GETKEYSINSLOT.
pub const SPEC: Spec = Spec {
    name: "cluster|getkeysinslot",
    syntax: "slot count",
    arity: 4,
    flags: Flags::of(&[Flag::Stale]),
    tips: &["nondeterministic_output"],
    since: "3.0.0",
    group: Group::Cluster,
    summary: "Keys of a slot of this core.",
    complexity: "O(N) where N is the count",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    const INVALID: &str = "ERR Invalid slot or number of keys";
    super::check_enabled(context)?;
    let slot = super::slot(arguments.at(2), INVALID)?;
    let count = parse_i64(arguments.at(3)).ok_or(CommandError::NotInteger)?;
    let count = usize::try_from(count).map_err(|_| CommandError::Static(INVALID))?;

    let end = slot.number() + 1;
    let (mut cursor, mut shown) = (ScanCursor::at_slot(slot.number()), 0);
    let place = context.reply.defer();
    while shown < count {
        cursor = context.core.shard.scan(cursor, end, count - shown, context.now.unix_ms, |entry| {
            // A bucket is shown as a whole, and may hold more than was asked for.
            if shown < count {
                context.reply.bulk(entry.key());
                shown += 1;
            }
        });
        if cursor.number() == ScanCursor::at_slot(end).number() {
            break;
        }
    }
    context.reply.end_array(place, shown);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Bench;
    use crate::key::SlotId;
    use crate::shard::Expiry;

    #[test]
    fn as_many_keys_as_were_asked_for() {
        let mut bench = Bench::default();
        bench.check("@cores 1");
        let now_ms = bench.now.unix_ms;
        for number in 0..100 {
            let name = format!("{{a}}{number}");
            let key = bench.core.shard.key(name.as_bytes());
            bench.core.shard.write(&key, now_ms).set(b"x", Expiry::Clear).unwrap();
        }
        let slot = SlotId::of(b"a").number();
        let keys = |answer: &str| answer.split(' ').filter(|word| word.starts_with("{a}")).count();
        for (count, expected) in [(0, 0), (1, 1), (50, 50), (100, 100), (1000, 100)] {
            let answer = bench.ask(1, &format!("CLUSTER GETKEYSINSLOT {slot} {count}"));
            assert_eq!(keys(&answer), expected);
            assert!(answer.starts_with(&format!("*{expected}")));
        }
        bench.check(
            "
            CLUSTER GETKEYSINSLOT 16383 10 -> *0
            CLUSTER GETKEYSINSLOT 16384 10 -> -ERR Invalid slot or number of keys
            CLUSTER GETKEYSINSLOT 0 -1 -> -ERR Invalid slot or number of keys
            CLUSTER GETKEYSINSLOT 0 x -> -ERR value is not an integer or out of range
            ",
        );
    }
}
