//! RANDOMKEY: some key.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec,
    run_gather,
};
use crate::resp::Arguments;

use crate::core::Core;

/// RANDOMKEY.
pub const SPEC: Spec = Spec {
    name: "randomkey",
    arity: 1,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::Keyspace]),
    tips: &["request_policy:all_shards", "nondeterministic_output"],
    since: "1.0.0",
    group: Group::Generic,
    summary: "Some key.",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

/// Writes how many keys this core has and one of them; nothing if there is none.
fn part(context: &mut PartContext<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let Core { shard, random, .. } = &mut *context.core;
    if let Some(entry) = shard.random(context.now.unix_ms, || random.bits()) {
        context.out.extend_from_slice(&shard.keys().to_le_bytes());
        context.out.extend_from_slice(entry.key());
    }
    Ok(())
}

/// A core's key is chosen as often as the core has keys.
fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let candidates = || {
        parts
            .iter()
            .filter_map(|part| part.split_first_chunk())
            .map(|(keys, key)| (u64::from_le_bytes(*keys), key))
    };
    let total: u64 = candidates().map(|(keys, _)| keys).sum();
    if total == 0 {
        context.reply.null();
        return Ok(());
    }
    let mut place = context.core.random.below(total);
    for (keys, key) in candidates() {
        if place < keys {
            context.reply.bulk(key);
            break;
        }
        place -= keys;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::commands::testing::Bench;

    #[test]
    fn every_key_has_its_turn() {
        let mut bench = Bench::default();
        bench.check("RANDOMKEY -> $-1");
        bench.check("SET a 1 -> +OK");
        bench.check("RANDOMKEY -> $1 a");
        bench.check("SET b 2 PX 10 -> +OK");
        let answers: BTreeSet<String> = (0..100).map(|_| bench.ask(1, "RANDOMKEY")).collect();
        assert_eq!(answers.into_iter().collect::<Vec<_>>(), ["$1 a", "$1 b"]);
        bench.check("@after 10");
        assert!((0..100).all(|_| bench.ask(1, "RANDOMKEY") == "$1 a"));
    }
}
