//! Results as text.

use crate::scenario::cell::grouped;
use crate::scenario::moves::table::tables;
use crate::scenario::results::{CellResult, Results, Verdict};
use crate::scenario::sample::Sample;

/// Everything that a scenario measured, to be read on a terminal. `against` names the server of the ratio column.
pub fn text(results: &Results, against: Option<&str>) -> String {
    let mut out = format!("{}: {}\n{}\n", results.row, results.title, results.machine.line());
    let list = |cpus: &[usize]| cpus.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    out += &format!(
        "servers on CPU {}, load on CPU {}, {} repeats of {} s, medians{}\n",
        list(&results.server_cpus),
        list(&results.client_cpus),
        results.repeats,
        results.seconds,
        if results.quick { "; a smoke run, whose figures say nothing" } else { "" },
    );
    for server in &results.servers {
        out += &format!("  {:<22} {:<10} {}\n", server.name, server.version, server.command);
    }
    for name in results.cell_names() {
        out += &format!("\n{}\n", cell_table(results, name, against));
    }
    if !results.memory.is_empty() {
        out += &format!("\n{}\n", memory_table(results));
    }
    out += &tables(&results.moves);
    if !results.verdicts.is_empty() {
        out += "\ntargets\n";
    }
    for verdict in &results.verdicts {
        out += &verdict_line(verdict);
    }
    for note in &results.notes {
        out += &format!("note: {note}\n");
    }
    out
}

fn cell_table(results: &Results, cell: &str, against: Option<&str>) -> String {
    let rows: Vec<&CellResult> = results.cells.iter().filter(|c| c.cell == cell).collect();
    let best = results.best_peer(cell).map(|(name, _)| name);
    let first = rows.first().map(|row| row.server.as_str());
    let reference = against.or(best).or(first).unwrap_or_default();
    let reference_ns = results.median(cell, reference).map(|s| s.cpu_ns_per_operation);
    let rated = rows.iter().any(|row| row.rate.is_some());
    let watched = rows.iter().any(|row| row.median.spoilt.is_some());
    let title = |text: &str| if watched { text.to_owned() } else { String::new() };
    let head = [
        cell.to_owned(),
        if rated { "due/s".into() } else { String::new() },
        "ops/s".into(),
        "CPU ns/op".into(),
        format!("× {reference}"),
        "p50 µs".into(),
        "p99 µs".into(),
        "p99.9 µs".into(),
        title("while it ran"),
        title("spoilt"),
        "max µs".into(),
        "client busy".into(),
        "server waited".into(),
        "errors".into(),
    ];
    let mut lines = vec![head.to_vec()];
    for row in rows {
        let Sample { throughput, cpu_ns_per_operation, client_busy, server_waited, errors, .. } = row.median;
        let Sample { p50_us, p99_us, p999_us, p999_ran_us, spoilt, max_us, .. } = row.median;
        let ratio = reference_ns.map(|ns| format!("{:.2}", cpu_ns_per_operation / ns));
        lines.push(vec![
            row.server.clone(),
            row.rate.map(|rate| grouped(rate as u64)).unwrap_or_default(),
            grouped(throughput as u64),
            format!("{cpu_ns_per_operation:.0}"),
            ratio.unwrap_or_default(),
            format!("{p50_us:.0}"),
            format!("{p99_us:.0}"),
            format!("{p999_us:.0}"),
            p999_ran_us.map(|us| format!("{us:.0}")).unwrap_or_default(),
            spoilt.map(|share| format!("{:.1} %", share * 100.0)).unwrap_or_default(),
            format!("{max_us:.0}"),
            format!("{:.0} %", client_busy * 100.0),
            format!("{:.0} %", server_waited * 100.0),
            errors.to_string(),
        ]);
    }
    aligned(&lines)
}

fn memory_table(results: &Results) -> String {
    let head = ["keys", "server", "overhead B/key", "by used_memory", "RSS MiB", "fill s"].map(str::to_owned);
    let mut lines = vec![head.to_vec()];
    for memory in &results.memory {
        let used = memory.used_overhead_per_key().map(|bytes| format!("{bytes:.1}"));
        lines.push(vec![
            memory.dataset.words(),
            memory.server.clone(),
            format!("{:.1}", memory.overhead_per_key()),
            used.unwrap_or_else(|| "–".into()),
            format!("{:.1}", memory.resident_bytes as f64 / f64::from(1 << 20)),
            format!("{:.2}", memory.fill_seconds),
        ]);
    }
    aligned(&lines)
}

fn verdict_line(verdict: &Verdict) -> String {
    let outcome = if verdict.is_met() { "met   " } else { "missed" };
    let Verdict { subject, against, value, value_max } = verdict;
    format!("  {outcome} {subject}: {value:.2}, at most {value_max:.2} ({against})\n")
}

/// Columns under each other, the first flush left and the others flush right.
pub fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| lines.iter().filter_map(|l| l.get(column)).map(|c| c.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |cells: &Vec<String>| {
        let mut out = String::new();
        for (column, cell) in cells.iter().enumerate().filter(|(column, _)| widths[*column] > 0) {
            let padding = " ".repeat(widths[column] - cell.chars().count());
            out += &if column == 0 { format!("{cell}{padding}") } else { format!("   {padding}{cell}") };
        }
        out
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::results::tests::example;

    #[test]
    fn columns_align() {
        let lines = vec![vec!["a".to_owned(), "µs".to_owned()], vec!["bcd".to_owned(), "1".to_owned()]];
        assert_eq!(aligned(&lines), "a     µs\nbcd    1");
    }

    #[test]
    fn ratios_are_against_the_best_peer_or_the_named_server() {
        let results = example();
        let table = cell_table(&results, "GET P16 c50", None);
        assert!(table.contains("× valkey"), "{table}");
        assert!(table.lines().nth(1).unwrap().contains("0.52"), "{table}");
        let table = cell_table(&results, "GET P16 c50", Some("redis"));
        assert!(table.contains("× redis") && table.contains("0.26"), "{table}");
    }

    #[test]
    fn the_text_has_every_part() {
        let text = text(&example(), None);
        for part in
            ["P2: GET", "valkey", "SET P16 c50", "overhead B/key", "66.0", "met    GET", "note: a note"]
        {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
    }
}
