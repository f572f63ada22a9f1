//! INCR: adds one to an integer.

use super::value;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;
use crate::shard::Expiry;

/// INCR.
pub const SPEC: Spec = Spec {
    name: "incr",
    arity: 2,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::RW.and(Access::ACCESS).and(Access::UPDATE)),
    since: "1.0.0",
    group: Group::String,
    summary: "Adds one to the integer that a key holds; a missing key holds 0.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    add(context, arguments.at(1), 1)
}

/// Adds to the integer that a key holds and answers the sum. The key keeps its expiry.
pub fn add(context: &mut Context<'_>, key: &[u8], increment: i64) -> Result<(), CommandError> {
    let key = context.key(key)?;
    let mut write = context.write(&key);
    let old = match value::text_of(write.entry())? {
        None => 0,
        Some(text) => text.integer().ok_or(CommandError::NotInteger)?,
    };
    let sum = old
        .checked_add(increment)
        .ok_or(CommandError::Static("ERR increment or decrement would overflow"))?;
    write.set_integer(sum, Expiry::Keep)?;
    drop(write);
    context.reply.integer(sum);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;
    use crate::commands::testing::check;

    #[test]
    fn integers_are_counted_up() {
        check(
            "
            INCR k -> :1
            INCR k -> :2
            GET k -> $1 2
            SET k -1 PX 10 -> +OK
            INCR k -> :0
            INCR k -> :1
            @after 10
            INCR k -> :1
            SET k 9223372036854775806 -> +OK
            INCR k -> :9223372036854775807
            INCR k -> -ERR increment or decrement would overflow
            GET k -> $19 9223372036854775807
            ",
        );
    }

    #[test]
    fn only_integers_are_counted() {
        with_hash("h").check(
            r#"
            INCR h -> -WRONGTYPE Operation against a key holding the wrong kind of value
            SET k abc -> +OK
            INCR k -> -ERR value is not an integer or out of range
            SET k "1 " -> +OK
            INCR k -> -ERR value is not an integer or out of range
            SET k " 1" -> +OK
            INCR k -> -ERR value is not an integer or out of range
            SET k 01 -> +OK
            INCR k -> -ERR value is not an integer or out of range
            SET k +1 -> +OK
            INCR k -> -ERR value is not an integer or out of range
            SET k -0 -> +OK
            INCR k -> -ERR value is not an integer or out of range
            SET k 9223372036854775808 -> +OK
            INCR k -> -ERR value is not an integer or out of range
            SET k "" -> +OK
            INCR k -> -ERR value is not an integer or out of range
            SET k 1.0 -> +OK
            INCR k -> -ERR value is not an integer or out of range
            "#,
        );
    }

    #[test]
    fn a_number_that_was_written_in_pieces_counts() {
        check(
            "
            APPEND k 1 -> :1
            APPEND k 2 -> :2
            INCR k -> :13
            APPEND k 0 -> :3
            INCR k -> :131
            ",
        );
    }
}
