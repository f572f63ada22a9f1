//! DEL: removes keys.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Merge, Route, Spec,
};
use crate::resp::Arguments;

/// DEL.
pub const SPEC: Spec = Spec {
    name: "del",
    arity: -2,
    flags: Flags::of(&[Flag::Write]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::range(1, -1, 1, Access::RM.and(Access::DELETE)),
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    since: "1.0.0",
    group: Group::Generic,
    summary: "Removes keys.",
    complexity: "O(N) where N is the number of keys; what large values leave behind is freed in the background",
    route: Route::Split(Merge::Sum),
    run,
    ..Spec::BASE
};

/// Removes keys and answers how many were there. Memory is freed in the background, so UNLINK is the same.
pub(super) fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let mut removed = 0;
    for bytes in arguments.from(1).iter() {
        // A key that is too long to be stored is not there.
        let Ok(key) = context.key(bytes) else { continue };
        removed += usize::from(context.write(&key).remove()?);
    }
    context.reply.count(removed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn counts_what_was_there() {
        check(
            "
            SET a 1 -> +OK
            SET b 2 PX 10 -> +OK
            SET c 3 PX 10 -> +OK
            HSET h f v -> :1
            DEL a a b h missing -> :3
            EXISTS a b h -> :0
            @after 10
            DEL c -> :0
            DEL -> -ERR wrong number of arguments for 'del' command
            ",
        );
    }
}
