//! INFO: what the process is and does, section by section.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec,
    run_gather,
};
use crate::info::{CoreStats, Selection, View, render};
use crate::resp::Arguments;

/// INFO.
pub const SPEC: Spec = Spec {
    name: "info",
    syntax: "[section [section ...]]",
    arity: -1,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Slow, Category::Dangerous]),
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    since: "1.0.0",
    group: Group::Server,
    summary: "What the process is and does, section by section.",
    complexity: "O(N) where N is the number of clients and commands",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn part(context: &mut PartContext<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.core.report(context.session.as_deref(), context.now).encode(context.out);
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let decoded = parts.iter().map(|part| CoreStats::decode(part).expect("a core reads what a core wrote"));
    let cores: Vec<CoreStats> = decoded.collect();
    let core = &*context.core;
    let view = View {
        process: &core.observed.process,
        config: &core.config,
        topology: &core.topology,
        total: &CoreStats::total(&cores),
        cores: &cores,
        pause: core.pause,
        started: core.started,
        now: context.now,
    };
    let text = render(&view, Selection::parse(arguments.from(1).iter()));
    context.reply.verbatim("txt", text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn sections_say_what_happened() {
        check(
            r#"
            @after 5000
            PING -> +PONG
            FOO -> ...
            INFO nosuch -> $0
            INFO -> $...# Server redis_version:...uptime_in_seconds:5 ...# Clients connected_clients:1 ...role:master...
            INFO commandstats -> $...cmdstat_info:calls=2,...cmdstat_ping:calls=1,usec=0,...
            INFO ERRORSTATS -> $...# Errorstats errorstat_ERR:count=1
            INFO stats -> ...total_commands_processed:5 ...total_error_replies:1 ...
            "#,
        );
    }

    #[test]
    fn cores_that_are_nodes_speak_for_themselves() {
        check(
            "
            @cores 2
            INFO cluster cores -> $...cluster_enabled:1 ...core0:cpu=0,port=7000,slots=8192,keys=0,clients=1,...
            ",
        );
    }
}
