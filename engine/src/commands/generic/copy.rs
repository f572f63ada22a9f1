//! COPY: gives a value a second key.

use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, KeySpec, Keys, Route, Spec,
};
use crate::resp::Arguments;

use crate::number::parse_i64;

/// COPY.
pub const SPEC: Spec = Spec {
    name: "copy",
    arity: -3,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom]),
    acl: Categories::of(&[Category::Keyspace]),
    keys: Keys::Rules(&[KeySpec::one(1, Access::READ), KeySpec::one(2, Access::OW.and(Access::UPDATE))]),
    since: "6.2.0",
    group: Group::Generic,
    summary: "Gives a value a second key.",
    complexity: "O(N) where N is the number of fields or members; O(1) for strings of ordinary size",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let replace = parse(&arguments.from(3))?;
    let (from, to) = (context.key(arguments.at(1))?, context.key(arguments.at(2))?);
    if from.bytes() == to.bytes() {
        return Err(CommandError::Static("ERR source and destination objects are the same"));
    }
    let now_ms = context.now.unix_ms;
    let there = context.find(&from).is_some();
    let shard = &mut context.core.shard;
    let free = replace || shard.peek(&to, now_ms).is_none();
    let copied = there && free && shard.copy(&from, &to, now_ms)?;
    context.reply.count(usize::from(copied));
    Ok(())
}

/// Whether REPLACE is among the options.
fn parse(options: &Arguments<'_>) -> Result<bool, CommandError> {
    let mut replace = false;
    let mut at = 0;
    while at < options.len() {
        if options.is(at, "REPLACE") {
            replace = true;
            at += 1;
        } else if options.is(at, "DB") && at + 1 < options.len() {
            match parse_i64(options.at(at + 1)).ok_or(CommandError::NotInteger)? {
                0 => {}
                number if i32::try_from(number).is_ok() => {
                    return Err(CommandError::Static("ERR DB index is out of range"));
                }
                _ => {
                    return Err(CommandError::Static(
                        "ERR value is out of range, value must between -2147483648 and 2147483647",
                    ));
                }
            }
            at += 2;
        } else {
            return Err(CommandError::Syntax);
        }
    }
    Ok(replace)
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn both_have_the_value() {
        check(
            "
            SET a 1 PX 100 -> +OK
            SET b 2 -> +OK
            COPY a b -> :0
            GET b -> $1 2
            COPY a b REPLACE -> :1
            GET b -> $1 1
            PTTL b -> :100
            COPY a c DB 0 -> :1
            GET c -> $1 1
            SET c 0 -> +OK
            GET a -> $1 1
            HSET h f v -> :1
            COPY h b REPLACE -> :1
            HGET b f -> $1 v
            COPY missing b REPLACE -> :0
            EXISTS b -> :1
            ",
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        check(
            "
            COPY a a -> -ERR source and destination objects are the same
            COPY a b x -> -ERR syntax error
            COPY a b DB -> -ERR syntax error
            COPY a b DB x -> -ERR value is not an integer or out of range
            COPY a b DB 1 -> -ERR DB index is out of range
            COPY a b DB 99999999999 -> -ERR value is out of range, value must between -2147483648 and 2147483647
            ",
        );
    }
}
