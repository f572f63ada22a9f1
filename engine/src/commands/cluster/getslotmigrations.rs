//! CLUSTER GETSLOTMIGRATIONS: the moves of this node, the latest first.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec,
    run_gather,
};
use crate::moves::MoveReport;
use crate::resp::Arguments;

/// CLUSTER GETSLOTMIGRATIONS.
pub const SPEC: Spec = Spec {
    name: "cluster|getslotmigrations",
    arity: 2,
    flags: Flags::of(&[Flag::Admin, Flag::NoAsyncLoading, Flag::Stale]),
    acl: Categories::of(&[Category::Dangerous]),
    since: "9.0.0",
    group: Group::Cluster,
    summary: "The moves that go on and the latest that ended, with their progress.",
    complexity: "O(N) where N is the number of moves",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn part(context: &mut PartContext<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.core.moves.reports.iter().for_each(|report| report.encode(context.out));
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let mut reports = Vec::new();
    for part in parts {
        reports.extend(MoveReport::decode_all(part).expect("a core writes what it can read"));
    }
    reports.sort_by_key(|report| std::cmp::Reverse(report.created_ms));
    context.reply.array(reports.len());
    reports.iter().for_each(|report| report.reply(context.reply));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Bench;
    use crate::moves::{MoveReport, Operation};
    use crate::topology::{NodeId, SlotRange};

    #[test]
    fn reports_are_shown_the_latest_first() {
        let mut bench = Bench::default();
        bench.check("CLUSTER GETSLOTMIGRATIONS -> *0");
        for (digit, created_ms) in [("a", 5), ("b", 9)] {
            let range = SlotRange::new(1, 2).unwrap();
            let (source, target) = (NodeId::derived(1, 0), NodeId::derived(1, 1));
            let mut report =
                MoveReport::new(digit.repeat(40), Operation::Export, vec![range], source, target);
            report.created_ms = created_ms;
            bench.core.moves.reports.push(report);
        }
        bench.check(
            "CLUSTER GETSLOTMIGRATIONS -> *2 *60 $4 name $40 bbbbb...$9 operation $6 EXPORT $11 slot_ranges $3 1-2 \
             ...$40 aaaaa...$5 state $7 planned ...$6 eta_ms :-1 ...",
        );
    }
}
