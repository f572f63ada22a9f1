//! `whimbrel-sim`: runs seeds, prints what happened, and the story of the first one in which something did not hold.

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use whimbrel_sim::{Mutation, Outcome, Runner, Totals};

/// Simulates moves of slots under seeds.
#[derive(Parser, Clone, Debug)]
#[command(version)]
struct Options {
    /// How many seeds to run.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Jobs that the operator asks for in each run.
    #[arg(long, default_value_t = 30)]
    moves: u64,
    /// Run this seed alone.
    #[arg(long)]
    seed: Option<u64>,
    /// Print the story of what did not hold; of everything, if all held.
    #[arg(long)]
    story: bool,
    /// Runs side by side.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Much data in every run.
    #[arg(long)]
    heavy: bool,
    /// A deliberate fault, by name.
    #[arg(long)]
    mutation: Option<String>,
    /// Go on behind a seed in which something did not hold.
    #[arg(long)]
    go_on: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mutation = match &options.mutation {
        None => None,
        Some(name) => match Mutation::ALL.iter().find(|mutation| mutation.name() == name) {
            Some(mutation) => Some(*mutation),
            None => return list_mutations(),
        },
    };
    let (from, seeds) = options.seed.map_or((options.from, options.seeds), |seed| (seed, 1));
    let began = Instant::now();
    let (next, stop) = (AtomicU64::new(from), AtomicBool::new(false));
    let work = || {
        let mut runner = Runner::new(options.moves);
        (runner.heavy, runner.mutation, runner.is_told) = (options.heavy, mutation, options.story);
        let (mut totals, mut failures) = (Totals::default(), Vec::new());
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + seeds {
                break;
            }
            let outcome = runner.run(seed);
            totals += &outcome.totals;
            if let Some(violation) = &outcome.violation {
                eprintln!("seed {seed}: {violation}");
            }
            if outcome.violation.is_some() || options.seed.is_some() {
                stop.store(outcome.violation.is_some() && !options.go_on, Ordering::Relaxed);
                failures.push(outcome);
            }
        }
        (totals, failures)
    };
    let (mut totals, mut told) = (Totals::default(), Vec::new());
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..options.threads.max(1)).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            let (of_thread, outcomes) = thread.join().expect("a run that panics has printed why");
            totals += &of_thread;
            told.extend(outcomes);
        }
    });
    told.sort_by_key(|outcome: &Outcome| outcome.seed);
    report(&totals, &told, &options, began)
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn report(totals: &Totals, told: &[Outcome], options: &Options, began: Instant) -> ExitCode {
    let mut exit = ExitCode::SUCCESS;
    for outcome in told {
        if let Some(story) = &outcome.story {
            println!("{story}");
        }
        if let Some(violation) = &outcome.violation {
            println!("seed {}: {violation}", outcome.seed);
            let heavy = if options.heavy { " --heavy" } else { "" };
            let moves = options.moves;
            println!("  tell its story: whimbrel-sim --moves {moves} --seed {}{heavy} --story", outcome.seed);
            exit = ExitCode::FAILURE;
        }
    }
    println!("{totals}");
    println!("real time       {:.1} s", began.elapsed().as_secs_f64());
    exit
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn list_mutations() -> ExitCode {
    for mutation in Mutation::ALL {
        println!("{:<28} {}", mutation.name(), mutation.what());
    }
    ExitCode::FAILURE
}
