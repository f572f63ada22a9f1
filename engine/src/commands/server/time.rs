//! TIME: seconds since 1970, and the microseconds of the second.

use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::resp::Arguments;

/// TIME.
pub const SPEC: Spec = Spec {
    name: "time",
    arity: 1,
    flags: Flags::of(&[Flag::Loading, Flag::Stale, Flag::Fast]),
    tips: &["nondeterministic_output"],
    since: "2.6.0",
    group: Group::Server,
    summary: "The server's time: seconds since 1970, and the microseconds of the second.",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let unix_us = context.now.unix_us();
    context.reply.array(2);
    context.reply.bulk_integer((unix_us / 1_000_000) as i64);
    context.reply.bulk_integer((unix_us % 1_000_000) as i64);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Bench;

    #[test]
    fn seconds_and_microseconds() {
        let mut bench = Bench::default();
        bench.now.monotonic_us += 7;
        bench.check(
            "
            TIME -> *2 $10 1700000000 $1 7
            @after 1500
            TIME -> *2 $10 1700000001 $6 500007
            TIME x -> -ERR wrong number of arguments for 'time' command
            ",
        );
    }
}
