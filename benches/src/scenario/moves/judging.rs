//! Compares Whimbrel's moves with the targets M1 to M9.

use crate::scenario::moves::cell::{MoveCell, Purpose};
use crate::scenario::moves::figures::{Figure, Figures};
use crate::scenario::moves::windows::{LONG_DROP_TURN_US, LONG_MOVE_TURN_US};
use crate::scenario::peer::Kind;
use crate::scenario::results::{Results, Verdict};

/// Adds a verdict for every target whose cells were measured.
pub fn judge(results: &mut Results, cells: &[MoveCell]) {
    let Some(whimbrel) = results.server_of(Kind::Whimbrel).map(str::to_owned) else { return };
    let mut verdicts = Vec::new();
    let median = |cell: &str, server: &str| {
        results.moves.iter().find(|m| m.cell == cell && m.server == server).map(|m| &m.median)
    };
    let rivals = |cell: &str| -> Vec<(&str, &Figures)> {
        let rivals = results.servers.iter().filter(|server| server.kind == Kind::Resp);
        rivals.filter_map(|server| Some((server.name.as_str(), median(cell, &server.name)?))).collect()
    };
    let mut bound = |subject: &str, cell: &str, figure: Figure, value_max: f64| {
        if let Some(value) = median(cell, &whimbrel).and_then(|figures| figures.get(&figure)) {
            verdicts.push(verdict(subject, cell, *value, value_max));
        }
    };
    bound("M1 worst reply in a moving slot at a hand-over, ms", "load", Figure::HandOverMs, 2.0);
    bound("M2 added to the worst reply in a staying slot, ms", "load", Figure::AddedStayingMs, 1.0);
    bound("M1 while the machine ran", "load", Figure::UnstalledHandOverMs, 2.0);
    bound("M2 while the machine ran", "load", Figure::UnstalledAddedStayingMs, 1.0);
    bound("M7 errors shown to clients", "load", Figure::Errors, 0.0);
    bound("M7 redirects per slot of a client", "load", Figure::ProbeRedirectsPerSlot, 1.0);
    bound("M8 worst reply in a moving slot, ms", "cores-load", Figure::WorstMovingMs, 1.0);
    bound("M8 worst reply in a staying slot, ms", "cores-load", Figure::WorstStayingMs, 1.0);
    for (subject, figure, unstalled) in [
        ("turn of move work at the source", Figure::SourceMoveTurnUs, Figure::UnstalledSourceMoveTurnUs),
        ("turn of move work at the target", Figure::TargetMoveTurnUs, Figure::UnstalledTargetMoveTurnUs),
        ("turn of the source", Figure::SourceLoopUs, Figure::UnstalledSourceLoopUs),
        ("turn of the target", Figure::TargetLoopUs, Figure::UnstalledTargetLoopUs),
        ("turn of the source during the drop", Figure::SourceDropLoopUs, Figure::UnstalledSourceDropLoopUs),
    ] {
        bound(&format!("{subject}, µs"), "heavy", figure, LONG_MOVE_TURN_US);
        bound(&format!("{subject} while the machine ran, µs"), "heavy", unstalled, LONG_MOVE_TURN_US);
    }
    bound("M6 turn that drops moved keys, µs", "heavy", Figure::SourceDropTurnUs, LONG_DROP_TURN_US);
    bound("M6 while the machine ran, µs", "heavy", Figure::UnstalledSourceDropTurnUs, LONG_DROP_TURN_US);
    for cell in cells {
        bound("keys missing or double", cell.name, Figure::KeysOff, 0.0);
        if let Purpose::Cap(bytes) = cell.purpose {
            let megabytes = bytes as f64 / 1e6;
            bound("MB on the link in any second", cell.name, Figure::LinkMbInAnySecond, megabytes * 1.05);
            bound("added to the worst reply in a staying slot, ms", cell.name, Figure::AddedStayingMs, 1.0);
        }
    }
    for (subject, figure) in
        [("M3 time for the move", Figure::MoveSeconds), ("M4 source's CPU per MB", Figure::SourceCpuMsPerMb)]
    {
        let own = median("idle", &whimbrel).and_then(|figures| figures.get(&figure));
        let best = rivals("idle")
            .into_iter()
            .filter_map(|(name, figures)| Some((name, *figures.get(&figure)?)))
            .min_by(|a, b| a.1.total_cmp(&b.1));
        if let (Some(own), Some((name, best))) = (own, best) {
            verdicts.push(verdict(subject, &format!("idle, × {name}"), own / best, 0.5));
        }
    }
    let ratio = |cell: &str, of: Figure, over: (&str, Figure)| {
        let of = median(cell, &whimbrel)?.get(&of)?;
        Some(of / median(over.0, &whimbrel)?.get(&over.1)?)
    };
    let ratios = [
        (
            "M5 extra memory over what was overwritten",
            "memory",
            ratio("memory", Figure::ExtraMemoryMb, ("memory", Figure::OverwrittenMb)),
            1.05,
        ),
        (
            "M9 bytes sent again over all",
            "cut",
            ratio("cut", Figure::LinkMb, ("uncut", Figure::LinkMb)).map(|all| all - 1.0),
            0.01,
        ),
        (
            "M8 seconds per GB",
            "cores",
            median("cores", &whimbrel).and_then(|f| Some(1000.0 / f.get(&Figure::MovedMbPerSecond)?)),
            1.0,
        ),
    ];
    for (subject, cell, value, value_max) in ratios {
        verdicts.extend(value.map(|value| verdict(subject, cell, value, value_max)));
    }
    results.verdicts.extend(verdicts);
}

