//! LATENCY HISTOGRAM: how many calls of each command took how long.

use crate::commands::{
    CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec, all, lookup_full, run_gather,
};
use crate::info::{CommandCount, CoreStats};
use crate::latency::Histogram;
use crate::resp::Arguments;

/// LATENCY HISTOGRAM.
pub const SPEC: Spec = Spec {
    name: "latency|histogram",
    syntax: "[command [command ...]]",
    arity: -2,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
    since: "7.0.0",
    group: Group::Server,
    summary: "How many calls of each command took how long.",
    complexity: "O(N) where N is the number of commands with times",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn part(context: &mut PartContext<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let commands = all().filter_map(|command| {
        let times = context.core.stats.command(command.id)?.histogram.clone()?;
        let count = CommandCount { times: Some(times), ..CommandCount::default() };
        Some((command.spec.name.to_owned(), count))
    });
    let times = CoreStats { commands: commands.collect(), ..CoreStats::default() };
    times.encode(context.out);
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let decoded = parts.iter().map(|part| CoreStats::decode(part).expect("a core reads what a core wrote"));
    let total = CoreStats::total(&decoded.collect::<Vec<_>>());
    let times = |name: &str| total.commands.get(name)?.times.as_ref();
    let mut shown: Vec<(&str, &Histogram)> = Vec::new();
    if arguments.len() == 2 {
        shown.extend(total.commands.keys().filter_map(|name| Some((name.as_str(), times(name)?))));
    }
    // A command's name stands for its subcommands too; a name that no command has stands for nothing.
    for command in arguments.from(2).iter().filter_map(lookup_full) {
        let names = command.spec.subcommands.iter().map(|spec| spec.name);
        let names = std::iter::once(command.spec.name).chain(names);
        shown.extend(names.filter_map(|name| Some((name, times(name)?))));
    }
    context.reply.map(shown.len());
    for (name, times) in shown {
        context.reply.bulk(name);
        show(context, times);
    }
    Ok(())
}

fn show(context: &mut Context<'_>, times: &Histogram) {
    let reply = &mut *context.reply;
    reply.map(2);
    reply.bulk("calls");
    reply.integer(times.calls() as i64);
    reply.bulk("histogram_usec");
    let steps: Vec<(u64, u64)> = times.cumulative().collect();
    reply.map(steps.len());
    for (microseconds, calls) in steps {
        reply.integer(microseconds as i64);
        reply.integer(calls as i64);
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Bench;

    #[test]
    fn times_of_all_commands_or_some() {
        let mut bench = Bench::taking(10_000);
        bench.check("LATENCY HISTOGRAM -> *0\n CONFIG GET timeout -> ...\n SET k v -> +OK");
        bench.elapsed_ns = 50_000;
        bench.check(
            "
            SET k v -> +OK
            LATENCY HISTOGRAM SET -> *2 $3 set *4 $5 calls :2 $14 histogram_usec *4 :16 :1 :66 :2
            LATENCY HISTOGRAM foo config|get -> *2 $10 config|get *4 $5 calls :1 ...
            LATENCY HISTOGRAM config -> *2 $10 config|get *4 $5 calls :1 ...
            LATENCY HISTOGRAM foo -> *0
            HELLO 3 -> ...
            LATENCY HISTOGRAM set -> %1 $3 set %2 $5 calls :2 $14 histogram_usec %2 :16 :1 :66 :2
            ",
        );
    }
}
