//! TOUCH: notes a use of keys, so that eviction spares them longer.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Merge, Route, Spec,
};
use crate::resp::Arguments;

/// TOUCH.
pub const SPEC: Spec = Spec {
    name: "touch",
    arity: -2,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::range(1, -1, 1, Access::RO),
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    since: "3.2.1",
    group: Group::Generic,
    summary: "Notes a use of keys; says how many are there.",
    complexity: "O(N) where N is the number of keys",
    route: Route::Split(Merge::Sum),
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let now_ms = context.now.unix_ms;
    let mut there = 0;
    for bytes in arguments.from(1).iter() {
        // A key that is too long to be stored is not there.
        let Ok(key) = context.key(bytes) else { continue };
        // CLIENT NO-TOUCH does not concern a command that does nothing else.
        there += usize::from(context.core.shard.find(&key, now_ms).is_some());
    }
    context.reply.count(there);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn counts_what_is_there() {
        check(
            "
            SET a 1 -> +OK
            TOUCH a a missing -> :2
            TOUCH -> -ERR wrong number of arguments for 'touch' command
            ",
        );
    }
}
