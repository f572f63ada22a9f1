//! Load and probes beside something that is done to the nodes.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::load::plan::{Bound, LoadError, Pace, Plan, Waiting};
use crate::load::report::Report;
use crate::load::run::run_until;
use crate::machine::cpus::pin_thread;
use crate::scenario::cell::Cell;
use crate::scenario::measuring::ScenarioError;
use crate::scenario::moves::cell::MoveCell;
use crate::scenario::moves::pair::Pair;
use crate::scenario::moves::probe::{Watch, probe};
use crate::scenario::rows::CLIENTS;
use crate::traffic::arrivals::Process;
use crate::traffic::workload::{Preset, Ratio, preset_commands};

/// Replies of the load that take longer are kept, so that those of a stall can be left out.
const KEPT_FROM: Duration = Duration::from_micros(500);
/// Load that runs before anything is measured: the first commands touch what nobody has used for seconds.
const WARM_UP: Duration = Duration::from_millis(500);
/// Rest until something is done: threads start, and the load's own warm-up ends.
const WARM_UP_REST: Duration = Duration::from_millis(50);
/// Longest run: far beyond any move that is waited for.
const LENGTH_MAX: Duration = Duration::from_secs(600);

/// What clients saw.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// The load's, when there was one.
    pub load: Option<Report>,
    /// Of the probe in slots that move.
    pub moving: Watch,
    /// Of the probe in slots that stay.
    pub staying: Watch,
}

impl Traffic {
    /// Errors that users would have been shown.
    pub fn errors(&self) -> u64 {
        let load = self.load.as_ref().map_or(0, |report| report.errors + report.lost + report.shed);
        load + self.moving.errors + self.staying.errors
    }

    /// The first of them.
    pub fn first_error(&self) -> Option<&str> {
        let load = self.load.as_ref().and_then(|report| report.first_error.as_deref());
        load.or(self.moving.first_error.as_deref()).or(self.staying.first_error.as_deref())
    }
}

/// Does something while `rate` SETs a second and, if wanted, both probes run, on these CPUs. Instants count from `origin`.
pub fn under_traffic<T>(
    pair: &Pair,
    cell: &MoveCell,
    rate: Option<f64>,
    cpus: &[usize],
    origin: Instant,
    during: impl FnOnce() -> Result<T, ScenarioError>,
) -> Result<(Traffic, T), ScenarioError> {
    let stop = AtomicBool::new(false);
    let plan = rate.map(|rate| plan(pair, cell, Pace::Open { rate, process: Process::Poisson }));
    thread::scope(|scope| {
        let load = plan.as_ref().map(|plan| {
            scope.spawn(|| {
                keep_to(cpus);
                run_until(plan, &stop, &mut |_| {})
            })
        });
        let mut probes = Vec::new();
        if cell.has_probes() {
            for class in cell.probed() {
                let stop = &stop;
                probes.push(scope.spawn(move || {
                    keep_to(cpus);
                    probe(&pair.addresses, class, origin, stop)
                }));
            }
        }
        thread::sleep(WARM_UP + WARM_UP_REST);
        let done = during();
        stop.store(true, Ordering::Relaxed);
        let mut traffic = Traffic::default();
        if let Some(load) = load {
            let report = load.join().map_err(|_| ended("the load"))?;
            traffic.load = Some(report.map_err(|error| failed(pair, error))?);
        }
        let mut watches = Vec::new();
        for probe in probes {
            let watch = probe.join().map_err(|_| ended("a probe"))?;
            watches.push(watch.map_err(ScenarioError::Server)?);
        }
        if let (Some(staying), Some(moving)) = (watches.pop(), watches.pop()) {
            (traffic.moving, traffic.staying) = (moving, staying);
        }
        Ok((traffic, done?))
    })
}

/// Half of the SETs a second that the source answers to the same connections in a closed loop. Source, target and client
/// share the CPUs, so half of what the source could answer by itself may be more than the client could send.
pub fn half_rate(pair: &Pair, cell: &MoveCell) -> Result<f64, ScenarioError> {
    let bound = Bound::Time { warm_up: Duration::from_millis(200), measured: Duration::from_secs(1) };
    let plan = Plan { bound, ..plan(pair, cell, Pace::Closed) };
    let report = run_until(&plan, &AtomicBool::new(false), &mut |_| {}).map_err(|e| failed(pair, e))?;
    Ok((report.throughput / 2.0).max(1.0))
}

fn plan(pair: &Pair, cell: &MoveCell, pace: Pace) -> Plan {
    let set = Cell {
        name: cell.name.to_owned(),
        commands: preset_commands(Preset::Set, Ratio { sets: 1, gets: 0 }, true),
        pipeline: 1,
        clients: CLIENTS,
        pace,
        is_watched: false,
        targets: Vec::new(),
    };
    let plan = set.plan(&cell.dataset, pair.target(), &[], (WARM_UP, LENGTH_MAX), 1);
    Plan { waiting: Waiting::Sleep, kept_from: Some(KEPT_FROM), ..plan }
}

/// Lets the calling thread, and those that it starts, run on these CPUs.
fn keep_to(cpus: &[usize]) {
    // A CPU that is not there any more is one less to choose from.
    let _ = pin_thread(cpus);
}

fn failed(pair: &Pair, error: LoadError) -> ScenarioError {
    ScenarioError::Load(pair.name().to_owned(), error)
}

fn ended(what: &str) -> ScenarioError {
    ScenarioError::Server(io::Error::other(format!("{what} ended before its time")))
}
