//! EXISTS: how many of the keys are there.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Merge, Route, Spec,
};
use crate::resp::Arguments;

/// EXISTS.
pub const SPEC: Spec = Spec {
    name: "exists",
    arity: -2,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::range(1, -1, 1, Access::RO),
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    since: "1.0.0",
    group: Group::Generic,
    summary: "How many of the keys are there; a key that is named twice counts twice.",
    complexity: "O(N) where N is the number of keys",
    route: Route::Split(Merge::Sum),
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let mut there = 0;
    for bytes in arguments.from(1).iter() {
        // A key that is too long to be stored is not there.
        let Ok(key) = context.key(bytes) else { continue };
        there += usize::from(context.look(&key).is_some());
    }
    context.reply.count(there);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn counts_each_mention() {
        check(
            "
            SET a 1 -> +OK
            SET b 2 PX 10 -> +OK
            EXISTS a -> :1
            EXISTS a a b missing -> :3
            @after 10
            EXISTS a b -> :1
            EXISTS -> -ERR wrong number of arguments for 'exists' command
            ",
        );
    }
}
