//! LATENCY RESET: forgets events.

use std::collections::BTreeSet;

use crate::commands::{
    CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec, run_gather,
};
use crate::info::codec::{Reader, put_text};
use crate::resp::Arguments;

/// LATENCY RESET.
pub const SPEC: Spec = Spec {
    name: "latency|reset",
    syntax: "[event [event ...]]",
    arity: -2,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    since: "2.8.13",
    group: Group::Server,
    summary: "Forgets these events, or all; says how many there were.",

    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

/// Tells the events that this core forgot, so that one that several cores saw counts once.
fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let monitor = &mut context.core.latency;
    let mut forgotten: Vec<String> = monitor.events().map(|(event, _)| event.to_owned()).collect();
    if arguments.len() == 2 {
        monitor.reset_all();
    } else {
        arguments.from(2).iter().for_each(|event| {
            monitor.reset(event);
        });
        forgotten.retain(|event| monitor.event(event.as_bytes()).is_none());
    }
    forgotten.iter().for_each(|event| put_text(context.out, event));
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let mut forgotten = BTreeSet::new();
    for part in parts {
        let mut reader = Reader(part);
        while let Some(event) = reader.text() {
            forgotten.insert(event);
        }
    }
    context.reply.count(forgotten.len());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::bench;

    #[test]
    fn counts_what_it_forgets() {
        bench().check(
            "
            LATENCY RESET foo -> :0
            LATENCY RESET foo Command command -> :1
            LATENCY LATEST -> *0
            LATENCY RESET -> :0
            ",
        );
        bench().check("LATENCY RESET -> :1\n LATENCY RESET -> :0");
    }
}
