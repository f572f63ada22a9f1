//! What the figure shows: servers as rows, pipelines as columns, GET above SET.

use crate::figure::svg::{Anchor, Svg};
use crate::scenario::cell::grouped;
use crate::scenario::peer::Kind;
use crate::scenario::results::Results;
use crate::scenario::sample::median;

const WIDTH: f64 = 1000.0;
const MARGIN: f64 = 28.0;
const NAMES_WIDTH: f64 = 150.0;
const COLUMN_GAP: f64 = 26.0;
const HEAD_HEIGHT: f64 = 118.0;
const FOOT_HEIGHT: f64 = 60.0;
const BAR_HEIGHT: f64 = 18.0;
const ROW_HEIGHT: f64 = 26.0;
const GROUP_GAP: f64 = 46.0;
/// A bar over this many medians of its panel is cut, so that it does not flatten the others.
const CUT_MEDIANS: f64 = 2.5;
/// Room to the right of the longest bar for its value and ratio.
const VALUE_WIDTH: f64 = 96.0;

const STYLE: &str = "
text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',Helvetica,Arial,sans-serif;fill:#24292f}
.page{fill:#ffffff;stroke:#d8dee4}.title{font-size:20px;font-weight:600}.sub{font-size:13px;fill:#57606a}
.column{font-size:14px;font-weight:600}.group{font-size:14px;font-weight:600;fill:#57606a}
.name{font-size:13.5px}.own{font-size:13.5px;font-weight:600;fill:#0a6e5c}
.value{font-size:12.5px}.valueown{font-size:12.5px;font-weight:600;fill:#0a6e5c}.ratio{font-size:12px;fill:#6e7781}
.bar{fill:#b8c2cc}.barown{fill:#12917a}.track{stroke:#eaeef2;stroke-width:1}
.cut{stroke:#ffffff;stroke-width:4}
.floor{stroke:#c2410c;stroke-width:1.5;stroke-dasharray:4 3}.floorname{font-size:11.5px;fill:#c2410c}
";

/// The data of the figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    subtitle: String,
    servers: Vec<Server>,
    /// Pipeline lengths, ascending.
    columns: Vec<u32>,
    /// Commands, GET first.
    groups: Vec<String>,
    values: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq)]
struct Server {
    name: String,
    label: String,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
struct Value {
    server: String,
    group: String,
    column: u32,
    ns: f64,
}

impl Chart {
    /// Collects the cells with this many clients from all results. `None` when there are none.
    pub fn new(all: &[Results], clients: usize) -> Option<Self> {
        let mut chart = Self {
            subtitle: subtitle(all.first()?, clients),
            servers: Vec::new(),
            columns: Vec::new(),
            groups: Vec::new(),
            values: Vec::new(),
        };
        for results in all {
            for cell in &results.cells {
                let Some((group, column)) = parsed(&cell.cell, clients) else { continue };
                chart.groups.push(group.clone());
                chart.columns.push(column);
                let (server, ns) = (cell.server.clone(), cell.median.cpu_ns_per_operation);
                chart.values.push(Value { server, group, column, ns });
            }
            for facts in &results.servers {
                if chart.servers.iter().all(|s| s.name != facts.name) {
                    let label = format!("{} {}", facts.name, facts.version).trim().to_owned();
                    chart.servers.push(Server { name: facts.name.clone(), label, kind: facts.kind });
                }
            }
        }
        chart.columns.sort_unstable();
        chart.columns.dedup();
        chart.groups.sort();
        chart.groups.dedup();
        let weight = |server: &Server| {
            let values: Vec<f64> = chart.of_server(&server.name).map(f64::ln).collect();
            (server.kind != Kind::Whimbrel, values.iter().sum::<f64>() / values.len().max(1) as f64)
        };
        let mut servers = chart.servers.clone();
        servers.sort_by(|a, b| weight(a).partial_cmp(&weight(b)).unwrap_or(std::cmp::Ordering::Equal));
        chart.servers = servers;
        (!chart.values.is_empty()).then_some(chart)
    }

    /// The figure as an SVG document.
    pub fn svg(&self) -> String {
        let rows: Vec<&Server> = self.servers.iter().filter(|s| s.kind != Kind::Floor).collect();
        let group_height = rows.len() as f64 * ROW_HEIGHT + GROUP_GAP;
        let height = HEAD_HEIGHT + self.groups.len() as f64 * group_height + FOOT_HEIGHT - GROUP_GAP / 2.0;
        let mut svg = Svg::new(WIDTH, height);
        svg.bar("page", (0.5, 0.5), (WIDTH - 1.0, height - 1.0), 10.0);
        svg.text("title", (MARGIN, 40.0), Anchor::Start, "Server CPU time per operation, in nanoseconds");
        svg.text("sub", (MARGIN, 62.0), Anchor::Start, &self.subtitle);
        for (index, &column) in self.columns.iter().enumerate() {
            let words = if column == 1 { "no pipeline".to_owned() } else { format!("pipelines of {column}") };
            svg.text("column", (self.column_x(index), 98.0), Anchor::Start, &words);
        }
        for (index, group) in self.groups.iter().enumerate() {
            let top = HEAD_HEIGHT + index as f64 * group_height;
            self.draw_group(&mut svg, group, &rows, top);
        }
        let foot = height - 18.0;
        svg.text("sub", (MARGIN, foot), Anchor::Start, &self.footnote());
        svg.finish(STYLE, "CPU time per operation of Whimbrel and its peers")
    }

    fn draw_group(&self, svg: &mut Svg, group: &str, rows: &[&Server], top: f64) {
        svg.text("group", (MARGIN, top + 14.0), Anchor::Start, group);
        let first = top + 24.0;
        for (row, server) in rows.iter().enumerate() {
            let class = if server.kind == Kind::Whimbrel { "own" } else { "name" };
            let y = first + row as f64 * ROW_HEIGHT + BAR_HEIGHT - 4.0;
            svg.text(class, (MARGIN + NAMES_WIDTH - 12.0, y), Anchor::End, &server.label);
        }
        for (index, &column) in self.columns.iter().enumerate() {
            let x = self.column_x(index);
            let bottom = first + rows.len() as f64 * ROW_HEIGHT - (ROW_HEIGHT - BAR_HEIGHT);
            svg.line("track", (x, first - 4.0), (x, bottom + 4.0));
            self.draw_panel(svg, (group, column), rows, (x, first, bottom));
        }
    }

    fn draw_panel(
        &self,
        svg: &mut Svg,
        (group, column): (&str, u32),
        rows: &[&Server],
        (x, first, bottom): (f64, f64, f64),
    ) {
        let ns = |server: &Server| self.value(&server.name, group, column);
        let all: Vec<f64> = rows.iter().filter_map(|s| ns(s)).collect();
        let longest = all.iter().copied().fold(0.0, f64::max).min(median(all) * CUT_MEDIANS);
        let room = self.column_width() - VALUE_WIDTH;
        let scale = room / longest.max(1.0);
        let own = rows.iter().find(|s| s.kind == Kind::Whimbrel).and_then(|s| ns(s));
        for (row, server) in rows.iter().enumerate() {
            let Some(ns) = ns(server) else { continue };
            let y = first + row as f64 * ROW_HEIGHT;
            let is_own = server.kind == Kind::Whimbrel;
            let (bar, value) = if is_own { ("barown", "valueown") } else { ("bar", "value") };
            let end = x + (ns * scale).clamp(2.0, room);
            svg.bar(bar, (x, y), (end - x, BAR_HEIGHT), 2.5);
            if ns > longest {
                svg.line("cut", (end - 16.0, y + BAR_HEIGHT + 2.0), (end - 10.0, y - 2.0));
            }
            let figure = grouped(ns.round() as u64);
            svg.text(value, (end + 7.0, y + BAR_HEIGHT - 4.5), Anchor::Start, &figure);
            if let Some(own) = own.filter(|_| !is_own) {
                let past = end + 14.0 + 7.6 * figure.chars().count() as f64;
                let ratio = format!("{:.1}×", ns / own);
                svg.text("ratio", (past, y + BAR_HEIGHT - 4.5), Anchor::Start, &ratio);
            }
        }
        let floor = self.servers.iter().find(|s| s.kind == Kind::Floor).and_then(ns);
        if let Some(floor) = floor {
            let at = x + floor * scale;
            svg.line("floor", (at, first - 6.0), (at, bottom + 6.0));
            let name = format!("floor {}", grouped(floor.round() as u64));
            svg.text("floorname", (at + 4.0, bottom + 15.0), Anchor::Start, &name);
        }
    }

    fn footnote(&self) -> String {
        let mut words = "Shorter is better; every panel has its own scale, and a cut bar goes on.".to_owned();
        if self.servers.iter().any(|s| s.kind == Kind::Whimbrel) {
            words += " 2.0× is twice Whimbrel’s time.";
        }
        if self.servers.iter().any(|s| s.kind == Kind::Floor) {
            words += " Floor: a server that only answers.";
        }
        words
    }

    fn column_width(&self) -> f64 {
        let columns = self.columns.len() as f64;
        (WIDTH - 2.0 * MARGIN - NAMES_WIDTH - COLUMN_GAP * (columns - 1.0)) / columns
    }

    fn column_x(&self, index: usize) -> f64 {
        MARGIN + NAMES_WIDTH + index as f64 * (self.column_width() + COLUMN_GAP)
    }

    fn value(&self, server: &str, group: &str, column: u32) -> Option<f64> {
        let found = |v: &&Value| v.server == server && v.group == group && v.column == column;
        self.values.iter().find(found).map(|v| v.ns)
    }

    fn of_server(&self, server: &str) -> impl Iterator<Item = f64> {
        self.values.iter().filter(move |v| v.server == server).map(|v| v.ns)
    }
}

/// Command and pipeline of a cell's name, when it has this many clients.
fn parsed(cell: &str, clients: usize) -> Option<(String, u32)> {
    let words: Vec<&str> = cell.split(' ').collect();
    let [command, pipeline, of_clients] = words[..] else { return None };
    let wanted = of_clients.strip_prefix('c')?.parse() == Ok(clients);
    let pipeline = pipeline.strip_prefix('P')?.parse().ok()?;
    wanted.then(|| (command.to_owned(), pipeline))
}

fn subtitle(results: &Results, clients: usize) -> String {
    let dataset = results.cells.first().map(|c| c.dataset.words()).unwrap_or_default();
    let machine = &results.machine;
    let kernel = machine.kernel.split('-').next().unwrap_or_default();
    let quick = if results.quick { ", a smoke run" } else { "" };
    format!(
        "one core, {dataset}, {clients} clients over loopback, medians of {}{quick}; {}, Linux {kernel}, TCP {}",
        results.repeats, machine.cpu, machine.tcp_congestion_control
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::results::tests::example;

    #[test]
    fn cell_names_parse() {
        assert_eq!(parsed("GET P16 c50", 50), Some(("GET".into(), 16)));
        assert_eq!(parsed("GET P16 c500", 50), None);
        assert_eq!(parsed("calm", 50), None);
    }

    #[test]
    fn whimbrel_comes_first_and_peers_by_their_speed() {
        let chart = Chart::new(&[example()], 50).unwrap();
        let names: Vec<&str> = chart.servers.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["whimbrel", "floor", "valkey", "redis"]);
        assert_eq!((chart.groups.len(), chart.columns.as_slice()), (2, &[16][..]));
        assert!(Chart::new(&[example()], 7).is_none());
    }

    #[test]
    fn the_drawing_has_bars_ratios_and_the_floor() {
        let svg = Chart::new(&[example()], 50).unwrap().svg();
        assert_eq!(svg.matches("class=\"barown\"").count(), 2);
        assert_eq!(svg.matches("class=\"bar\"").count(), 3);
        assert_eq!(svg.matches("class=\"floor\"").count(), 1);
        assert!(svg.contains("1.9×") && svg.contains("floor 372"), "{svg}");
    }
}
