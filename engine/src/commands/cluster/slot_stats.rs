//! CLUSTER SLOT-STATS: keys and memory of this core's slots.

use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::key::{SLOT_COUNT, SlotId};
use crate::number::parse_i64;
use crate::resp::Arguments;
use crate::shard::Shard;
use crate::topology::SlotRange;

/// CLUSTER SLOT-STATS.
pub const SPEC: Spec = Spec {
    name: "cluster|slot-stats",
    syntax: "SLOTSRANGE start end | ORDERBY metric [LIMIT count] [ASC | DESC]",
    arity: -4,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    since: "8.0.0",
    group: Group::Cluster,
    summary: "Keys and memory of this core's slots.",
    complexity: "O(N log N) where N is the number of slots",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    super::check_enabled(context)?;
    let core = &*context.core;
    let own = |slot: &SlotId| core.topology.owns(*slot);
    let chosen: Vec<SlotId> = match Request::parse(arguments)? {
        Request::Range(range) => range.slots().filter(own).collect(),
        Request::Order { metric, limit, ascending } => {
            let mut slots: Vec<SlotId> = (0..SLOT_COUNT).filter_map(SlotId::new).filter(own).collect();
            // Slots that are alike stay in their order, whichever way the others are sorted.
            slots.sort_by_key(|slot| {
                let value = metric.of(&core.shard, *slot);
                if ascending { value } else { u64::MAX - value }
            });
            slots.truncate(limit);
            slots
        }
    };
    context.reply.array(chosen.len());
    for slot in chosen {
        context.reply.array(2);
        context.reply.count(slot.number());
        context.reply.map(Metric::ALL.len());
        for metric in Metric::ALL {
            context.reply.bulk(metric.name());
            context.reply.integer(metric.of(&core.shard, slot).cast_signed());
        }
    }
    Ok(())
}

/// What is known of a slot without any cost to commands.
#[derive(Clone, Copy)]
enum Metric {
    Keys,
    Bytes,
}

impl Metric {
    const ALL: [Self; 2] = [Self::Keys, Self::Bytes];

    fn name(self) -> &'static str {
        match self {
            Self::Keys => "key-count",
            Self::Bytes => "memory-bytes",
        }
    }

    fn of(self, shard: &Shard, slot: SlotId) -> u64 {
        match self {
            Self::Keys => shard.slot_keys(slot),
            Self::Bytes => shard.slot_bytes(slot),
        }
    }
}

enum Request {
    Range(SlotRange),
    Order { metric: Metric, limit: usize, ascending: bool },
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
        let metric = Metric::ALL.into_iter().find(|metric| arguments.is(3, metric.name()));
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
            CLUSTER SLOT-STATS SLOTSRANGE 865 866 -> *2 *2 :865 *4 $9 key-count :0 $12 memory-bytes :0 *2 :866 *4 $9 key-count :2 ...
            CLUSTER SLOT-STATS SLOTSRANGE 8191 9000 -> *1 *2 :8191 ...
            CLUSTER SLOT-STATS ORDERBY key-count LIMIT 2 -> *2 *2 :866 *4 $9 key-count :2 ... *2 :5061 ...
            CLUSTER SLOT-STATS ORDERBY memory-bytes LIMIT 1 DESC -> *1 *2 :5061 ...
            CLUSTER SLOT-STATS ORDERBY KEY-COUNT ASC LIMIT 1 -> *1 *2 :0 ...
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
