//! Measures the cells: a fresh pair for each, filled, watched while calm, and watched while half of its slots move.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::load::run::run;
use crate::machine::family::{FamilyTime, proportional_bytes};
use crate::machine::memory::back_free_memory;
use crate::machine::stalls::{Grain, StallWatch};
use crate::scenario::measuring::{Bench, ScenarioError};
use crate::scenario::moves::cell::{Link, Load, MOVING, MoveCell, Purpose, cells};
use crate::scenario::moves::dialect::State;
use crate::scenario::moves::figures::{Figure, Figures, MoveResult};
use crate::scenario::moves::heavy::{Heavy, fill_heavy};
use crate::scenario::moves::judging::judge;
use crate::scenario::moves::link::{LinkWatch, watch};
use crate::scenario::moves::network::Network;
use crate::scenario::moves::pair::Pair;
use crate::scenario::moves::reading::{Reading, figures};
use crate::scenario::moves::source::peak_bytes;
use crate::scenario::moves::traffic::{half_rate, under_traffic};
use crate::scenario::moves::turns;
use crate::scenario::moves::windows::{TurnWatch, TurnWindows};
use crate::scenario::peer::{Kind, Peer};

/// Time between two looks at how far a move is.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// Longest wait for a move.
const MOVE_TIMEOUT: Duration = Duration::from_secs(300);
/// What is watched after a move: the moved keys are dropped then.
const AFTERWARDS: Duration = Duration::from_millis(1500);
/// The same after a heavy slot, which takes longer to drop.
const AFTERWARDS_HEAVY: Duration = Duration::from_secs(15);
/// Rest after a fill.
const SETTLE: Duration = Duration::from_millis(500);
/// Wait of an operator before a move that has failed is asked for again.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// Share of the bytes after which the link is cut.
const CUT_AT: f64 = 0.9;

/// Measures every cell on every product that can move slots.
pub fn measure_moves(bench: &mut Bench<'_>, peers: &[Peer]) -> Result<(), ScenarioError> {
    let peers: Vec<&Peer> = peers.iter().filter(|p| matches!(p.kind, Kind::Whimbrel | Kind::Resp)).collect();
    let mut cells = cells(bench.options.rate);
    cells.retain(|cell| bench.options.takes_cell(cell.name));
    if peers.is_empty() || cells.is_empty() {
        return Err(ScenarioError::Nothing);
    }
    bench.note(
        "source, target and etcd share the CPUs with the client, which keeps to its own; client and servers go first (nice -20), etcd last (10); \
         peers' threads and children run where the scheduler puts them"
            .into(),
    );
    for repeat in 0..bench.options.repeats() {
        for cell in &cells {
            for turn in 0..peers.len() {
                let index = (turn + repeat) % peers.len();
                let peer = peers[index];
                if peer.kind == Kind::Whimbrel || !cell.is_for_whimbrel_alone() {
                    measure_one(bench, index, peer, cell, repeat)?;
                }
            }
        }
    }
    judge(&mut bench.results, &cells);
    Ok(())
}

fn measure_one(
    bench: &mut Bench<'_>,
    index: usize,
    peer: &Peer,
    cell: &MoveCell,
    repeat: usize,
) -> Result<(), ScenarioError> {
    let mut cell = cell.clone();
    cell.dataset.keys = bench.options.keys(cell.dataset.keys);
    if bench.options.quick {
        cell.heavy = cell.heavy.map(Heavy::quick);
    }
    let network = match cell.link {
        Link::Own => match Network::build(std::process::id() % 10_000) {
            Ok(network) => Some(network),
            Err(error) => {
                bench.note(format!("{} was skipped, it needs root and `ip`: {error}", cell.name));
                return Ok(());
            }
        },
        Link::Loopback | Link::Mailboxes => None,
    };
    let Some(pair) = Pair::start(bench, index, peer, &cell, network.as_ref())? else { return Ok(()) };
    fill(bench, &pair, &cell)?;
    if let Purpose::Cap(bytes) = cell.purpose {
        cap(&pair, bytes).map_err(ScenarioError::Server)?;
    }
    let reading = read(bench, &pair, &cell, network.as_ref())?;
    for error in [reading.calm.first_error(), reading.busy.first_error()].into_iter().flatten() {
        bench.note(format!("{}, {}: the first error: {error}", peer.name, cell.name));
    }
    for long in reading.long_turns() {
        bench.note(format!("{}, {}: {long}", peer.name, cell.name));
    }
    for failure in &reading.moved.failures {
        bench.note(format!("{}, {}: the move ended with {failure}", peer.name, cell.name));
    }
    let figures = figures(&reading, &cell);
    progress(repeat, cell.name, &peer.name, &figures);
    keep(bench, cell.name, &peer.name, figures);
    Ok(())
}

