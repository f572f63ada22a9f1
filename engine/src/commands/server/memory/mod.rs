//! MEMORY: what takes how much of it.

mod doctor;
mod help;
mod stats;
mod usage;

use crate::commands::{CommandError, Group, PartContext, Spec};
use crate::info::CoreStats;
use crate::resp::Arguments;

/// MEMORY.
pub const SPEC: Spec = Spec {
    name: "memory",
    syntax: "<subcommand> [<arg> ...]",
    arity: -2,
    since: "4.0.0",
    group: Group::Server,
    summary: "What takes how much memory.",
    complexity: "Depends on the subcommand.",
    subcommands: &[&doctor::SPEC, &help::SPEC, &stats::SPEC, &usage::SPEC],
    ..Spec::BASE
};

/// A core's part: its numbers.
fn numbers(context: &mut PartContext<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let report = context.core.report(context.session.as_deref(), context.now);
    CoreStats { counters: report.counters, ..CoreStats::default() }.encode(context.out);
    Ok(())
}

/// The numbers of all cores.
fn together(parts: &[Vec<u8>]) -> CoreStats {
    let decoded = parts.iter().map(|part| CoreStats::decode(part).expect("a core reads what a core wrote"));
    CoreStats::total(&decoded.collect::<Vec<_>>())
}

/// 0 of nothing.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn subcommands_are_asked_for() {
        check("MEMORY foo -> -ERR unknown subcommand 'foo'. Try MEMORY HELP.");
    }
}
