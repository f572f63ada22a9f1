//! The rows of the targets as data: which cells, on which keys, with which bounds.

use clap::ValueEnum;

use crate::scenario::cell::{Cell, Dataset, Reference, Target};
use crate::traffic::workload::Preset;

/// Connections of a cell unless it says otherwise.
pub const CLIENTS: usize = 50;

/// A row that can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum RowId {
    /// GET and SET without pipelines, 50 and 500 clients.
    P1,
    /// GET and SET in pipelines of 16.
    P2,
    /// GET and SET in pipelines of 100.
    P3,
    /// GET and SET in pipelines of 16 on 20 M keys.
    P4,
    /// Memory per key.
    P5,
    /// Two cores: cluster clients and plain clients against one core.
    P6,
    /// The tail at half load with expiry, eviction and a walk running, against the same without.
    P9,
    /// M1 to M9: slots move between two nodes while traffic flows.
    M,
}

/// A row that compares servers cell by cell.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its name in the targets.
    pub id: &'static str,
    /// In words.
    pub title: &'static str,
    /// What the servers hold.
    pub dataset: Dataset,
    /// What is measured.
    pub cells: Vec<Cell>,
    /// Servers are started and filled one after the other, because together they do not fit.
    pub one_at_a_time: bool,
}

const MILLION: u64 = 1_000_000;

const fn best_peer(ratio_max: f64) -> Target {
    Target { against: Reference::BestPeer, ratio_max }
}

fn gets_and_sets(pipeline: usize, clients: &[usize], targets: &[Target]) -> Vec<Cell> {
    clients
        .iter()
        .flat_map(|&clients| [Preset::Get, Preset::Set].map(|p| Cell::closed(p, pipeline, clients, targets)))
        .collect()
}

/// P1: where the kernel's TCP is nearly everything, so the floor is the measure.
pub fn without_pipelines() -> Row {
    let targets = [Target { against: Reference::Floor, ratio_max: 1.10 }, best_peer(0.88)];
    Row {
        id: "P1",
        title: "GET and SET without pipelines",
        dataset: Dataset::strings(MILLION, 64),
        cells: gets_and_sets(1, &[CLIENTS, 500], &targets),
        one_at_a_time: false,
    }
}

/// P2.
pub fn short_pipelines() -> Row {
    Row {
        id: "P2",
        title: "GET and SET in pipelines of 16",
        dataset: Dataset::strings(MILLION, 64),
        cells: gets_and_sets(16, &[CLIENTS], &[best_peer(0.60)]),
        one_at_a_time: false,
    }
}

/// P3.
pub fn long_pipelines() -> Row {
    Row {
        id: "P3",
        title: "GET and SET in pipelines of 100",
        dataset: Dataset::strings(MILLION, 64),
        cells: gets_and_sets(100, &[CLIENTS], &[best_peer(0.45)]),
        one_at_a_time: false,
    }
}

/// P4: a working set far beyond the caches.
pub fn many_keys() -> Row {
    Row {
        id: "P4",
        title: "GET and SET in pipelines of 16 on 20 M keys",
        dataset: Dataset::strings(20 * MILLION, 64),
        cells: gets_and_sets(16, &[CLIENTS], &[best_peer(0.50)]),
        one_at_a_time: true,
    }
}

/// What Whimbrel may spend on a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MemoryTarget {
    /// Bytes of the resident set per key beyond key and value.
    Bytes(f64),
    /// Of what the best peer spends.
    OfBestPeer(f64),
}

/// P5: what is filled in, and what it may cost.
pub fn memory_datasets() -> Vec<(Dataset, MemoryTarget)> {
    let hashes = Dataset { fields: 16, ..Dataset::strings(MILLION / 5, 16) };
    let with_ttl = Dataset { ttl_seconds: Some(100_000), ..Dataset::strings(MILLION, 64) };
    vec![
        (Dataset::strings(MILLION, 64), MemoryTarget::Bytes(16.0)),
        (Dataset::strings(10 * MILLION, 64), MemoryTarget::Bytes(16.0)),
        (Dataset::strings(MILLION, 8), MemoryTarget::Bytes(16.0)),
        (with_ttl, MemoryTarget::Bytes(24.0)),
        (hashes, MemoryTarget::OfBestPeer(0.7)),
    ]
}

/// P6: the cells; the servers are Whimbrel on one core and on two.
pub fn two_cores() -> Row {
    let first = |ratio_max| Target { against: Reference::First, ratio_max };
    let mut cells = gets_and_sets(1, &[CLIENTS], &[]);
    cells.extend(gets_and_sets(16, &[CLIENTS], &[first(1.05), first(1.6)]));
    cells.extend(gets_and_sets(100, &[CLIENTS], &[]));
    Row {
        id: "P6",
        title: "two cores against one: cluster clients, and plain clients on the shared port",
        dataset: Dataset::strings(MILLION, 64),
        cells,
        one_at_a_time: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_named_after_their_load() {
        let names: Vec<String> = without_pipelines().cells.into_iter().map(|c| c.name).collect();
        assert_eq!(names, ["GET P1 c50", "SET P1 c50", "GET P1 c500", "SET P1 c500"]);
        assert_eq!(two_cores().cells.len(), 6);
    }
}
