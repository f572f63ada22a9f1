//! CLUSTER CANCELSLOTMIGRATIONS: ends moves; their slots stay where they are.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec,
    run_gather,
};
use crate::core::Action;
use crate::info::codec::{Reader, put_u64};
use crate::moves::Operation;
use crate::resp::Arguments;

/// CLUSTER CANCELSLOTMIGRATIONS.
pub const SPEC: Spec = Spec {
    name: "cluster|cancelslotmigrations",
    syntax: "[name | ALL]",
    arity: -2,
    flags: Flags::of(&[Flag::Admin, Flag::NoAsyncLoading, Flag::Stale]),
    acl: Categories::of(&[Category::Dangerous]),
    since: "9.0.0",
    group: Group::Cluster,
    summary: "Ends a move, or all of them; slots that have not changed hands stay where they are.",
    complexity: "O(N) where N is the number of moves",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

/// The name of the move; none for all.
fn name(arguments: &Arguments<'_>) -> Result<Option<String>, CommandError> {
    match arguments.opt(2) {
        _ if arguments.len() > 3 => Err(CommandError::WrongArity(SPEC.name)),
        Some(word) if !word.eq_ignore_ascii_case(b"ALL") => {
            Ok(Some(String::from_utf8_lossy(word).to_ascii_lowercase()))
        }
        _ => Ok(None),
    }
}

fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let name = name(arguments)?;
    let reports = context.core.moves.reports.iter();
    let count = reports
        .filter(|report| report.operation == Operation::Export && !report.is_over())
        .filter(|report| name.as_ref().is_none_or(|name| report.name == *name))
        .count();
    put_u64(context.out, count as u64);
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let name = name(arguments)?;
    let count: u64 = parts.iter().filter_map(|part| Reader(part).u64()).sum();
    match &name {
        None if count == 0 => return Err(CommandError::Static("ERR No migrations ongoing")),
        Some(name) if count == 0 => {
            return Err(CommandError::Text(format!("ERR No migration ongoing with the name {name}")));
        }
        _ => {}
    }
    context.reply.ok();
    context.act(Action::CancelMoves(name));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Bench;
    use crate::core::Action;
    use crate::moves::{MoveReport, Operation};
    use crate::topology::{NodeId, SlotRange};

    #[test]
    fn moves_that_go_on_are_ended_by_name_or_all() {
        let mut bench = Bench::default();
        bench.check("CLUSTER CANCELSLOTMIGRATIONS -> -ERR No migrations ongoing");
        for (digit, phase) in [("a", "snapshot"), ("b", "done")] {
            let range = SlotRange::new(1, 2).unwrap();
            let (source, target) = (NodeId::derived(1, 0), NodeId::derived(1, 1));
            let mut report =
                MoveReport::new(digit.repeat(40), Operation::Export, vec![range], source, target);
            report.phase = phase.to_owned();
            bench.core.moves.reports.push(report);
        }
        let (going, done) = ("a".repeat(40), "b".repeat(40));
        bench.check(&format!(
            "
            CLUSTER CANCELSLOTMIGRATIONS {done} -> -ERR No migration ongoing with the name {done}
            CLUSTER CANCELSLOTMIGRATIONS {going} all -> -ERR wrong number of arguments for 'cluster|cancelslotmigrations' command
            CLUSTER CANCELSLOTMIGRATIONS {} -> +OK
            CLUSTER CANCELSLOTMIGRATIONS ALL -> +OK
            CLUSTER CANCELSLOTMIGRATIONS -> +OK
            ",
            going.to_uppercase()
        ));
        let all = Action::CancelMoves(None);
        assert_eq!(bench.actions, [Action::CancelMoves(Some(going)), all.clone(), all]);
    }
}
