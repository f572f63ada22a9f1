//! RENAMENX: gives a key another name, unless something has it already.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, KeySpec, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// RENAMENX.
pub const SPEC: Spec = Spec {
    name: "renamenx",
    arity: 3,
    flags: Flags::of(&[Flag::Write, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::Rules(&[
        KeySpec::one(1, Access::RW.and(Access::ACCESS).and(Access::DELETE)),
        KeySpec::one(2, Access::OW.and(Access::INSERT)),
    ]),
    since: "1.0.0",
    group: Group::Generic,
    summary: "Gives a key another name, unless something has it already.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let (from, to) = (context.key(arguments.at(1))?, context.key(arguments.at(2))?);
    let now_ms = context.now.unix_ms;
    let shard = &mut context.core.shard;
    if shard.peek(&from, now_ms).is_none() {
        return Err(CommandError::NoSuchKey);
    }
    let renamed = shard.peek(&to, now_ms).is_none() && shard.rename(&from, &to, now_ms)?;
    context.reply.count(usize::from(renamed));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn only_a_free_name_is_taken() {
        check(
            "
            SET a 1 -> +OK
            SET b 2 PX 100 -> +OK
            RENAMENX a b -> :0
            RENAMENX a a -> :0
            RENAMENX missing a -> -ERR no such key
            RENAMENX missing missing -> -ERR no such key
            @after 100
            RENAMENX a b -> :1
            GET b -> $1 1
            TTL b -> :-1
            ",
        );
    }
}
