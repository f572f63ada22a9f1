//! SLOWLOG RESET: forgets all entries.

use crate::commands::{
    CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec, run_gather,
};
use crate::resp::Arguments;

/// SLOWLOG RESET.
pub const SPEC: Spec = Spec {
    name: "slowlog|reset",
    arity: 2,
    flags: Flags::of(&[Flag::Admin, Flag::Loading, Flag::Stale]),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    since: "2.2.12",
    group: Group::Server,
    summary: "Forgets all entries of the slow log.",
    complexity: "O(N) where N is the number of entries",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn part(context: &mut PartContext<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.core.slowlog.reset();
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
    use crate::commands::testing::Bench;

    #[test]
    fn ids_count_on() {
        let mut bench = Bench::taking(20_000_000);
        bench.check("PING -> +PONG");
        bench.elapsed_ns = 0;
        bench.check("SLOWLOG RESET -> +OK\n SLOWLOG GET -> *0");
        bench.elapsed_ns = 20_000_000;
        bench.check("PING -> +PONG\n SLOWLOG GET -> *1 *6 :1 ...");
    }
}
