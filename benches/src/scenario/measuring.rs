//! Measures cells on servers in turn, so that what the machine does meanwhile hits all of them alike.

use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use crate::load::plan::{LoadError, Pace, Plan};
use crate::load::report::Report;
use crate::load::run::{Edge, run};
use crate::machine::facts::MachineFacts;
use crate::machine::schedstat::Share;
use crate::machine::stalls::{Grain, StallWatch};
use crate::scenario::cell::{Cell, Dataset, Reference};
use crate::scenario::options::ScenarioOptions;
use crate::scenario::peer::{Kind, Peer};
use crate::scenario::results::{CellResult, MemoryResult, Results, SCHEMA, ServerFacts, Verdict};
use crate::scenario::rows::Row;
use crate::scenario::sample::Sample;
use crate::scenario::server::{Place, Server};

/// Rest after a fill, in which servers give back what they needed for it.
const SETTLE: Duration = Duration::from_millis(2500);

/// Why a scenario gave no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum ScenarioError {
    /// Nothing to measure: no server was found or chosen, or no cell. Name some with --peer, or look at --only.
    Nothing,
    /// A server cannot be started or asked.
    Server(io::Error),
    /// The load on a server failed.
    Load(String, LoadError),
    /// Results cannot be written.
    Output(io::Error),
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str(
                "nothing to measure: build Whimbrel (cargo build --release), install peers or name them with --peer, \
                 and check --only and --cells",
            ),
            Self::Server(error) => write!(f, "{error}"),
            Self::Load(server, error) => write!(f, "{server}: {error}"),
            Self::Output(error) => write!(f, "cannot write results: {error}"),
        }
    }
}

impl std::error::Error for ScenarioError {}

/// What all scenarios share: options, places, and what has been measured so far.
pub struct Bench<'o> {
    /// The command line.
    pub options: &'o ScenarioOptions,
    /// CPUs of the load.
    pub client_cpus: Vec<usize>,
    /// What has been measured.
    pub results: Results,
    dir: PathBuf,
}

impl<'o> Bench<'o> {
    /// A bench for one row.
    pub fn new(options: &'o ScenarioOptions, id: &str, title: &str) -> Self {
        let client_cpus = options.client_cpus();
        let results = Results {
            schema: SCHEMA,
            row: id.to_owned(),
            title: title.to_owned(),
            arguments: std::env::args().skip(1).collect(),
            machine: MachineFacts::read(),
            server_cpus: options.server_cpus.0.clone(),
            client_cpus: client_cpus.clone(),
            repeats: options.repeats(),
            seconds: options.seconds(),
            quick: options.quick,
            servers: Vec::new(),
            cells: Vec::new(),
            memory: Vec::new(),
            moves: Vec::new(),
            verdicts: Vec::new(),
            notes: Vec::new(),
        };
        let dir = std::env::temp_dir().join(format!("whimbrel-bench-{}", std::process::id()));
        Self { options, client_cpus, results, dir }
    }

    /// Starts the `index`-th server of the line-up.
    pub fn start(&mut self, index: usize, peer: &Peer) -> Result<Server, ScenarioError> {
        let dir = self.dir.join(&peer.name);
        let place = Place::local(self.options.port(index), &self.options.server_cpus.0, &dir);
        let server = Server::start(peer, &place, &self.client_cpus).map_err(ScenarioError::Server)?;
        self.introduce(peer, &server);
        Ok(server)
    }

    /// Notes who was measured, once.
    pub fn introduce(&mut self, peer: &Peer, server: &Server) {
        if self.results.servers.iter().all(|s| s.name != peer.name) {
            self.results.servers.push(ServerFacts {
                name: peer.name.clone(),
                kind: peer.kind,
                version: server.version.clone(),
                command: peer.command_line(),
            });
        }
    }

