//! CLUSTER SLOT-STATS: keys, memory and load of slots. A node tells of its own; on the shared port the cores of the process
//! tell together.

use crate::commands::{
    CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec, run_gather,
};
use crate::info::codec::{Reader, put_u64};
use crate::key::SLOT_COUNT;
use crate::number::parse_i64;
use crate::resp::Arguments;
use crate::topology::SlotRange;

/// CLUSTER SLOT-STATS.
pub const SPEC: Spec = Spec {
    name: "cluster|slot-stats",
    syntax: "SLOTSRANGE start end | ORDERBY metric [LIMIT count] [ASC | DESC]",
    arity: -4,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    tips: &["nondeterministic_output", "request_policy:all_shards"],
    since: "8.0.0",
    group: Group::Cluster,
    summary: "Keys, memory and commands of slots.",
    complexity: "O(N log N) where N is the number of slots",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

/// What is known of a slot, in the order of `NAMES`.
type Values = [u64; 3];

/// What is known of a slot; a command costs next to nothing for it.
const NAMES: [&str; 3] = ["key-count", "memory-bytes", "commands-per-second"];

fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let all = SlotRange::new(0, SLOT_COUNT - 1).expect("all slots are a range");
    let range = match Request::parse(arguments)? {
        Request::Range(range) => range,
        Request::Order { .. } => all,
    };
    let core = &*context.core;
    for slot in range.slots().filter(|slot| core.topology.owns(*slot)) {
        let load = core.load.of(slot, context.now.unix_s());
        put_u64(context.out, slot.number() as u64);
        for value in [core.shard.slot_keys(slot), core.shard.slot_bytes(slot), load] {
            put_u64(context.out, value);
        }
    }
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let mut slots: Vec<(u64, Values)> = parts.iter().flat_map(|part| read(part)).collect();
    slots.sort_unstable_by_key(|(slot, _)| *slot);
    if let Request::Order { metric, limit, ascending } = Request::parse(arguments)? {
        // Slots that are alike stay in their order, whichever way the others are sorted.
        slots.sort_by_key(|(_, values)| if ascending { values[metric] } else { u64::MAX - values[metric] });
        slots.truncate(limit);
    }
    context.reply.array(slots.len());
    for (slot, values) in slots {
        context.reply.array(2);
        context.reply.integer(slot.cast_signed());
        context.reply.map(NAMES.len());
        for (name, value) in NAMES.iter().zip(values) {
            context.reply.bulk(name);
            context.reply.integer(value.cast_signed());
        }
    }
    Ok(())
}

fn read(part: &[u8]) -> Vec<(u64, Values)> {
    let mut reader = Reader(part);
    let mut slots = Vec::new();
    while !reader.0.is_empty() {
        let mut next = || reader.u64().expect("a core writes what it can read");
        slots.push((next(), [next(), next(), next()]));
    }
    slots
}

enum Request {
    Range(SlotRange),
    /// By the value at a place of `NAMES`.
    Order {
        metric: usize,
        limit: usize,
        ascending: bool,
    },
}

impl Request {
    fn parse(arguments: &Arguments<'_>) -> Result<Self, CommandError> {
        if arguments.is(2, "SLOTSRANGE") && arguments.len() == 5 {
            const INVALID: &str = "ERR Invalid or out of range slot";
            let number =
                |at| super::slot(arguments.at(at), INVALID).map_err(|_| CommandError::Static(INVALID));
            let (first, last) = (number(3)?.number(), number(4)?.number());
            let range = SlotRange::new(first, last).ok_or_else(|| {
                CommandError::Text(format!(
                    "ERR Start slot number {first} is greater than end slot number {last}"
                ))
            })?;
            return Ok(Self::Range(range));
        }
        if arguments.is(2, "ORDERBY") {
            return Self::order(arguments);
        }
        Err(CommandError::Syntax)
    }

