//! TYPE: the type of a value.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// TYPE.
pub const SPEC: Spec = Spec {
    name: "type",
    arity: 2,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(1, Access::RO),
    since: "1.0.0",
    group: Group::Generic,
    summary: "The type of a value.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let name = context.look(&key).map_or("none", |entry| entry.kind().name());
    context.reply.simple(name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn names_the_type() {
        check(
            "
            SET s 1 -> +OK
            HSET h f v -> :1
            TYPE s -> +string
            TYPE h -> +hash
            TYPE missing -> +none
            ",
        );
    }
}
