//! DBSIZE: how many keys there are.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec,
    run_gather,
};
use crate::resp::Arguments;

/// DBSIZE.
pub const SPEC: Spec = Spec {
    name: "dbsize",
    arity: 1,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    tips: &["request_policy:all_shards", "response_policy:agg_sum"],
    since: "1.0.0",
    group: Group::Server,
    summary: "How many keys there are.",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn part(context: &mut PartContext<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.out.extend_from_slice(&context.core.shard.keys().to_le_bytes());
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    let counts = parts.iter().map(|part| part.first_chunk().expect("a part is a count"));
    let count: u64 = counts.map(|count| u64::from_le_bytes(*count)).sum();
    context.reply.count(count as usize);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn counts_keys() {
        check(
            "
            DBSIZE -> :0
            SET a 1 -> +OK
            SET b 2 -> +OK
            DBSIZE -> :2
            DEL a -> :1
            DBSIZE -> :1
            ",
        );
    }
}