fn verdict(subject: &str, against: &str, value: f64, value_max: f64) -> Verdict {
    Verdict { subject: subject.to_owned(), against: against.to_owned(), value, value_max }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::moves::cell::cells;
    use crate::scenario::moves::figures::MoveResult;
    use crate::scenario::results::tests::example;

    fn result(cell: &str, server: &str, figures: &[(Figure, f64)]) -> MoveResult {
        let mut result = MoveResult {
            cell: cell.into(),
            server: server.into(),
            samples: Vec::new(),
            median: Figures::new(),
        };
        result.keep(figures.iter().copied().collect());
        result
    }

    #[test]
    fn whimbrel_is_judged_by_bounds_and_by_the_faster_peer() {
        let mut results = example();
        results.verdicts.clear();
        results.moves = vec![
            result("idle", "whimbrel", &[(Figure::MoveSeconds, 0.4)]),
            result("idle", "valkey", &[(Figure::MoveSeconds, 1.6)]),
            result("idle", "redis", &[(Figure::MoveSeconds, 1.0)]),
            result("load", "whimbrel", &[(Figure::HandOverMs, 3.0), (Figure::Errors, 0.0)]),
            result(
                "heavy",
                "whimbrel",
                &[(Figure::SourceDropTurnUs, 400.0), (Figure::UnstalledSourceDropTurnUs, 49.0)],
            ),
            result("uncut", "whimbrel", &[(Figure::LinkMb, 1000.0)]),
            result("cut", "whimbrel", &[(Figure::LinkMb, 1005.0)]),
        ];
        judge(&mut results, &cells(1.0));
        let outcome = |start: &str| {
            let found = results.verdicts.iter().find(|verdict| verdict.subject.starts_with(start));
            found.map(|verdict| (format!("{:.3}", verdict.value), verdict.is_met()))
        };
        assert_eq!(outcome("M3"), Some(("0.400".into(), true)));
        assert_eq!(outcome("M1"), Some(("3.000".into(), false)));
        assert_eq!(outcome("M6 turn"), Some(("400.000".into(), false)));
        assert_eq!(outcome("M6 while the machine ran"), Some(("49.000".into(), true)));
        assert_eq!(outcome("M7 errors"), Some(("0.000".into(), true)));
        assert_eq!(outcome("M9"), Some(("0.005".into(), true)));
        assert_eq!(outcome("M8"), None, "what was not measured is not judged");
    }

    #[test]
    fn without_whimbrel_nothing_is_judged() {
        let mut results = example();
        results.verdicts.clear();
        results.servers.retain(|server| server.kind != Kind::Whimbrel);
        judge(&mut results, &cells(1.0));
        assert!(results.verdicts.is_empty());
    }
}
