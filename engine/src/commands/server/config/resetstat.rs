//! CONFIG RESETSTAT: every core counts anew.

use crate::commands::{
    CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec, run_gather,
};
use crate::resp::Arguments;

/// CONFIG RESETSTAT.
pub const SPEC: Spec = Spec {
    name: "config|resetstat",
    arity: 2,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    since: "2.0.0",
    group: Group::Server,
    summary: "Counts anew what INFO shows as totals.",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn part(context: &mut PartContext<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.core.reset_statistics();
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    _parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    context.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn totals_start_from_zero() {
        check(
            r#"
            PING -> +PONG
            FOO -> ...
            CONFIG RESETSTAT x -> -ERR wrong number of arguments for 'config|resetstat' command
            CONFIG RESETSTAT -> +OK
            INFO stats -> $...total_commands_processed:1 ...total_error_replies:0 ...
            INFO commandstats -> $...# Commandstats cmdstat_config|resetstat:calls=1,...
            "#,
        );
    }
}
