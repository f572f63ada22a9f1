//! HDEL: removes fields, and the key with the last one.

use super::hash_of;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HDEL.
pub const SPEC: Spec = Spec {
    name: "hdel",
    arity: -3,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RW.and(Access::DELETE)),
    since: "2.0.0",
    group: Group::Hash,
    summary: "Removes fields of a hash, and the key with the last one.",
    complexity: "O(N) where N is the number of fields to be removed",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let mut write = context.core.shard.write(&key, context.now.unix_ms);
    hash_of(write.entry())?;
    let mut removed = 0;
    for name in arguments.from(2).iter() {
        removed += usize::from(write.hash_remove(name)?);
    }
    drop(write);
    context.reply.count(removed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn removes_what_is_there() {
        check(
            "
            HSET h a 1 b 2 c 3 -> :3
            HDEL h a x a -> :1
            HGETALL h -> *4 $1 b $1 2 $1 c $1 3
            HDEL h b c b -> :2
            HGETALL h -> *0
            HDEL h b -> :0
            HDEL h -> -ERR wrong number of arguments for 'hdel' command
            ",
        );
    }
}
