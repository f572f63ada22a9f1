//! MEMORY STATS: what memory is used for, in the fields that Redis has.
//!
//! The arena takes the allocator's place. What Whimbrel does not have takes no bytes; what it has beyond Redis is told at
//! the end.

use super::{numbers, ratio, together};
use crate::commands::{CommandError, Context, Gather, Group, Route, Spec, run_gather};
use crate::info::{Counters, Process};
use crate::resp::{Arguments, Reply};

/// MEMORY STATS.
pub const SPEC: Spec = Spec {
    name: "memory|stats",
    arity: 2,
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    since: "4.0.0",
    group: Group::Server,
    summary: "What memory is used for.",
    route: Route::Gather(Gather { part: numbers, merge }),
    run: run_gather,
    ..Spec::BASE
};

enum Field {
    Bytes(&'static str, u64),
    Difference(&'static str, i64),
    Ratio(&'static str, f64),
    /// What the hash tables of the one database take.
    Database(u64),
}

fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let total = together(parts);
    let fields = fields(&total.counters, &context.core.observed.process);
    context.reply.map(fields.len());
    fields.iter().for_each(|field| field.show(context.reply));
    Ok(())
}

fn fields(counters: &Counters, process: &Process) -> Vec<Field> {
    let (used, resident) = (counters.used_bytes, process.resident_bytes);
    let (allocated, active) = (counters.arena_allocated_bytes, counters.arena_active_bytes);
    let mapped = counters.arena_mapped_bytes;
    let peak = counters.used_bytes_peak.max(used);
    let overhead = counters.overhead_bytes + counters.clients_bytes;
    let dataset = used.saturating_sub(counters.overhead_bytes);
    let beyond_startup = used.saturating_sub(counters.startup_bytes);
    let difference = |one: u64, other: u64| one as i64 - other as i64;
    let mut fields = vec![
        Field::Bytes("peak.allocated", peak),
        Field::Bytes("total.allocated", used),
        Field::Bytes("startup.allocated", counters.startup_bytes),
        Field::Bytes("replication.backlog", 0),
        Field::Bytes("clients.slaves", 0),
        Field::Bytes("clients.normal", counters.clients_bytes),
        Field::Bytes("cluster.links", 0),
        Field::Bytes("aof.buffer", 0),
        Field::Bytes("lua.caches", 0),
        Field::Bytes("functions.caches", 0),
    ];
    if counters.keys > 0 {
        fields.push(Field::Database(counters.overhead_bytes));
    }
    fields.extend([
        Field::Bytes("overhead.total", overhead),
        Field::Bytes("keys.count", counters.keys),
        Field::Bytes("keys.bytes-per-key", beyond_startup.checked_div(counters.keys).unwrap_or(0)),
        Field::Bytes("dataset.bytes", dataset),
        Field::Ratio("dataset.percentage", (ratio(dataset, beyond_startup) * 100.0).min(100.0)),
        Field::Ratio("peak.percentage", ratio(used, peak) * 100.0),
        Field::Bytes("allocator.allocated", allocated),
        Field::Bytes("allocator.active", active),
        Field::Bytes("allocator.resident", mapped),
        Field::Ratio("allocator-fragmentation.ratio", ratio(active, allocated)),
        Field::Difference("allocator-fragmentation.bytes", difference(active, allocated)),
        Field::Ratio("allocator-rss.ratio", ratio(mapped, active)),
        Field::Difference("allocator-rss.bytes", difference(mapped, active)),
        Field::Ratio("rss-overhead.ratio", ratio(resident, mapped)),
        Field::Difference("rss-overhead.bytes", difference(resident, mapped)),
        Field::Ratio("fragmentation", ratio(resident, used)),
        Field::Difference("fragmentation.bytes", difference(resident, used)),
        Field::Bytes("fork.retained", counters.fork_retained_bytes),
        Field::Bytes("reclaiming", counters.reclaiming_bytes),
    ]);
    fields
}

impl Field {
    fn show(&self, reply: &mut Reply) {
        match *self {
            Self::Bytes(name, bytes) => {
                reply.bulk(name);
                reply.integer(bytes as i64);
            }
            Self::Difference(name, bytes) => {
                reply.bulk(name);
                reply.integer(bytes);
            }
            Self::Ratio(name, ratio) => {
                reply.bulk(name);
                reply.double(ratio);
            }
            Self::Database(tables_bytes) => {
                reply.bulk("db.0");
                // Expiry stands in the key's object, and slots are the tables themselves.
                let tables = [
                    ("overhead.hashtable.main", tables_bytes),
                    ("overhead.hashtable.expires", 0),
                    ("overhead.hashtable.slot-to-keys", 0),
                ];
                reply.map(tables.len());
                for (name, bytes) in tables {
                    reply.bulk(name);
                    reply.integer(bytes as i64);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn fields_of_redis() {
        check(
            "
            MEMORY STATS -> *58 $14 peak.allocated :... $10 keys.count :0 $18 keys.bytes-per-key :0 ...
            SET k v -> +OK
            MEMORY STATS -> *60 ... $4 db.0 *6 $23 overhead.hashtable.main :... $10 keys.count :1 ...
            HELLO 3 -> ...
            MEMORY STATS -> %30 ... $4 db.0 %3 ... $15 peak.percentage ,...
            MEMORY STATS x -> -ERR wrong number of arguments for 'memory|stats' command
            ",
        );
    }
}
