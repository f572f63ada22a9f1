//! HSTRLEN: the length of a field's value.

use super::hash_of;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// HSTRLEN.
pub const SPEC: Spec = Spec {
    name: "hstrlen",
    arity: 3,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RO),
    since: "3.2.0",
    group: Group::Hash,
    summary: "The length of the value of a field of a hash.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let hash = hash_of(context.core.shard.find(&key, context.now.unix_ms))?;
    let field = hash.and_then(|hash| hash.field(arguments.at(2)));
    context.reply.count(field.map_or(0, |field| field.value.len()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn measures_the_value() {
        check(
            r#"
            HSTRLEN h f -> :0
            HSET h f hello g '' i -12 -> :3
            HSTRLEN h f -> :5
            HSTRLEN h g -> :0
            HSTRLEN h i -> :3
            HSTRLEN h x -> :0
            SET s v -> +OK
            HSTRLEN s f -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