    fn order(arguments: &Arguments<'_>) -> Result<Self, CommandError> {
        let metric = NAMES.iter().position(|name| arguments.is(3, name));
        let metric = metric.ok_or(CommandError::Static("ERR Unrecognized sort metric for ORDERBY."))?;
        let (mut limit, mut ascending) = (None, None);
        let mut at = 4;
        while at < arguments.len() {
            if arguments.is(at, "LIMIT") && at + 1 < arguments.len() && limit.is_none() {
                limit = Some(count(arguments.at(at + 1))?);
                at += 1;
            } else if arguments.is(at, "ASC") && ascending.is_none() {
                ascending = Some(true);
            } else if arguments.is(at, "DESC") && ascending.is_none() {
                ascending = Some(false);
            } else {
                return Err(CommandError::Syntax);
            }
            at += 1;
        }
        Ok(Self::Order { metric, limit: limit.unwrap_or(SLOT_COUNT), ascending: ascending.unwrap_or(false) })
    }
}

fn count(word: &[u8]) -> Result<usize, CommandError> {
    let number = parse_i64(word).and_then(|number| usize::try_from(number).ok());
    number
        .filter(|number| (1..=SLOT_COUNT).contains(number))
        .ok_or(CommandError::Static("ERR Limit has to lie in between 1 and 16384 (maximum number of slots)."))
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Bench;
    use crate::shard::Expiry;

    #[test]
    fn ranges_and_orders() {
        let mut bench = Bench::default();
        bench.check("@cores 2");
        let now_ms = bench.now.unix_ms;
        // Slots 866 (two keys) and 5061 (one, larger) belong to core 0.
        for (name, length) in [("hello", 1), ("{hello}2", 1), ("bar", 500)] {
            let key = bench.core.shard.key(name.as_bytes());
            bench.core.shard.write(&key, now_ms).set(&vec![b'x'; length], Expiry::Clear).unwrap();
        }
        bench.check(
            "
            CLUSTER SLOT-STATS SLOTSRANGE 865 866 -> *2 *2 :865 *6 $9 key-count :0 $12 memory-bytes :0 $19 commands-per-second :0 *2 :866 *6 $9 key-count :2 ...
            CLUSTER SLOT-STATS SLOTSRANGE 8191 9000 -> *1 *2 :8191 ...
            CLUSTER SLOT-STATS ORDERBY key-count LIMIT 2 -> *2 *2 :866 *6 $9 key-count :2 ... *2 :5061 ...
            CLUSTER SLOT-STATS ORDERBY memory-bytes LIMIT 1 DESC -> *1 *2 :5061 ...
            CLUSTER SLOT-STATS ORDERBY KEY-COUNT ASC LIMIT 1 -> *1 *2 :0 ...
            CLUSTER SLOT-STATS ORDERBY commands-per-second LIMIT 1 -> *1 *2 ...$19 commands-per-second :...
            CLUSTER SLOT-STATS ORDERBY cpu-usec -> -ERR Unrecognized sort metric for ORDERBY.
            CLUSTER SLOT-STATS ORDERBY key-count LIMIT 0 -> -ERR Limit has to lie in between 1 and 16384 (maximum number of slots).
            CLUSTER SLOT-STATS ORDERBY key-count ASC DESC -> -ERR syntax error
            CLUSTER SLOT-STATS ORDERBY key-count LIMIT -> -ERR syntax error
            CLUSTER SLOT-STATS SLOTSRANGE 5 4 -> -ERR Start slot number 5 is greater than end slot number 4
            CLUSTER SLOT-STATS SLOTSRANGE 5 16384 -> -ERR Invalid or out of range slot
            CLUSTER SLOT-STATS SLOTSRANGE x 5 -> -ERR Invalid or out of range slot
            CLUSTER SLOT-STATS SLOTSRANGE 5 -> -ERR syntax error
            CLUSTER SLOT-STATS FOO bar -> -ERR syntax error
            ",
        );
    }
}
