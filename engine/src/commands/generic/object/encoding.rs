//! OBJECT ENCODING: the form in which a value is kept, in Redis' words.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// OBJECT ENCODING.
pub const SPEC: Spec = Spec {
    name: "object|encoding",
    syntax: "key",
    arity: 3,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::one(2, Access::RO),
    tips: &["nondeterministic_output"],
    since: "2.2.3",
    group: Group::Generic,
    summary: "The form in which a value is kept, in Redis' words.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(2))?;
    let encoding = context.look(&key).map(|entry| entry.encoding());
    context.reply.bulk_or_null(encoding);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn names_the_form() {
        check(
            "
            SET i 1 -> +OK
            SET s hello -> +OK
            SET l 123456789012345678901234567890123456789012345 -> +OK
            OBJECT ENCODING i -> $3 int
            OBJECT ENCODING s -> $6 embstr
            OBJECT ENCODING l -> $3 raw
            HSET h f v -> :1
            OBJECT ENCODING h -> $8 listpack
            OBJECT ENCODING missing -> $-1
            ",
        );
    }
}
