//! MEMORY USAGE: the bytes that a key takes. They are counted, never estimated, so SAMPLES changes nothing.

use crate::commands::{Access, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec};
use crate::number::parse_i64;
use crate::resp::Arguments;

/// MEMORY USAGE.
pub const SPEC: Spec = Spec {
    name: "memory|usage",
    syntax: "key [SAMPLES count]",
    arity: -3,
    flags: Flags::of(&[Flag::Readonly]),
    keys: Keys::one(2, Access::RO),
    since: "4.0.0",
    group: Group::Server,
    summary: "The bytes that a key takes, with everything that belongs to it.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let mut at = 3;
    while at < arguments.len() {
        let samples = arguments.opt(at + 1).filter(|_| arguments.is(at, "SAMPLES"));
        let samples = parse_i64(samples.ok_or(CommandError::Syntax)?).ok_or(CommandError::NotInteger)?;
        if samples < 0 {
            return Err(CommandError::Syntax);
        }
        at += 2;
    }
    let key = context.key(arguments.at(2))?;
    match context.core.shard.peek(&key, context.now.unix_ms) {
        Some(entry) => context.reply.integer(entry.size_bytes() as i64),
        None => context.reply.null(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{Bench, check};

    #[test]
    fn options() {
        check(
            "
            SET k v -> +OK
            MEMORY USAGE k -> :...
            MEMORY USAGE k SAMPLES 0 -> :...
            MEMORY USAGE k samples 5 SAMPLES 7 -> :...
            MEMORY USAGE missing -> $-1
            MEMORY USAGE missing foo -> -ERR syntax error
            MEMORY USAGE k SAMPLES -1 -> -ERR syntax error
            MEMORY USAGE k SAMPLES x -> -ERR value is not an integer or out of range
            MEMORY USAGE k SAMPLES -> -ERR syntax error
            MEMORY USAGE k foo 1 -> -ERR syntax error
            MEMORY USAGE -> -ERR wrong number of arguments for 'memory|usage' command
            ",
        );
    }

    #[test]
    fn more_data_takes_more() {
        let mut bench = Bench::default();
        let usage = |bench: &mut Bench| -> u64 { bench.ask(1, "MEMORY USAGE k")[1..].parse().unwrap() };
        bench.check("SET k v -> +OK");
        let small = usage(&mut bench);
        assert!((10..100).contains(&small), "{small}");
        bench.ask(1, &format!("SET k {:01000}", 1));
        assert!((1000..1200).contains(&usage(&mut bench)));
        bench.check("DEL k -> :1");
        (0..1000).for_each(|field| drop(bench.ask(1, &format!("HSET k field:{field} {field:050}"))));
        assert!((60_000..200_000).contains(&usage(&mut bench)), "{}", usage(&mut bench));
    }
}
