//! Runs a plan: starts the workers, keeps the time, and adds up what they measured.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::load::kept::KeptReplies;
use crate::load::plan::{Bound, LoadError, Pace, Plan, Waiting};
use crate::load::recorder::Recorder;
use crate::load::report::Report;
use crate::load::worker::{Phase, Progress, Worker};
use crate::machine::cpus::{allow_open_files, pin_thread};

/// File descriptors that are needed beside those of the connections.
const FILES_BESIDE: u64 = 256;
/// Nodes for whose connections file descriptors are reserved in cluster mode.
const NODES_EXPECTED: u64 = 16;

/// Time between two looks at whether a run is to stop.
const STOP_INTERVAL: Duration = Duration::from_millis(5);

/// An end of the measured window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// Measurement begins.
    Start,
    /// Measurement is over.
    End,
}

type Outcome = Result<Recorder, LoadError>;

/// Runs the plan. `observe` is called at both edges of the measured window, on the calling thread.
pub fn run(plan: &Plan, observe: &mut dyn FnMut(Edge)) -> Result<Report, LoadError> {
    run_until(plan, &AtomicBool::new(false), observe)
}

/// As `run`; a window of time ends early when `stop` is set.
pub fn run_until(plan: &Plan, stop: &AtomicBool, observe: &mut dyn FnMut(Edge)) -> Result<Report, LoadError> {
    assert!(plan.threads > 0, "a run needs a thread");
    assert!(plan.clients >= plan.threads, "every thread needs a connection");
    let nodes = if plan.server.cluster { NODES_EXPECTED } else { 1 };
    allow_open_files(plan.clients as u64 * nodes + FILES_BESIDE).map_err(LoadError::System)?;
    pin_thread(&plan.cpus).map_err(LoadError::System)?;

    let first_phase = match plan.bound {
        Bound::Time { warm_up, .. } if !warm_up.is_zero() => Phase::WarmUp,
        _ => Phase::Measured,
    };
    let progress = Progress::new(plan.threads, first_phase);
    let connected = Barrier::new(plan.threads + 1);
    let (outcomes, finished) = channel();
    thread::scope(|scope| {
        for number in 0..plan.threads {
            let (progress, connected, outcomes) = (&progress, &connected, outcomes.clone());
            scope.spawn(move || work(plan, progress, connected, number, &outcomes));
        }
        drop(outcomes);
        connected.wait();
        measure(plan, &progress, &finished, stop, observe)
    })
}

fn work(plan: &Plan, progress: &Progress, connected: &Barrier, number: usize, outcomes: &Sender<Outcome>) {
    let worker = Worker::new(plan, progress, number);
    connected.wait();
    // The receiver is gone only when another worker's failure has ended the run.
    let _ = outcomes.send(worker.and_then(Worker::run));
}

/// Takes in what workers measured, as they finish.
struct Collector<'f> {
    finished: &'f Receiver<Outcome>,
    stop: &'f AtomicBool,
    running: usize,
    all: Recorder,
}

impl Collector<'_> {
    /// Waits until every worker has finished, or `end` has come, or the run is to stop before.
    fn wait(&mut self, end: Option<Instant>) -> Result<(), LoadError> {
        while self.running > 0 {
            let outcome = match end {
                None => self.finished.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(end) => {
                    let left = end.saturating_duration_since(Instant::now());
                    self.finished.recv_timeout(left.min(STOP_INTERVAL))
                }
            };
            match outcome {
                Ok(outcome) => {
                    self.all.merge(&outcome?);
                    self.running -= 1;
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    let is_over = end.is_some_and(|end| end <= Instant::now());
                    if is_over || self.stop.load(Ordering::Relaxed) {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }
}

fn measure(
    plan: &Plan,
    progress: &Progress,
    finished: &Receiver<Outcome>,
    stop: &AtomicBool,
    observe: &mut dyn FnMut(Edge),
) -> Result<Report, LoadError> {
    let mut collector = Collector { finished, stop, running: plan.threads, all: Recorder::new(None) };
    let window = match plan.bound {
        Bound::Requests(_) => until_sent(&mut collector, observe),
        Bound::Time { warm_up, measured } => {
            for_a_time(&mut collector, progress, (warm_up, measured), observe)
        }
    };
    // Also after a failure: the other workers have to end.
    progress.enter(Phase::Ending);
    let (operations, elapsed) = window?;
    collector.wait(None)?;
    let answered = collector.all.answered;
    let report = report(&collector.all, operations.unwrap_or(answered), elapsed, plan);
    Ok(Report { kept: collector.all.kept(progress.origin), ..report })
}

type Window = Result<(Option<u64>, Duration), LoadError>;

fn until_sent(collector: &mut Collector<'_>, observe: &mut dyn FnMut(Edge)) -> Window {
    let started = Instant::now();
    observe(Edge::Start);
    collector.wait(None)?;
    let elapsed = started.elapsed();
    observe(Edge::End);
    Ok((None, elapsed))
}

fn for_a_time(
    collector: &mut Collector<'_>,
    progress: &Progress,
    (warm_up, measured): (Duration, Duration),
    observe: &mut dyn FnMut(Edge),
) -> Window {
    collector.wait(Some(Instant::now() + warm_up))?;
    progress.enter(Phase::Measured);
    observe(Edge::Start);
    let (before, started) = (progress.answered(), Instant::now());
    collector.wait(Some(started + measured))?;
    let (operations, elapsed) = (progress.answered() - before, started.elapsed());
    observe(Edge::End);
    Ok((Some(operations), elapsed))
}

fn report(all: &Recorder, operations: u64, elapsed: Duration, plan: &Plan) -> Report {
    let seconds = elapsed.as_secs_f64();
    let spun = matches!(plan.pace, Pace::Open { .. }) && plan.waiting == Waiting::Spin;
    Report {
        operations,
        seconds,
        throughput: operations as f64 / seconds,
        latency: all.latency(),
        nulls: all.nulls,
        errors: all.errors,
        first_error: all.first_error.clone(),
        redirects: all.redirects,
        lost: all.lost,
        shed: all.shed,
        sent_bytes: all.sent_bytes,
        received_bytes: all.received_bytes,
        client_busy: all.cpu_ns as f64 / elapsed.as_nanos() as f64 / plan.threads as f64,
        spun,
        kept: KeptReplies::default(),
    }
}
