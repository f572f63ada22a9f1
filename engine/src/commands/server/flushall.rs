//! FLUSHALL: removes all keys, at once for readers; their memory is reclaimed in the background.
//!
//! SYNC and ASYNC are both taken and do the same: a slot is emptied in O(1), so there is nothing to wait for.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec,
    run_gather,
};
use crate::resp::Arguments;

/// FLUSHALL.
pub const SPEC: Spec = Spec {
    name: "flushall",
    syntax: "[ASYNC | SYNC]",
    arity: -1,
    flags: Flags::of(&[Flag::Write]),
    acl: Categories::of(&[Category::Keyspace, Category::Dangerous]),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    since: "1.0.0",
    group: Group::Server,
    summary: "Removes all keys.",
    complexity: "O(S) where S is the number of slots that hold keys; memory is reclaimed in the background.",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

/// Empties one core.
pub fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let is_mode = arguments.is(1, "ASYNC") || arguments.is(1, "SYNC");
    if arguments.len() > 2 || (arguments.len() == 2 && !is_mode) {
        return Err(CommandError::Syntax);
    }
    context.core.shard.flush();
    Ok(())
}

/// All cores are empty.
pub fn merge(
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

    #[test]
    fn removes_everything() {
        check(
            "
            FLUSHALL -> +OK
            MSET a 1 b 2 {c}d 3 -> +OK
            HSET h f v -> :1
            SET e v EX 100 -> +OK
            FLUSHALL -> +OK
            DBSIZE -> :0
            GET a -> $-1
            HGETALL h -> *0
            SET a 1 -> +OK
            FLUSHALL async -> +OK
            DBSIZE -> :0
            SET a 1 -> +OK
            FLUSHALL SYNC -> +OK
            DBSIZE -> :0
            ",
        );
    }

    #[test]
    fn wrong_words_remove_nothing() {
        check(
            "
            SET a 1 -> +OK
            FLUSHALL foo -> -ERR syntax error
            FLUSHALL ASYNC SYNC -> -ERR syntax error
            FLUSHALL ASYNC ASYNC -> -ERR syntax error
            DBSIZE -> :1
            ",
        );
    }

    #[test]
    fn memory_comes_back_in_the_background() {
        let mut bench = Bench::default();
        let before = bench.core.shard.used_bytes();
        (0..2000).for_each(|number| drop(bench.ask(1, &format!("SET key:{number} {number:0100}"))));
        bench.check("FLUSHALL -> +OK");
        let now_ms = bench.now.unix_ms;
        bench.core.shard.background(now_ms, &mut |_| true);
        assert_eq!(bench.core.shard.used_bytes(), before);
        assert_eq!(bench.core.shard.memory().reclaiming_bytes(), 0);
    }
}
