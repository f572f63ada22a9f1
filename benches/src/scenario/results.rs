//! The results of a scenario as they are kept: one JSON document, from which tables and figures are made.

use serde::{Deserialize, Serialize};

use crate::machine::facts::MachineFacts;
use crate::scenario::cell::Dataset;
use crate::scenario::moves::figures::MoveResult;
use crate::scenario::peer::Kind;
use crate::scenario::sample::Sample;

/// Raised when a reader of older documents would misunderstand newer ones.
pub const SCHEMA: u32 = 1;

/// Everything that one scenario measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// `SCHEMA` of the program that wrote it.
    pub schema: u32,
    /// The row of the targets, e.g. `P2`.
    pub row: String,
    /// The row in words.
    pub title: String,
    /// The arguments that produced it.
    pub arguments: Vec<String>,
    /// Where it was measured.
    pub machine: MachineFacts,
    /// CPUs of the servers.
    pub server_cpus: Vec<usize>,
    /// CPUs of the load.
    pub client_cpus: Vec<usize>,
    /// Measurements of each cell on each server.
    pub repeats: usize,
    /// Length of each.
    pub seconds: f64,
    /// A smoke run, whose figures say nothing.
    pub quick: bool,
    /// Who was measured.
    pub servers: Vec<ServerFacts>,
    /// Speed and latency.
    pub cells: Vec<CellResult>,
    /// Memory.
    pub memory: Vec<MemoryResult>,
    /// Moves of slots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<MoveResult>,
    /// Targets and whether they were met.
    pub verdicts: Vec<Verdict>,
    /// What has to be known to read the figures.
    pub notes: Vec<String>,
}

/// A server that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerFacts {
    /// Its name in this document.
    pub name: String,
    /// How it was treated.
    pub kind: Kind,
    /// What it says of its version.
    pub version: String,
    /// Its command line before ports and paths were filled in.
    pub command: String,
}

/// One cell on one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CellResult {
    /// Name of the cell.
    pub cell: String,
    /// Name of the server.
    pub server: String,
    /// What the server held.
    pub dataset: Dataset,
    /// Commands a second that were due, in an open loop.
    pub rate: Option<f64>,
    /// Every measurement.
    pub samples: Vec<Sample>,
    /// Their median.
    pub median: Sample,
}

/// Memory that one dataset takes on one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemoryResult {
    /// Name of the server.
    pub server: String,
    /// What was filled in.
    pub dataset: Dataset,
    /// Growth of the resident set.
    pub resident_bytes: i64,
    /// Growth of the proportional set.
    pub proportional_bytes: i64,
    /// Growth of what the server says that it uses.
    pub used_bytes: Option<i64>,
    /// Seconds that the fill took.
    pub fill_seconds: f64,
}

impl MemoryResult {
    /// Bytes of the resident set per key beyond key and value.
    pub fn overhead_per_key(&self) -> f64 {
        self.beyond_payload(self.resident_bytes)
    }

    /// The same of what the server says that it uses.
    pub fn used_overhead_per_key(&self) -> Option<f64> {
        self.used_bytes.map(|bytes| self.beyond_payload(bytes))
    }

    fn beyond_payload(&self, bytes: i64) -> f64 {
        bytes as f64 / self.dataset.keys as f64 - self.dataset.payload_bytes() as f64
    }
}

/// A target and what was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What is judged, e.g. a cell's name.
    pub subject: String,
    /// Against what, e.g. `best peer (valkey), CPU`.
    pub against: String,
    /// What was measured.
    pub value: f64,
    /// What it may be at most.
    pub value_max: f64,
}

impl Verdict {
    /// The target is met.
    pub fn is_met(&self) -> bool {
        self.value <= self.value_max
    }
}

impl Results {
    /// The median of a cell on a server.
    pub fn median(&self, cell: &str, server: &str) -> Option<&Sample> {
        self.cells.iter().find(|c| c.cell == cell && c.server == server).map(|c| &c.median)
    }

