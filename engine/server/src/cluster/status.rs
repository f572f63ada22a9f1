//! `whimbrel cluster status`: nodes, slots, keys, bytes, load, and moves.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use serde_json::{Value, json};
use whimbrel_engine::key::SLOT_COUNT;

use super::progress::{Interrupted, line};
use super::survey::{Access, Node, Survey};
use super::{figures, print, slots};

/// How often it is shown anew.
const AGAIN_EVERY: Duration = Duration::from_secs(1);
/// Moves that are over and shown all the same.
const OVER_MAX: usize = 5;

/// Shows it, once or until interrupted.
pub fn run(access: &Access, is_json: bool, watch: bool) -> Result<(), String> {
    let interrupted = Interrupted::watch()?;
    loop {
        let survey = access.survey()?;
        if is_json {
            print(&format!("{}\n", json(&survey)))?;
        } else {
            let clear = if watch && std::io::stdout().is_terminal() { "\x1b[H\x1b[2J" } else { "" };
            print(&format!("{clear}{}", text(&survey)))?;
        }
        let _ = std::io::stdout().flush();
        for _ in 0..10 {
            if !watch || interrupted.is_set() {
                return Ok(());
            }
            std::thread::sleep(AGAIN_EVERY / 10);
        }
    }
}

/// For people.
pub fn text(survey: &Survey) -> String {
    let assigned: usize = survey.nodes.iter().map(|node| node.slots.len()).sum();
    let lost: usize = survey.nodes.iter().filter(|node| !node.is_live).map(|node| node.slots.len()).sum();
    let mut text = format!("{} nodes, {assigned} of {SLOT_COUNT} slots owned", survey.nodes.len());
    if lost > 0 {
        text.push_str(&format!(", {lost} of them by nodes that are gone"));
    }
    text.push_str("\n\n");
    let mut rows = vec![["NODE", "ID", "SLOTS", "KEYS", "BYTES", "LOAD", ""].map(str::to_owned)];
    rows.extend(survey.nodes.iter().map(|node| row(survey, node)));
    text.push_str(&table(&rows));
    for (_, reason) in &survey.silent {
        text.push_str(&format!("no answer from {reason}\n"));
    }
    let over = survey.moves.iter().filter(|report| report.is_over()).count();
    let mut skipped = over.saturating_sub(OVER_MAX);
    if !survey.moves.is_empty() {
        text.push_str("\nMOVES\n");
    }
    for report in &survey.moves {
        if report.is_over() && skipped > 0 {
            skipped -= 1;
            continue;
        }
        text.push_str(&line(&survey.nodes, report));
        text.push('\n');
    }
    text
}

fn row(survey: &Survey, node: &Node) -> [String; 7] {
    let sum = survey.sum(node);
    let state = match node.is_live {
        true if survey.silent.iter().any(|(address, _)| *address == node.address) => "silent",
        true => "",
        false => "gone",
    };
    [
        node.address.clone(),
        node.id[..node.id.len().min(8)].to_owned(),
        node.slots.len().to_string(),
        figures::count(sum.keys),
        figures::bytes(sum.bytes),
        figures::count(sum.load),
        state.to_owned(),
    ]
}

fn table(rows: &[[String; 7]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..7).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            2..=5 => format!("{cell:>width$}"),
            _ => format!("{cell:<width$}"),
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// For programs.
fn json(survey: &Survey) -> Value {
    let node = |node: &Node| {
        let sum = survey.sum(node);
        json!({
            "id": node.id,
            "address": node.address,
            "live": node.is_live,
            "slots": slots::ranges(&node.slots),
            "slot_count": node.slots.len(),
            "keys": sum.keys,
            "bytes": sum.bytes,
            "load": sum.load,
        })
    };
    json!({
        "nodes": survey.nodes.iter().map(node).collect::<Vec<_>>(),
        "slots_owned": survey.nodes.iter().map(|node| node.slots.len()).sum::<usize>(),
        "moves": survey.moves,
        "silent": survey.silent.iter().map(|(address, _)| address).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::survey::SlotStats;
    use super::*;

    #[test]
    fn a_table_and_its_sums() {
        let node = |digit: &str, is_live, slots| Node {
            id: digit.repeat(40),
            address: format!("10.0.0.{digit}:7000"),
            is_live,
            slots,
        };
        let mut survey = Survey {
            nodes: vec![node("1", true, vec![0, 1]), node("2", false, vec![2])],
            stats: vec![SlotStats::default(); SLOT_COUNT],
            ..Survey::default()
        };
        survey.stats[0] = SlotStats { keys: 5, bytes: 1500, load: 0 };
        survey.stats[1] = SlotStats { keys: 2000, bytes: 500, load: 7 };
        assert_eq!(
            text(&survey),
            "2 nodes, 3 of 16384 slots owned, 1 of them by nodes that are gone\n\n\
             NODE           ID        SLOTS   KEYS   BYTES  LOAD\n\
             10.0.0.1:7000  11111111      2  2.0 k  2.0 kB     7\n\
             10.0.0.2:7000  22222222      1      0     0 B     0  gone\n"
        );
        let json = json(&survey);
        assert_eq!(
            (json["nodes"][0]["slots"].to_string(), &json["nodes"][0]["keys"]),
            ("[[0,1]]".into(), &json!(2005))
        );
        assert_eq!((&json["nodes"][1]["live"], &json["slots_owned"]), (&json!(false), &json!(3)));
    }
}
