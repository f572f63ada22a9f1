//! LATENCY: what took long, and how long commands take.

mod doctor;
mod graph;
mod help;
mod histogram;
mod history;
mod latest;
mod reset;

use crate::commands::{CommandError, Group, PartContext, Spec};
use crate::latency::Monitor;
use crate::resp::Arguments;

/// LATENCY.
pub const SPEC: Spec = Spec {
    name: "latency",
    syntax: "<subcommand> [<arg> ...]",
    arity: -2,
    since: "2.8.13",
    group: Group::Server,
    summary: "What took long, and how long commands take.",
    complexity: "Depends on the subcommand.",
    subcommands: &[
        &doctor::SPEC,
        &graph::SPEC,
        &help::SPEC,
        &histogram::SPEC,
        &history::SPEC,
        &latest::SPEC,
        &reset::SPEC,
    ],
    ..Spec::BASE
};

/// A core's part: the spikes that it saw.
fn spikes(context: &mut PartContext<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.core.latency.encode(context.out);
    Ok(())
}

/// The spikes of all cores.
fn together(parts: &[Vec<u8>]) -> Monitor {
    let mut monitor = Monitor::default();
    for part in parts {
        monitor.merge(&Monitor::decode(part).expect("a core reads what a core wrote"));
    }
    monitor
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{Bench, check};

    /// A bench that has seen 30 ms and, two seconds later, 20 ms for a command.
    pub fn bench() -> Bench {
        let mut bench = Bench::default();
        bench.core.config.latency_monitor_threshold = 10;
        bench.elapsed_ns = 30_000_000;
        bench.check("KEYS * -> *0\n @after 2000");
        bench.elapsed_ns = 20_000_000;
        bench.check("KEYS * -> *0");
        bench.elapsed_ns = 0;
        bench
    }

    #[test]
    fn subcommands_are_asked_for() {
        check("LATENCY foo -> -ERR unknown subcommand 'foo'. Try LATENCY HELP.");
    }
}
