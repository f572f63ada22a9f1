//! HINCRBYFLOAT: adds to the number in a field; its expiry stays.

use super::hash_of;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::number::Decimal;
use crate::resp::Arguments;
use crate::shard::Expiry;

/// HINCRBYFLOAT.
pub const SPEC: Spec = Spec {
    name: "hincrbyfloat",
    arity: 4,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::Fast]),
    acl: Categories::of(&[Category::Hash]),
    keys: Keys::one(1, Access::RW.and(Access::ACCESS).and(Access::UPDATE)),
    since: "2.6.0",
    group: Group::Hash,
    summary: "Adds to the number in a field of a hash; a missing one counts as 0.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let name = arguments.at(2);
    let by = Decimal::parse(arguments.at(3)).ok_or(CommandError::NotFloat)?;
    if by.as_f64().is_infinite() {
        return Err(CommandError::Static("ERR value is NaN or Infinity"));
    }
    let mut write = context.core.shard.write(&key, context.now.unix_ms);
    let old = match hash_of(write.entry())?.and_then(|hash| hash.field(name)) {
        None => Decimal::Exact(0),
        Some(field) => Decimal::parse(&field.value.bytes())
            .ok_or(CommandError::Static("ERR hash value is not a float"))?,
    };
    let sum = old.plus(by).ok_or(CommandError::Static("ERR increment would produce NaN or Infinity"))?;
    let text = sum.to_text();
    write.hash_set(name, text.as_bytes(), Expiry::Keep)?;
    drop(write);
    context.reply.bulk(text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn adds_and_keeps_the_expiry() {
        check(
            r#"
            HINCRBYFLOAT h n 10.5 -> $4 10.5
            HINCRBYFLOAT h n 0.1 -> $4 10.6
            HINCRBYFLOAT h n -10.6 -> $1 0
            HINCRBYFLOAT h n 5e3 -> $4 5000
            HPEXPIRE h 10 FIELDS 1 n -> *1 :1
            HINCRBYFLOAT h n 1 -> $4 5001
            HPTTL h FIELDS 1 n -> *1 :10
            "#,
        );
    }

    #[test]
    fn refuses_what_is_no_number() {
        check(
            r#"
            HSET h t text p ' 1' i inf -> :3
            HINCRBYFLOAT h t 1 -> -ERR hash value is not a float
            HINCRBYFLOAT h p 1 -> -ERR hash value is not a float
            HINCRBYFLOAT h n x -> -ERR value is not a valid float
            HINCRBYFLOAT h n inf -> -ERR value is NaN or Infinity
            HINCRBYFLOAT h i 1 -> -ERR increment would produce NaN or Infinity
            SET s v -> +OK
            HINCRBYFLOAT s n x -> -ERR value is not a valid float
            HINCRBYFLOAT s n 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }
}
