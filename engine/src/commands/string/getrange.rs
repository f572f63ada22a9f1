//! GETRANGE: a part of a string.

use super::value;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use std::ops::Range;

use crate::number::parse_i64;
use crate::resp::Arguments;

/// GETRANGE.
pub const SPEC: Spec = Spec {
    name: "getrange",
    arity: 4,
    flags: Flags::of(&[Flag::Readonly]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::READ),
    since: "2.4.0",
    group: Group::String,
    summary: "Answers a part of the string that a key holds.",
    complexity: "O(N) where N is the length of the part.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

/// Also the code of SUBSTR.
pub fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let first = parse_i64(arguments.at(2)).ok_or(CommandError::NotInteger)?;
    let last = parse_i64(arguments.at(3)).ok_or(CommandError::NotInteger)?;
    let key = context.key(arguments.at(1))?;
    match value::text_of(context.core.shard.find(&key, context.now.unix_ms))? {
        None => context.reply.bulk(b""),
        Some(text) => {
            let range = range_of(first, last, text.len());
            value::bulk_range(context.reply, text, range);
        }
    }
    Ok(())
}

/// The bytes from the first to the last, both included; negative places count from the end.
fn range_of(first: i64, last: i64, length: usize) -> Range<usize> {
    if first < 0 && last < 0 && first > last {
        return 0..0;
    }
    let place = |at: i64| match usize::try_from(at) {
        Ok(at) => at,
        Err(_) => length.saturating_sub(at.unsigned_abs() as usize),
    };
    let (start, end) = (place(first), place(last).saturating_add(1).min(length));
    if start < end { start..end } else { 0..0 }
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;
    use crate::commands::testing::check;

    #[test]
    fn places_count_from_either_end() {
        check(
            r#"
            GETRANGE k 0 1 -> $0
            SET k "hello world" -> +OK
            GETRANGE k 0 -1 -> $11 hello world
            GETRANGE k -3 -1 -> $3 rld
            GETRANGE k -1 -3 -> $0
            GETRANGE k 5 3 -> $0
            GETRANGE k 4 4 -> $1 o
            GETRANGE k -100 3 -> $4 hell
            GETRANGE k -100 -90 -> $1 h
            GETRANGE k -100 -200 -> $0
            GETRANGE k 100 200 -> $0
            GETRANGE k 10 9223372036854775807 -> $1 d
            GETRANGE k -9223372036854775808 -11 -> $1 h
            SET k -12345 -> +OK
            GETRANGE k 0 2 -> $3 -12
            SET k "" -> +OK
            GETRANGE k 0 -1 -> $0
            "#,
        );
    }

    #[test]
    fn parts_of_large_values_are_right() {
        let value: String = (0..600_000u32).map(|at| char::from(b'a' + (at / 7 % 26) as u8)).collect();
        let part = |first: usize, last: usize| format!("${} {}", last - first + 1, &value[first..=last]);
        check(&format!(
            "
            SET k {value} -> +OK
            GETRANGE k 0 0 -> {}
            GETRANGE k 262140 262150 -> {}
            GETRANGE k 100 299999 -> {}
            GETRANGE k 262144 524287 -> {}
            GETRANGE k -10 -1 -> {}
            ",
            part(0, 0),
            part(262_140, 262_150),
            part(100, 299_999),
            part(262_144, 524_287),
            part(599_990, 599_999),
        ));
    }

    #[test]
    fn places_are_read_before_the_key() {
        with_hash("h").check(
            "
            GETRANGE h a 1 -> -ERR value is not an integer or out of range
            GETRANGE h 0 a -> -ERR value is not an integer or out of range
            GETRANGE h 0 1 -> -WRONGTYPE Operation against a key holding the wrong kind of value
            GETRANGE h 0 -> -ERR wrong number of arguments for 'getrange' command
            ",
        );
    }
}
