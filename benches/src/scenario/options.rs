//! The options of `whimbrel-bench scenario`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::machine::cpus::CpuList;
use crate::scenario::peer::Peer;
use crate::scenario::rows::RowId;

/// Keys of a smoke run, at most.
const QUICK_KEYS: u64 = 20_000;

/// Measures a row of the targets on Whimbrel and its peers.
#[derive(Args, Clone, Debug)]
pub struct ScenarioOptions {
    /// The row.
    #[arg(value_enum, ignore_case = true)]
    pub row: RowId,
    /// A smoke run: few keys, one short repeat. Its figures say nothing.
    #[arg(long)]
    pub quick: bool,
    /// Whimbrel's program; left out when the file is not there.
    #[arg(long, default_value = "target/release/whimbrel")]
    pub whimbrel: PathBuf,
    /// One more server: NAME=PATH of a known one, or NAME=COMMAND LINE with {port} (and {cpus}, {dir}). `floor` is the
    /// server that only answers; names that start with `memcached` speak its protocol. May be repeated.
    #[arg(long)]
    pub peer: Vec<Peer>,
    /// Only these servers.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// Only cells whose names have all these words, e.g. "GET c50".
    #[arg(long)]
    pub cells: Option<String>,
    /// The server that the ratio column compares with, in place of the best peer.
    #[arg(long)]
    pub against: Option<String>,
    /// CPUs of the servers.
    #[arg(long, default_value = "0")]
    pub server_cpus: CpuList,
    /// CPUs of the load; the machine's second CPU when it has one.
    #[arg(long)]
    pub client_cpus: Option<CpuList>,
    /// Measurements of each cell on each server.
    #[arg(long)]
    pub repeats: Option<usize>,
    /// Length of each, in seconds.
    #[arg(long)]
    pub seconds: Option<f64>,
    /// Load before each, in seconds.
    #[arg(long, default_value_t = 0.5)]
    pub warm_up: f64,
    /// Keys, in place of the row's.
    #[arg(long)]
    pub keys: Option<u64>,
    /// Starts, fills and stops servers one after the other, when memory does not hold them all.
    #[arg(long)]
    pub one_at_a_time: bool,
    /// First port; every server gets ten.
    #[arg(long, default_value_t = 18_100)]
    pub port_base: u16,
    /// Command that makes a server walk all its keys from a frozen view, for P9; BGSAVE by default.
    #[arg(long)]
    pub walk_command: Option<String>,
    /// SETs a second during the moves of row M.
    #[arg(long, default_value_t = 25_000.0)]
    pub rate: f64,
    /// Writes the results to this file.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

impl ScenarioOptions {
    /// CPUs of the load.
    pub fn client_cpus(&self) -> Vec<usize> {
        let second = usize::from(std::thread::available_parallelism().is_ok_and(|n| n.get() > 1));
        self.client_cpus.clone().map_or_else(|| vec![second], |list| list.0)
    }

    /// Measurements of each cell on each server.
    pub fn repeats(&self) -> usize {
        self.repeats.unwrap_or(if self.quick { 1 } else { 5 }).max(1)
    }

    /// Length of each measurement.
    pub fn seconds(&self) -> f64 {
        self.seconds.unwrap_or(if self.quick { 0.2 } else { 3.0 })
    }

    /// Warm-up and measurement.
    pub fn times(&self) -> (Duration, Duration) {
        let warm_up = if self.quick { 0.1 } else { self.warm_up };
        let length = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::from_secs(1));
        (length(warm_up), length(self.seconds()))
    }

    /// Keys where the row has `keys`.
    pub fn keys(&self, keys: u64) -> u64 {
        let keys = self.keys.unwrap_or(keys).max(1);
        if self.quick { keys.min(QUICK_KEYS) } else { keys }
    }

    /// This cell is among the chosen ones.
    pub fn takes_cell(&self, name: &str) -> bool {
        let has = |word: &str| name.split(' ').any(|own| own.eq_ignore_ascii_case(word));
        self.cells.as_deref().unwrap_or_default().split_whitespace().all(has)
    }

    /// Ports of the `index`-th server.
    pub fn port(&self, index: usize) -> u16 {
        self.port_base + 10 * index as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        scenario: ScenarioOptions,
    }

    fn options(arguments: &str) -> ScenarioOptions {
        CommandLine::parse_from(["scenario"].into_iter().chain(arguments.split('|'))).scenario
    }

    #[test]
    fn a_smoke_run_is_short_and_small() {
        let (full, quick) = (options("P2"), options("p2|--quick"));
        assert_eq!((full.repeats(), full.keys(1_000_000)), (5, 1_000_000));
        assert_eq!((quick.repeats(), quick.keys(1_000_000)), (1, QUICK_KEYS));
        assert!(quick.seconds() < full.seconds());
    }

    #[test]
    fn cells_are_chosen_by_whole_words() {
        let chosen = options("P1|--cells|get c50");
        let cases = [("GET P1 c50", true), ("GET P1 c500", false), ("SET P1 c50", false)];
        for (name, wanted) in cases {
            assert_eq!(chosen.takes_cell(name), wanted, "{name}");
            assert!(options("P1").takes_cell(name));
        }
    }
}