fn fill(bench: &mut Bench<'_>, pair: &Pair, cell: &MoveCell) -> Result<(), ScenarioError> {
    let report = run(&cell.dataset.fill_plan(pair.target(), &[]), &mut |_| {})
        .map_err(|error| ScenarioError::Load(pair.name().to_owned(), error))?;
    if let Some(error) = &report.first_error {
        bench.note(format!("{}: {} errors in the fill, the first: {error}", pair.name(), report.errors));
    }
    let [mut source, _] = pair.controls().map_err(ScenarioError::Server)?;
    fill_heavy(cell, &mut source).map_err(ScenarioError::Server)?;
    thread::sleep(SETTLE);
    Ok(())
}

fn cap(pair: &Pair, bytes: u64) -> io::Result<()> {
    for mut node in pair.controls()? {
        node.ask_well(&["CONFIG", "SET", "link-rate-max", &bytes.to_string()])?;
    }
    Ok(())
}

/// Everything that is read of one cell on one pair.
fn read(
    bench: &Bench<'_>,
    pair: &Pair,
    cell: &MoveCell,
    network: Option<&Network>,
) -> Result<Reading, ScenarioError> {
    let origin = Instant::now();
    let grain = if cell.purpose == Purpose::Turns { Grain::FINE } else { Grain::COARSE };
    let stalls = StallWatch::start(&bench.all_cpus(), grain, origin);
    let pid = pair.source().pid();
    let rate = match cell.load {
        Load::Idle => None,
        Load::Rate(rate) => Some(rate),
        Load::Half => Some(half_rate(pair, cell)?),
    };
    let quiet = Duration::from_secs_f64(bench.options.seconds());
    let cpus = &bench.client_cpus;
    let (calm, (calm_from, calm_to)) = under_traffic(pair, cell, rate, cpus, origin, || {
        let from = moment(pid, origin)?;
        thread::sleep(quiet);
        Ok((from, moment(pid, origin)?))
    })?;
    let keys_before = pair.keys().map_err(ScenarioError::Server)?;
    let memory_before = proportional_bytes(pid).map_err(ScenarioError::Server)?;
    if cell.purpose != Purpose::Turns {
        // The target is going to take about as much as half of the source has, and may need room beside it. Where turns are what is
        // looked at, the source's own memory must not have rested for the seconds that this takes.
        back_free_memory(memory_before);
    }
    let (busy, watched) =
        under_traffic(pair, cell, rate, cpus, origin, || watched(pair, cell, network, origin))?;
    let keys_after = pair.keys().map_err(ScenarioError::Server)?;
    Ok(Reading {
        origin,
        rate,
        calm,
        calm_from,
        calm_to,
        busy,
        moved: watched.moved,
        memory: watched.peak_bytes.map(|peak| (memory_before, peak)),
        link: watched.link,
        turns: watched.turns,
        stalls: stalls.end(),
        keys_before,
        keys_after,
    })
}

/// An instant, with the CPU time of the source until then.
#[derive(Clone, Debug)]
pub struct Moment {
    /// From the origin of all instants.
    pub at: Duration,
    /// Of the source and its children.
    pub source: FamilyTime,
}

fn moment(pid: u32, origin: Instant) -> Result<Moment, ScenarioError> {
    let source = FamilyTime::of_process(pid).map_err(ScenarioError::Server)?;
    Ok(Moment { at: origin.elapsed(), source })
}

/// A move as it went.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The command.
    pub begun: Moment,
    /// The target owns the slots.
    pub done: Moment,
    /// A while later.
    pub over: Moment,
    /// Why moves before the one that was done were not.
    pub failures: Vec<String>,
    /// What the product says of it.
    pub own: Figures,
}

struct Watched {
    moved: Moved,
    peak_bytes: Option<u64>,
    link: Option<LinkWatch>,
    turns: Option<TurnWindows>,
}

