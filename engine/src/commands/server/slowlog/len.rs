//! SLOWLOG LEN: how many entries there are.

use crate::commands::{
    CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec, run_gather,
};
use crate::resp::Arguments;

/// SLOWLOG LEN.
pub const SPEC: Spec = Spec {
    name: "slowlog|len",
    arity: 2,
    flags: Flags::of(&[Flag::Admin, Flag::Loading, Flag::Stale]),
    tips: &["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
    since: "2.2.12",
    group: Group::Server,
    summary: "How many entries the slow log has.",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn part(context: &mut PartContext<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let len = context.core.slowlog.entries().len() as u64;
    context.out.extend_from_slice(&len.to_le_bytes());
    Ok(())
}

/// Each core keeps `slowlog-max-len` entries; the newest so many of all of them are the slow log.
fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let lens = parts.iter().map(|part| part.first_chunk().expect("a part is a count"));
    let len: u64 = lens.map(|len| u64::from_le_bytes(*len)).sum();
    let len = len.min(context.core.config.slowlog_max_len);
    context.reply.count(len as usize);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Bench;

    #[test]
    fn counts_what_was_slow() {
        let mut bench = Bench::taking(20_000_000);
        bench.check(
            "
            SLOWLOG LEN -> :0
            PING -> +PONG
            SLOWLOG LEN -> :2
            CONFIG SET slowlog-max-len 1 -> +OK
            SLOWLOG LEN -> :1
            SLOWLOG LEN x -> -ERR wrong number of arguments for 'slowlog|len' command
            ",
        );
    }
}
