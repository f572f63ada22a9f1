//! HINCRBY: adds to the integer in a field; its expiry stays.

use super::hash_of;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::number::parse_i64;
use crate::resp::{Arguments, Digits};
use crate::shard::Expiry;

/// HINCRBY.
pub const SPEC: Spec = Spec {
    name: "hincrby",
    arity: 4,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RW.and(Access::ACCESS).and(Access::UPDATE)),
    since: "2.0.0",
    group: Group::Hash,
    summary: "Adds to the integer in a field of a hash; a missing one counts as 0.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let name = arguments.at(2);
    let by = parse_i64(arguments.at(3)).ok_or(CommandError::NotInteger)?;
    let mut write = context.core.shard.write(&key, context.now.unix_ms);
    let old = match hash_of(write.entry())?.and_then(|hash| hash.field(name)) {
        None => 0,
        Some(field) => {
            field.value.integer().ok_or(CommandError::Static("ERR hash value is not an integer"))?
        }
    };
    let overflow = CommandError::Static("ERR increment or decrement would overflow");
    let new = old.checked_add(by).ok_or(overflow)?;
    write.hash_set(name, Digits::of(new).as_bytes(), Expiry::Keep)?;
    drop(write);
    context.reply.integer(new);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn adds_and_keeps_the_expiry() {
        check(
            r#"
            HINCRBY h n 5 -> :5
            HINCRBY h n -15 -> :-10
            HGET h n -> $3 -10
            HPEXPIRE h 10 FIELDS 1 n -> *1 :1
            HINCRBY h n 100 -> :90
            HPTTL h FIELDS 1 n -> *1 :10
            @after 10
            HINCRBY h n 1 -> :1
            HTTL h FIELDS 1 n -> *1 :-1
            "#,
        );
    }

    #[test]
    fn refuses_what_is_no_integer() {
        check(
            r#"
            HSET h t text p ' 1' max 9223372036854775807 min -9223372036854775808 -> :4
            HINCRBY h t 1 -> -ERR hash value is not an integer
            HINCRBY h p 1 -> -ERR hash value is not an integer
            HINCRBY h n 1.5 -> -ERR value is not an integer or out of range
            HINCRBY h max 1 -> -ERR increment or decrement would overflow
            HINCRBY h min -1 -> -ERR increment or decrement would overflow
            HINCRBY h max -9223372036854775808 -> :-1
            HINCRBY h n -> -ERR wrong number of arguments for 'hincrby' command
            SET s v -> +OK
            HINCRBY s n x -> -ERR value is not an integer or out of range
            HINCRBY s n 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