    /// A folder for a server's files.
    pub fn dir(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Writes every key once and notes the memory that they take. The floor is left as it is.
    pub fn fill(&mut self, server: &Server, dataset: &Dataset) -> Result<(), ScenarioError> {
        if server.peer.kind == Kind::Floor {
            return Ok(());
        }
        let (before, used_before) = server.memory().map_err(ScenarioError::Server)?;
        let report = self.run(server, &dataset.fill_plan(server.target(), &self.client_cpus), &mut |_| {})?;
        if let Some(error) = &report.first_error {
            self.note(format!(
                "{}: {} errors in the fill, the first: {error}",
                server.peer.name, report.errors
            ));
        }
        thread::sleep(SETTLE);
        let (after, used_after) = server.memory().map_err(ScenarioError::Server)?;
        let grown = |after: u64, before: u64| after as i64 - before as i64;
        self.results.memory.push(MemoryResult {
            server: server.peer.name.clone(),
            dataset: dataset.clone(),
            resident_bytes: grown(after.resident_bytes, before.resident_bytes),
            proportional_bytes: grown(after.proportional_bytes, before.proportional_bytes),
            used_bytes: used_after.zip(used_before).map(|(after, before)| grown(after, before)),
            fill_seconds: report.seconds,
        });
        Ok(())
    }

    /// One measurement of a cell.
    pub fn measure(
        &mut self,
        server: &Server,
        dataset: &Dataset,
        cell: &Cell,
        repeat: usize,
    ) -> Result<Sample, ScenarioError> {
        let plan =
            cell.plan(dataset, server.target(), &self.client_cpus, self.options.times(), repeat as u64 + 1);
        let (mut before, mut share) = (None, Share::default());
        let origin = Instant::now();
        let watch = cell.is_watched.then(|| StallWatch::start(&self.all_cpus(), Grain::COARSE, origin));
        let report = self.run(server, &plan, &mut |edge| match edge {
            Edge::Start => before = server.cpu_time().ok(),
            Edge::End => {
                let had = before.as_ref().and_then(|before| Some(server.cpu_time().ok()?.since(before)));
                share = had.unwrap_or_default();
            }
        })?;
        if let Some(error) = &report.first_error {
            self.note(format!("{}, {}: the first error: {error}", server.peer.name, cell.name));
        }
        let mut sample = Sample::new(&report, share);
        if let Some(stalls) = watch.and_then(StallWatch::end) {
            sample = sample.beside(&report.kept, &stalls, origin);
        }
        self.keep(server, dataset, cell, sample);
        Ok(sample)
    }

    /// The servers' CPUs and the client's.
    pub fn all_cpus(&self) -> Vec<usize> {
        self.options.server_cpus.0.iter().chain(&self.client_cpus).copied().collect()
    }

    /// Notes something that has to be known to read the figures, once.
    pub fn note(&mut self, note: String) {
        if !self.results.notes.contains(&note) {
            self.results.notes.push(note);
        }
    }

    fn run(
        &self,
        server: &Server,
        plan: &Plan,
        observe: &mut dyn FnMut(Edge),
    ) -> Result<Report, ScenarioError> {
        run(plan, observe).map_err(|error| ScenarioError::Load(server.peer.name.clone(), error))
    }

    fn keep(&mut self, server: &Server, dataset: &Dataset, cell: &Cell, sample: Sample) {
        let name = &server.peer.name;
        let known = self.results.cells.iter().position(|c| c.cell == cell.name && c.server == *name);
        let index = known.unwrap_or_else(|| {
            self.results.cells.push(CellResult {
                cell: cell.name.clone(),
                server: name.clone(),
                dataset: dataset.clone(),
                rate: match cell.pace {
                    Pace::Closed => None,
                    Pace::Open { rate, .. } => Some(rate),
                },
                samples: Vec::new(),
                median: Sample::default(),
            });
            self.results.cells.len() - 1
        });
        let result = &mut self.results.cells[index];
        result.samples.push(sample);
        result.median = Sample::median(&result.samples);
    }
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        // What a server has left behind is of no use to anybody.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Measures every cell of a row on every server.
pub fn measure_row(bench: &mut Bench<'_>, row: &Row, peers: &[Peer]) -> Result<(), ScenarioError> {
    let cells: Vec<Cell> = row.cells.iter().filter(|c| bench.options.takes_cell(&c.name)).cloned().collect();
    if peers.is_empty() || cells.is_empty() {
        return Err(ScenarioError::Nothing);
    }
    let dataset = Dataset { keys: bench.options.keys(row.dataset.keys), ..row.dataset.clone() };
    if (row.one_at_a_time && !bench.options.quick) || bench.options.one_at_a_time {
        measure_one_at_a_time(bench, &dataset, &cells, peers)?;
    } else {
        measure_side_by_side(bench, &dataset, &cells, peers)?;
    }
    judge(&mut bench.results, &cells);
    Ok(())
}

fn measure_side_by_side(
    bench: &mut Bench<'_>,
    dataset: &Dataset,
    cells: &[Cell],
    peers: &[Peer],
) -> Result<(), ScenarioError> {
    let mut servers = Vec::new();
    for (index, peer) in peers.iter().enumerate() {
        let server = bench.start(index, peer)?;
        bench.fill(&server, dataset)?;
        servers.push(server);
    }
    for repeat in 0..bench.options.repeats() {
        for cell in cells {
            for turn in 0..servers.len() {
                // Each repeat starts with another server, so that none always follows the same one.
                let server = &servers[(turn + repeat) % servers.len()];
                let sample = bench.measure(server, dataset, cell, repeat)?;
                progress(repeat, &cell.name, &server.peer.name, &sample);
            }
        }
    }
    Ok(())
}

fn measure_one_at_a_time(
    bench: &mut Bench<'_>,
    dataset: &Dataset,
    cells: &[Cell],
    peers: &[Peer],
) -> Result<(), ScenarioError> {
    for repeat in 0..bench.options.repeats() {
        for turn in 0..peers.len() {
            let index = (turn + repeat) % peers.len();
            let server = bench.start(index, &peers[index])?;
            bench.fill(&server, dataset)?;
            for cell in cells {
                let sample = bench.measure(&server, dataset, cell, repeat)?;
                progress(repeat, &cell.name, &server.peer.name, &sample);
            }
        }
    }
    Ok(())
}

/// Tells on standard error how far a scenario is.
pub fn progress(repeat: usize, cell: &str, server: &str, sample: &Sample) {
    let Sample { throughput, cpu_ns_per_operation, p999_us, .. } = sample;
    // Progress is a courtesy: a closed standard error does not stop the measurement.
    let _ = writeln!(
        io::stderr(),
        "repeat {} {cell:<12} {server:<16} {throughput:>10.0} ops/s {cpu_ns_per_operation:>7.0} CPU ns/op  \
         p99.9 {p999_us:.0} µs",
        repeat + 1
    );
}

/// Compares Whimbrel's CPU time with the targets.
fn judge(results: &mut Results, cells: &[Cell]) {
    let mut verdicts = Vec::new();
    for cell in cells {
        for target in &cell.targets {
            verdicts.extend(verdict(results, cell, target.against, target.ratio_max));
        }
    }
    results.verdicts.extend(verdicts);
}

fn verdict(results: &Results, cell: &Cell, against: Reference, ratio_max: f64) -> Option<Verdict> {
    let cpu = |server: &str| results.median(&cell.name, server).map(|s| s.cpu_ns_per_operation);
    let whimbrel = results.server_of(Kind::Whimbrel)?;
    let (words, reference) = match against {
        Reference::BestPeer => {
            let (name, ns) = results.best_peer(&cell.name)?;
            (format!("CPU of the best peer ({name})"), ns)
        }
        Reference::Floor => ("CPU of the floor".to_owned(), cpu(results.server_of(Kind::Floor)?)?),
        Reference::First => return None,
    };
    let value = cpu(whimbrel)? / reference;
    Some(Verdict { subject: cell.name.clone(), against: words, value, value_max: ratio_max })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::cell::Target;
    use crate::scenario::results::tests::example;
    use crate::traffic::workload::Preset;

    #[test]
    fn whimbrel_is_judged_by_the_best_peer_and_by_the_floor() {
        let targets = [
            Target { against: Reference::BestPeer, ratio_max: 0.6 },
            Target { against: Reference::Floor, ratio_max: 1.05 },
        ];
        let mut results = Results { verdicts: Vec::new(), ..example() };
        judge(&mut results, &[Cell::closed(Preset::Get, 16, 50, &targets)]);
        let ratios: Vec<(f64, bool)> = results.verdicts.iter().map(|v| (v.value, v.is_met())).collect();
        assert_eq!(ratios, [(400.0 / 766.0, true), (400.0 / 372.0, false)]);
    }

    #[test]
    fn a_cell_that_was_not_measured_is_not_judged() {
        let mut results = Results { verdicts: Vec::new(), ..example() };
        let target = [Target { against: Reference::BestPeer, ratio_max: 0.6 }];
        judge(&mut results, &[Cell::closed(Preset::Get, 100, 50, &target)]);
        assert!(results.verdicts.is_empty());
    }
}
