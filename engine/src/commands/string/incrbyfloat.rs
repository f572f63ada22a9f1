//! INCRBYFLOAT: adds to a number with a fraction.

use super::value;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::number::Decimal;
use crate::resp::Arguments;
use crate::shard::Expiry;

/// INCRBYFLOAT.
pub const SPEC: Spec = Spec {
    name: "incrbyfloat",
    arity: 3,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::RW.and(Access::ACCESS).and(Access::UPDATE)),
    since: "2.6.0",
    group: Group::String,
    summary: "Adds to the number that a key holds; a missing key holds 0.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let mut write = context.write(&key);
    let old = match value::text_of(write.entry())? {
        None => Decimal::parse(b"0"),
        Some(text) => Decimal::parse(&text.bytes()),
    };
    let old = old.ok_or(CommandError::NotFloat)?;
    let increment = Decimal::parse(arguments.at(2)).ok_or(CommandError::NotFloat)?;
    let sum = old
        .plus(increment)
        .ok_or(CommandError::Static("ERR increment would produce NaN or Infinity"))?
        .to_text();
    write.set(sum.as_bytes(), Expiry::Keep)?;
    drop(write);
    context.reply.bulk(sum);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;
    use crate::commands::testing::check;

    #[test]
    fn fractions_are_added() {
        check(
            r#"
            INCRBYFLOAT k 1.5 -> $3 1.5
            INCRBYFLOAT k -0.5 -> $1 1
            INCR k -> :2
            SET k 10.50 -> +OK
            INCRBYFLOAT k 0.1 -> $4 10.6
            GET k -> $4 10.6
            SET k 3.0e3 PX 10 -> +OK
            INCRBYFLOAT k 200 -> $4 3200
            @after 10
            INCRBYFLOAT k 1e17 -> $18 100000000000000000
            INCRBYFLOAT k 3 -> $18 100000000000000003
            SET k 0.1 -> +OK
            INCRBYFLOAT k 0.2 -> $3 0.3
            SET k 5.0e-324 -> +OK
            INCRBYFLOAT k 0 -> $1 0
            "#,
        );
    }

    #[test]
    fn only_finite_numbers_are_added() {
        with_hash("h").check(
            r#"
            INCRBYFLOAT h abc -> -WRONGTYPE Operation against a key holding the wrong kind of value
            SET k abc -> +OK
            INCRBYFLOAT k 1 -> -ERR value is not a valid float
            SET k " 1" -> +OK
            INCRBYFLOAT k 1 -> -ERR value is not a valid float
            SET k 1 -> +OK
            INCRBYFLOAT k abc -> -ERR value is not a valid float
            INCRBYFLOAT k nan -> -ERR value is not a valid float
            INCRBYFLOAT k inf -> -ERR increment would produce NaN or Infinity
            INCRBYFLOAT k -inf -> -ERR increment would produce NaN or Infinity
            GET k -> $1 1
            SET k 1.7e308 -> +OK
            INCRBYFLOAT k 1.7e308 -> -ERR increment would produce NaN or Infinity
            "#,
        );
    }
}
