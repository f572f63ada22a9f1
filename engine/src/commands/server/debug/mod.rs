//! DEBUG: what test harnesses and benchmarks ask for, where `enable-debug-command` lets them.
//!
//! To clients it is one command with one spec, as in Redis. Every core has a part in it, because some subcommands concern
//! all cores and one concerns the core of a key; each subcommand is a file.

mod allowed;
mod fork_walk;
mod object;
mod protocol;
mod set_active_expire;
mod sleep;

use crate::commands::{
    CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec, run_gather,
};
use crate::resp::Arguments;

/// DEBUG.
pub const SPEC: Spec = Spec {
    name: "debug",
    syntax: "<subcommand> [<arg> ...]",
    arity: -2,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    since: "1.0.0",
    group: Group::Server,
    summary: "What test harnesses and benchmarks ask for.",
    complexity: "Depends on the subcommand.",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

const HELP: &[&str] = &[
    "DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
    "FORK-WALK [<rounds>]",
    "    Fork every slot and walk each fork to its end in the background, <rounds> times",
    "    (default 1). Measures what forks cost.",
    "OBJECT <key>",
    "    Show low level info about `key` and associated value.",
    "PROTOCOL <type>",
    "    Reply with a test value of the specified type. <type> can be: string,",
    "    integer, double, bignum, null, array, set, map, attrib, push, verbatim,",
    "    true, false.",
    "SET-ACTIVE-EXPIRE <0|1>",
    "    Setting it to 0 disables expiring keys in background when they are not",
    "    accessed (otherwise the Redis behavior). Setting it to 1 reenables back the",
    "    default.",
    "SLEEP <seconds>",
    "    Stop the core of this connection for <seconds>. Decimals allowed.",
    "HELP",
    "    Prints this help.",
];

/// The subcommands, each with the numbers of words that it takes.
#[derive(Clone, Copy)]
enum Subcommand {
    ForkWalk,
    Help,
    Object,
    Protocol,
    SetActiveExpire,
    Sleep,
}

impl Subcommand {
    fn parse(arguments: &Arguments<'_>) -> Result<Self, CommandError> {
        let words = arguments.len();
        let found = match arguments {
            arguments if arguments.is(1, "FORK-WALK") && words <= 3 => Self::ForkWalk,
            arguments if arguments.is(1, "HELP") && words == 2 => Self::Help,
            arguments if arguments.is(1, "OBJECT") && words == 3 => Self::Object,
            arguments if arguments.is(1, "PROTOCOL") && words == 3 => Self::Protocol,
            arguments if arguments.is(1, "SET-ACTIVE-EXPIRE") && words == 3 => Self::SetActiveExpire,
            arguments if arguments.is(1, "SLEEP") && words == 3 => Self::Sleep,
            _ => return Err(unknown(arguments.at(1))),
        };
        Ok(found)
    }
}

fn unknown(word: &[u8]) -> CommandError {
    const SHOWN_MAX: usize = 128;
    let word = String::from_utf8_lossy(&word[..word.len().min(SHOWN_MAX)]);
    CommandError::text(format!(
        "ERR unknown subcommand or wrong number of arguments for '{word}'. Try DEBUG HELP."
    ))
}

fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    if let Some(session) = context.session.as_deref() {
        allowed::check(context.core.config.enable_debug_command, session)?;
    }
    match Subcommand::parse(arguments)? {
        Subcommand::ForkWalk => fork_walk::part(context, arguments),
        Subcommand::Help | Subcommand::Protocol => Ok(()),
        Subcommand::Object => object::part(context, arguments),
        Subcommand::SetActiveExpire => set_active_expire::part(context, arguments),
        Subcommand::Sleep => sleep::part(context, arguments),
    }
}

fn merge(
    context: &mut Context<'_>,
    arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    match Subcommand::parse(arguments)? {
        Subcommand::Object => object::merge(context, parts)?,
        Subcommand::Protocol => protocol::merge(context.reply, arguments)?,
        Subcommand::Help => {
            context.reply.array(HELP.len());
            HELP.iter().for_each(|line| context.reply.simple(line));
        }
        Subcommand::ForkWalk | Subcommand::SetActiveExpire | Subcommand::Sleep => context.reply.ok(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::allowed::tests::bench;
    use crate::commands::testing::check;

    #[test]
    fn subcommands_are_asked_for() {
        bench().check(
            "
            DEBUG -> -ERR wrong number of arguments for 'debug' command
            DEBUG foo -> -ERR unknown subcommand or wrong number of arguments for 'foo'. Try DEBUG HELP.
            DEBUG sleep -> -ERR unknown subcommand or wrong number of arguments for 'sleep'. Try DEBUG HELP.
            DEBUG OBJECT k x -> -ERR unknown subcommand or wrong number of arguments for 'OBJECT'. Try DEBUG HELP.
            DEBUG HELP -> *18 +DEBUG <subcommand> ...+SLEEP <seconds>...
            ",
        );
    }

    #[test]
    fn it_is_one_command() {
        check(
            "COMMAND INFO debug -> *1 *10 $5 debug :-2 *4 +admin +noscript +loading +stale :0 :0 :0 ... *0 *0 *0",
        );
    }
}