/// Moves the slots and watches what the cell is for.
fn watched(
    pair: &Pair,
    cell: &MoveCell,
    network: Option<&Network>,
    origin: Instant,
) -> Result<Watched, ScenarioError> {
    let pid = pair.source().pid();
    let over = AtomicBool::new(false);
    let cut_after = (cell.purpose == Purpose::Cut).then(|| {
        let share = f64::from(MOVING.1 - MOVING.0 + 1) / 16_384.0;
        (cell.dataset.keys as f64 * share * cell.dataset.payload_bytes() as f64 * CUT_AT) as u64
    });
    let turns = (cell.purpose == Purpose::Turns)
        .then(|| TurnWatch::start(pair.controls()?, pair.cpus, origin))
        .transpose()
        .map_err(ScenarioError::Server)?;
    thread::scope(|scope| {
        let turns = turns.map(|watch| scope.spawn(|| watch.until(&over)));
        let memory = (cell.purpose == Purpose::Memory).then(|| scope.spawn(|| peak_bytes(pid, &over)));
        let link = network.map(|network| scope.spawn(|| watch(network, pid, cut_after, &over)));
        let moved = moved(pair, cell, origin);
        over.store(true, Ordering::Relaxed);
        let ended = |_| ScenarioError::Server(io::Error::other("a watch ended before its time"));
        let peak_bytes = memory.map(|watch| watch.join().map_err(ended)?.map_err(ScenarioError::Server));
        let link = link.map(|watch| watch.join().map_err(ended)?.map_err(ScenarioError::Server));
        let turns = turns.map(|watch| watch.join().map_err(ended)?.map_err(ScenarioError::Server));
        Ok(Watched {
            moved: moved?,
            peak_bytes: peak_bytes.transpose()?,
            link: link.transpose()?,
            turns: turns.transpose()?,
        })
    })
}

/// Asks for the move as often as it fails, waits until it is done, and for a while longer.
fn moved(pair: &Pair, cell: &MoveCell, origin: Instant) -> Result<Moved, ScenarioError> {
    let pid = pair.source().pid();
    let mut failures: Vec<String> = Vec::new();
    let begun = moment(pid, origin)?;
    let mut asked = pair.start_move().map_err(ScenarioError::Server)?;
    loop {
        let state = asked.state().map_err(ScenarioError::Server)?;
        if state == State::Done {
            break;
        }
        if origin.elapsed() - begun.at > MOVE_TIMEOUT {
            let reason = format!("{}: the move does not end: {}", pair.name(), failures.join("; "));
            return Err(ScenarioError::Server(io::Error::new(io::ErrorKind::TimedOut, reason)));
        }
        if let State::Failed(reason) = state {
            failures.push(reason);
            thread::sleep(RETRY_INTERVAL);
            // The nodes may not have found each other again, which a later attempt shows.
            asked = pair.start_move().map_err(ScenarioError::Server)?;
        }
        thread::sleep(POLL_INTERVAL);
    }
    let done = moment(pid, origin)?;
    let own = asked.own_figures().map_err(ScenarioError::Server)?;
    thread::sleep(if cell.heavy.is_some() { AFTERWARDS_HEAVY } else { AFTERWARDS });
    let over = moment(pid, origin)?;
    if cell.purpose == Purpose::Turns {
        let [mut source, _] = pair.controls().map_err(ScenarioError::Server)?;
        turns::expect_all_freed(&mut source).map_err(ScenarioError::Server)?;
    }
    Ok(Moved { begun, done, over, failures, own })
}

fn keep(bench: &mut Bench<'_>, cell: &str, server: &str, figures: Figures) {
    let moves = &mut bench.results.moves;
    let known = moves.iter().position(|result| result.cell == cell && result.server == server);
    let index = known.unwrap_or_else(|| {
        moves.push(MoveResult {
            cell: cell.to_owned(),
            server: server.to_owned(),
            samples: Vec::new(),
            median: Figures::new(),
        });
        moves.len() - 1
    });
    moves[index].keep(figures);
}

fn progress(repeat: usize, cell: &str, server: &str, figures: &Figures) {
    let figure = |figure| figures.get(&figure).copied().unwrap_or(f64::NAN);
    // Progress is a courtesy: a closed standard error does not stop the measurement.
    let _ = writeln!(
        io::stderr(),
        "repeat {} {cell:<8} {server:<16} {:>7.3} s {:>7.1} MB/s  worst moving {:.2} ms, staying {:.2} ms",
        repeat + 1,
        figure(Figure::MoveSeconds),
        figure(Figure::MovedMbPerSecond),
        figure(Figure::WorstMovingMs),
        figure(Figure::WorstStayingMs),
    );
}
