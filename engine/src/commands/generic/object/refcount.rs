//! OBJECT REFCOUNT: how many keys share a value, which is always one.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// OBJECT REFCOUNT.
pub const SPEC: Spec = Spec {
    name: "object|refcount",
    syntax: "key",
    arity: 3,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(2, Access::RO),
    tips: &["nondeterministic_output"],
    since: "2.2.3",
    group: Group::Generic,
    summary: "How many keys share the value.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

/// Values are not shared between keys.
const REFERENCES: i64 = 1;

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(2))?;
    match context.look(&key).is_some() {
        true => context.reply.integer(REFERENCES),
        false => context.reply.null(),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn values_are_not_shared() {
        check(
            "
            SET k 1 -> +OK
            OBJECT REFCOUNT k -> :1
            OBJECT REFCOUNT missing -> $-1
            ",
        );
    }
}
