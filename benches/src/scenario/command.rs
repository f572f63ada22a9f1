//! `whimbrel-bench scenario`: lines the servers up, measures the row, prints and writes the results.

use std::fs;
use std::io::{self, Write};

use crate::machine::priority::Foremost;
use crate::scenario::measuring::{Bench, ScenarioError, measure_row};
use crate::scenario::memory_row::measure_memory;
use crate::scenario::moves::measure_moves;
use crate::scenario::options::ScenarioOptions;
use crate::scenario::peer::{Kind, Peer, line_up};
use crate::scenario::results::Results;
use crate::scenario::rows::{self, Row, RowId};
use crate::scenario::table;
use crate::scenario::tail_row::measure_tail;
use crate::scenario::two_cores_row::measure_two_cores;

/// Runs the command and prints the tables to `out`.
pub fn scenario(options: &ScenarioOptions, out: &mut dyn Write) -> Result<(), ScenarioError> {
    let peers = line_up(&options.whimbrel, &options.peer, &options.only);
    let results = measured(options, &peers)?;
    if let Some(path) = &options.json {
        let text = serde_json::to_string_pretty(&results).map_err(io::Error::other);
        text.and_then(|text| fs::write(path, text + "\n")).map_err(ScenarioError::Output)?;
    }
    write!(out, "{}", table::text(&results, options.against.as_deref())).map_err(ScenarioError::Output)
}

fn measured(options: &ScenarioOptions, peers: &[Peer]) -> Result<Results, ScenarioError> {
    let _foremost = Foremost::begin();
    let compared = |row: Row| {
        let mut bench = Bench::new(options, row.id, row.title);
        measure_row(&mut bench, &row, peers)?;
        Ok(bench.results.clone())
    };
    let alone = |id: &str, title: &str, measure: fn(&mut Bench<'_>, &[Peer]) -> Result<(), ScenarioError>| {
        let mut bench = Bench::new(options, id, title);
        if peers.iter().all(|p| p.kind != Kind::Whimbrel) {
            bench.note("Whimbrel was not measured: its program was not found".into());
        }
        measure(&mut bench, peers)?;
        Ok(bench.results.clone())
    };
    match options.row {
        RowId::P1 => compared(rows::without_pipelines()),
        RowId::P2 => compared(rows::short_pipelines()),
        RowId::P3 => compared(rows::long_pipelines()),
        RowId::P4 => compared(rows::many_keys()),
        RowId::P5 => alone("P5", "memory per key", measure_memory),
        RowId::P6 => alone("P6", rows::two_cores().title, measure_two_cores),
        RowId::M => alone("M", "slots move between two nodes while traffic flows", measure_moves),
        RowId::P9 => alone("P9", "the tail at half load with and without background work", measure_tail),
    }
}
