//! CONFIG SET: changes settings on every core, all of them or none.

use crate::commands::{
    CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec, run_gather,
};
use crate::config::{Kind, parameter};
use crate::resp::Arguments;

/// CONFIG SET.
pub const SPEC: Spec = Spec {
    name: "config|set",
    syntax: "parameter value [parameter value ...]",
    arity: -4,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    since: "2.0.0",
    group: Group::Server,
    summary: "Changes settings, all of them or none.",
    complexity: "O(N) where N is the number of parameters",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

/// Every core has the same settings, so what one accepts all accept.
fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let words = arguments.from(2);
    let is_secret = |at: &usize| parameter(words.at(*at)).is_some_and(|row| matches!(row.kind, Kind::Secret));
    if context.session.is_some() {
        context.core.redacted_from = (0..words.len()).step_by(2).find(is_secret).map(|at| at + 3);
    }
    if !words.len().is_multiple_of(2) {
        return Err(CommandError::Syntax);
    }
    let pairs: Vec<_> = (0..words.len()).step_by(2).map(|at| (words.at(at), words.at(at + 1))).collect();
    let changed =
        context.core.config.set(&pairs).map_err(|error| CommandError::Text(format!("ERR {error}")))?;
    if !changed.is_empty() {
        context.core.settings_changed();
    }
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
    use crate::commands::testing::{Bench, check};
    use crate::core::Action;

    #[test]
    fn all_or_nothing() {
        check(
            r#"
            CONFIG SET timeout 5 maxmemory 1mb -> +OK
            CONFIG GET timeout maxmemory -> *4 $7 timeout $1 5 $9 maxmemory $7 1048576
            CONFIG SET timeout 6 maxmemory x -> -ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value
            CONFIG SET timeout 6 nosuch x -> -ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'
            CONFIG SET port 1 -> -ERR CONFIG SET failed (possibly related to argument 'port') - can't set immutable config
            CONFIG SET timeout 6 maxmemory -> -ERR syntax error
            CONFIG SET timeout -> -ERR wrong number of arguments for 'config|set' command
            CONFIG GET timeout -> *2 $7 timeout $1 5
            "#,
        );
    }

    #[test]
    fn changes_come_into_force() {
        let mut bench = Bench::default();
        bench.check("CONFIG SET timeout 0 -> +OK");
        assert_eq!(bench.actions, []);
        bench.check("CONFIG SET hash-max-listpack-entries 3 -> +OK");
        assert_eq!(bench.core.shard.limits().packed_fields_max, 3);
        assert_eq!(bench.actions, [Action::ConfigChanged]);
        bench.check(
            "
            CONFIG SET requirepass secret -> +OK
            PING -> +PONG
            2> PING -> -NOAUTH Authentication required.
            ",
        );
    }

    #[test]
    fn the_slow_log_never_sees_a_password() {
        let mut bench = Bench::default();
        bench.check("CONFIG SET slowlog-log-slower-than 0 timeout 1 requirepass sesame -> +OK");
        let shown = format!("{:?}", bench.core.slowlog.entries().collect::<Vec<_>>());
        assert!(!shown.contains("sesame") && bench.core.slowlog.entries().len() == 1, "{shown}");
    }
}
