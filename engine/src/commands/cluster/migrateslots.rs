//! CLUSTER MIGRATESLOTS: moves slots to other nodes while they are in use.
//!
//! In cluster mode a node moves its own slots. Without it the cores of the process are asked together, and each moves
//! what it owns. All requests of a command are checked before the first of them begins.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec,
    run_gather,
};
use crate::config::Config;
use crate::core::Action;
use crate::moves::{Estimate, MoveRequest, RequestError};
use crate::resp::Arguments;

/// CLUSTER MIGRATESLOTS.
pub const SPEC: Spec = Spec {
    name: "cluster|migrateslots",
    syntax: "SLOTSRANGE start end [start end ...] NODE id [SLOTSRANGE ... NODE id ...] [DRYRUN]",
    arity: -7,
    flags: Flags::of(&[Flag::Admin, Flag::NoAsyncLoading, Flag::Stale]),
    acl: Categories::of(&[Category::Dangerous]),
    since: "9.0.0",
    group: Group::Cluster,
    summary: "Moves slots to other nodes while they are in use; with DRYRUN says what that would take.",
    complexity: "O(N) where N is the number of slots",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn error(error: &RequestError) -> CommandError {
    CommandError::Text(format!("ERR {error}"))
}

/// The requests, and whether they are only to be looked at.
fn parse(arguments: &Arguments<'_>) -> Result<(Vec<MoveRequest>, bool), CommandError> {
    let is_dry = arguments.is(arguments.len() - 1, "DRYRUN");
    let words: Vec<&[u8]> = arguments.iter().skip(2).collect();
    let words = &words[..words.len() - usize::from(is_dry)];
    let words: crate::resp::OwnedArguments = words.iter().copied().collect();
    let requests = MoveRequest::parse(&words.view()).map_err(|fault| error(&fault))?;
    Ok((requests, is_dry))
}

fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let core = &*context.core;
    let (requests, _) = parse(arguments)?;
    for request in requests {
        request.check(&core.topology, !core.config.cluster_enabled).map_err(|fault| error(&fault))?;
        Estimate::of(&request, &core.topology, &core.shard, &core.moves).encode(context.out);
    }
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let (requests, is_dry) = parse(arguments)?;
    let mut estimates = vec![Estimate::default(); requests.len()];
    for part in parts {
        let part = Estimate::decode_all(part).expect("a core writes what it can read");
        estimates.iter_mut().zip(&part).for_each(|(sum, more)| sum.merge(more));
    }
    if let Some(slot) = estimates.iter().find_map(|estimate| estimate.moving) {
        return Err(error(&RequestError::Moving(slot)));
    }
    if !is_dry {
        context.reply.ok();
        context.act(Action::BeginMoves(requests));
        return Ok(());
    }
    let cap = rate_max(&context.core.config);
    let reply = &mut *context.reply;
    reply.array(requests.len());
    for (request, estimate) in requests.iter().zip(&estimates) {
        let ranges = request.ranges.iter();
        let ranges = ranges.map(|range| format!("{}-{}", range.first().number(), range.last().number()));
        reply.map(6);
        reply.bulk("target_node");
        reply.bulk(request.target.as_str());
        reply.bulk("slot_ranges");
        reply.bulk(ranges.collect::<Vec<_>>().join(" "));
        let numbers = [
            ("slots", estimate.slots),
            ("keys", estimate.keys),
            ("bytes", estimate.bytes),
            ("seconds", estimate.seconds_at(cap)),
        ];
        for (name, number) in numbers {
            reply.bulk(name);
            reply.integer(number.cast_signed());
        }
    }
    Ok(())
}

/// Bytes a second that a move may take; 0 if that is not limited.
fn rate_max(config: &Config) -> u64 {
    let limits = [config.link_rate_max, config.migration_rate_max];
    limits.into_iter().filter(|limit| *limit > 0).min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Bench;
    use crate::core::Action;
    use crate::key::SlotId;
    use crate::topology::NodeId;

    #[test]
    fn moves_are_checked_and_handed_over() {
        let (here, there) = (NodeId::derived(1, 0), NodeId::derived(1, 1));
        let mut bench = Bench::default();
        bench.check(&format!(
            "
            @cores 2
            @config migration-rate-max 50
            SET hello world -> +OK
            CLUSTER MIGRATESLOTS SLOTSRANGE 0 x NODE {there} -> -ERR Invalid or out of range slot
            CLUSTER MIGRATESLOTS SLOTSRANGE 8191 8192 NODE {there} -> -ERR Slots are not served by this node.
            CLUSTER MIGRATESLOTS SLOTSRANGE 0 5 NODE {here} -> -ERR Target node can not be this node.
            CLUSTER MIGRATESLOTS SLOTSRANGE 0 5 NODE {stranger} -> -ERR Unknown node name: {stranger}
            CLUSTER MIGRATESLOTS SLOTSRANGE 0 5 NODE {there} DRYRUN -> *1 *12 $11 target_node $40 {there} $11 slot_ranges $3 0-5 $5 slots :6 $4 keys :0 ...
            CLUSTER MIGRATESLOTS SLOTSRANGE 866 866 NODE {there} DRYRUN -> *1 ...$4 keys :1 ...$7 seconds :2
            ",
            stranger = "0".repeat(40)
        ));
        assert!(bench.actions.is_empty());
        bench.check(&format!("CLUSTER MIGRATESLOTS SLOTSRANGE 0 5 7 7 NODE {there} -> +OK"));
        let [Action::BeginMoves(requests)] = &bench.actions[..] else { panic!("{:?}", bench.actions) };
        assert_eq!((requests.len(), requests[0].slots().count(), requests[0].target), (1, 7, there));
        bench.core.moves.moving.insert(SlotId::new(7).unwrap());
        bench.check(&format!(
            "
            CLUSTER MIGRATESLOTS SLOTSRANGE 6 9 NODE {there} -> -ERR I am already migrating slot 7.
            CLUSTER MIGRATESLOTS SLOTSRANGE 6 9 NODE {there} DRYRUN -> -ERR I am already migrating slot 7.
            "
        ));
    }
}
