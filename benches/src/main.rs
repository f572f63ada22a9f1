//! The command line of the load generator and the scenarios.

use std::io::{Write, stderr, stdout};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use whimbrel_bench::figure::command::{FigureOptions, figure};
use whimbrel_bench::load::command::load;
use whimbrel_bench::load::options::LoadOptions;
use whimbrel_bench::micro::command::micro;
use whimbrel_bench::scenario::command::scenario;
use whimbrel_bench::scenario::options::ScenarioOptions;

/// Measures Whimbrel beside its peers.
#[derive(Parser)]
#[command(name = "whimbrel-bench", version)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sends a workload to one server and times the replies.
    Load(Box<LoadOptions>),
    /// Measures a row of the targets on Whimbrel and its peers.
    Scenario(Box<ScenarioOptions>),
    /// Times the parser, the arena, the shard and forks in this process.
    Micro,
    /// Draws CPU time per operation from results of scenarios.
    Figure(FigureOptions),
}

fn main() -> ExitCode {
    let mut out = stdout().lock();
    let outcome: Result<(), Box<dyn std::error::Error>> = match CommandLine::parse().command {
        Command::Load(options) => load(&options, &mut out).map_err(Into::into),
        Command::Scenario(options) => scenario(&options, &mut out).map_err(Into::into),
        Command::Micro => micro(&mut out).map_err(Into::into),
        Command::Figure(options) => figure(&options).map_err(Into::into),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do when even standard error is closed.
            let _ = writeln!(stderr(), "whimbrel-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
