//! RENAME: gives a key another name, over whatever had it before.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, KeySpec, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// RENAME.
pub const SPEC: Spec = Spec {
    name: "rename",
    arity: 3,
    flags: Flags::of(&[Flag::Write]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::Rules(&[
        KeySpec::one(1, Access::RW.and(Access::ACCESS).and(Access::DELETE)),
        KeySpec::one(2, Access::OW.and(Access::UPDATE)),
    ]),
    since: "1.0.0",
    group: Group::Generic,
    summary: "Gives a key another name; what had that name is gone.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let (from, to) = (context.key(arguments.at(1))?, context.key(arguments.at(2))?);
    if !context.core.shard.rename(&from, &to, context.now.unix_ms)? {
        return Err(CommandError::NoSuchKey);
    }
    context.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn the_value_moves_with_its_expiry() {
        check(
            "
            SET a 1 PX 100 -> +OK
            SET b 2 -> +OK
            RENAME a b -> +OK
            EXISTS a -> :0
            GET b -> $1 1
            PTTL b -> :100
            RENAME b b -> +OK
            HSET h f v -> :1
            RENAME h hh -> +OK
            HGETALL hh -> *2 $1 f $1 v
            RENAME a b -> -ERR no such key
            RENAME a a -> -ERR no such key
            @after 100
            RENAME b c -> -ERR no such key
            ",
        );
    }
}