    /// Names of the cells, in the order in which they were measured.
    pub fn cell_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for cell in &self.cells {
            if !names.contains(&cell.cell.as_str()) {
                names.push(&cell.cell);
            }
        }
        names
    }

    /// The peer that needs least CPU time in this cell, with that time.
    pub fn best_peer(&self, cell: &str) -> Option<(&str, f64)> {
        let rivals = self.servers.iter().filter(|s| matches!(s.kind, Kind::Resp | Kind::Memcached));
        rivals
            .filter_map(|s| Some((s.name.as_str(), self.median(cell, &s.name)?.cpu_ns_per_operation)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// The server of a kind.
    pub fn server_of(&self, kind: Kind) -> Option<&str> {
        self.servers.iter().find(|s| s.kind == kind).map(|s| s.name.as_str())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Two peers, Whimbrel, and the floor in two cells.
    pub(crate) fn example() -> Results {
        let dataset = Dataset::strings(1000, 64);
        let server = |name: &str, kind| ServerFacts {
            name: name.into(),
            kind,
            version: "1".into(),
            command: String::new(),
        };
        let cell = |cell: &str, server: &str, cpu_ns_per_operation| {
            let median =
                Sample { cpu_ns_per_operation, throughput: 1e9 / cpu_ns_per_operation, ..Sample::default() };
            CellResult {
                cell: cell.into(),
                server: server.into(),
                dataset: dataset.clone(),
                rate: None,
                samples: vec![median],
                median,
            }
        };
        Results {
            schema: SCHEMA,
            row: "P2".into(),
            title: "GET and SET P16".into(),
            arguments: vec!["scenario".into(), "P2".into()],
            machine: MachineFacts::default(),
            server_cpus: vec![0],
            client_cpus: vec![1],
            repeats: 1,
            seconds: 1.0,
            quick: true,
            servers: vec![
                server("whimbrel", Kind::Whimbrel),
                server("valkey", Kind::Resp),
                server("redis", Kind::Resp),
                server("floor", Kind::Floor),
            ],
            cells: vec![
                cell("GET P16 c50", "whimbrel", 400.0),
                cell("GET P16 c50", "valkey", 766.0),
                cell("GET P16 c50", "redis", 1531.0),
                cell("GET P16 c50", "floor", 372.0),
                cell("SET P16 c50", "whimbrel", 600.0),
                cell("SET P16 c50", "redis", 1778.0),
            ],
            memory: vec![MemoryResult {
                server: "valkey".into(),
                dataset,
                resident_bytes: 146_000,
                proportional_bytes: 146_000,
                used_bytes: Some(140_000),
                fill_seconds: 0.1,
            }],
            moves: Vec::new(),
            verdicts: vec![Verdict {
                subject: "GET P16 c50".into(),
                against: "best peer (valkey), CPU".into(),
                value: 0.52,
                value_max: 0.6,
            }],
            notes: vec!["a note".into()],
        }
    }

    #[test]
    fn json_keeps_everything() {
        let text = serde_json::to_string(&example()).unwrap();
        assert_eq!(serde_json::from_str::<Results>(&text).unwrap(), example());
    }

    #[test]
    fn the_json_names_its_fields_as_readers_expect() {
        let value = serde_json::to_value(example()).unwrap();
        assert_eq!(value["schema"], 1);
        assert_eq!(value["servers"][0]["kind"], "whimbrel");
        for field in ["throughput", "cpu_ns_per_operation", "p50_us", "p99_us", "p999_us", "max_us", "errors"]
        {
            assert!(value["cells"][0]["median"][field].is_number(), "{field}");
        }
        assert_eq!(value["memory"][0]["dataset"]["keys"], 1000);
        assert_eq!(value["verdicts"][0]["value_max"], 0.6);
    }

    #[test]
    fn the_best_peer_is_neither_whimbrel_nor_the_floor() {
        let results = example();
        assert_eq!(results.best_peer("GET P16 c50"), Some(("valkey", 766.0)));
        assert_eq!(results.best_peer("SET P16 c50"), Some(("redis", 1778.0)));
        assert_eq!(results.best_peer("none"), None);
        assert_eq!(results.cell_names(), ["GET P16 c50", "SET P16 c50"]);
    }

    #[test]
    fn overhead_is_what_lies_beyond_the_payload() {
        let memory = &example().memory[0];
        assert_eq!((memory.overhead_per_key(), memory.used_overhead_per_key()), (66.0, Some(60.0)));
    }
}
