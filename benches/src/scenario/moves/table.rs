//! Moves as text: a table for each cell, figures under each other, servers beside each other.

use crate::scenario::moves::figures::{Figure, Figures, MoveResult};
use crate::scenario::table::aligned;

/// All cells, in the order in which they were measured.
pub fn tables(moves: &[MoveResult]) -> String {
    let mut cells: Vec<&str> = Vec::new();
    for result in moves {
        if !cells.contains(&result.cell.as_str()) {
            cells.push(&result.cell);
        }
    }
    cells.into_iter().map(|cell| format!("\n{}\n", table(moves, cell))).collect()
}

fn table(moves: &[MoveResult], cell: &str) -> String {
    let results: Vec<&MoveResult> = moves.iter().filter(|result| result.cell == cell).collect();
    let mut figures: Vec<Figure> = results.iter().flat_map(|result| result.median.keys().copied()).collect();
    figures.sort_unstable();
    figures.dedup();
    let mut head = vec![format!("{cell}, median (least – most)")];
    head.extend(results.iter().map(|result| result.server.clone()));
    let mut lines = vec![head];
    for figure in figures {
        let mut line = vec![figure.words().to_owned()];
        line.extend(results.iter().map(|result| shown(result, figure)));
        lines.push(line);
    }
    aligned(&lines)
}

fn shown(result: &MoveResult, figure: Figure) -> String {
    let Some(median) = result.median.get(&figure) else { return "–".to_owned() };
    let values = || result.samples.iter().filter_map(|sample: &Figures| sample.get(&figure).copied());
    let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    if least == most {
        return number(*median);
    }
    format!("{} ({} – {})", number(*median), number(least), number(most))
}

/// Three digits that count, and no more than the unit needs.
fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_stand_beside_each_other() {
        let result = |server: &str, values: &[f64]| {
            let mut result = MoveResult {
                cell: "idle".into(),
                server: server.into(),
                samples: Vec::new(),
                median: Figures::new(),
            };
            values.iter().for_each(|&value| result.keep([(Figure::MoveSeconds, value)].into()));
            result
        };
        let text = tables(&[result("a", &[1.5]), result("b", &[120.0, 2.0, 0.0])]);
        let lines: Vec<&str> = text.trim().lines().collect();
        assert!(
            lines[0].starts_with("idle") && lines[0].contains(" a ") && lines[0].ends_with('b'),
            "{text}"
        );
        assert!(lines[1].contains("1.50") && lines[1].ends_with("2.00 (0 – 120)"), "{text}");
    }
}
