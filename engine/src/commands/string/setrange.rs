//! SETRANGE: overwrites a part of a string.

use super::value::{self, check_length, length_max};
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::number::parse_i64;
use crate::resp::Arguments;

/// SETRANGE.
pub const SPEC: Spec = Spec {
    name: "setrange",
    arity: 4,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::RW.and(Access::UPDATE)),
    since: "2.2.0",
    group: Group::String,
    summary: "Overwrites a part of the string that a key holds; a gap is filled with zero bytes.",
    complexity: "O(N) where N is the length of the part, and of the gap.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let offset = parse_i64(arguments.at(2)).ok_or(CommandError::NotInteger)?;
    let offset = usize::try_from(offset).map_err(|_| CommandError::Static("ERR offset is out of range"))?;
    let bytes = arguments.at(3);
    let key = context.key(arguments.at(1))?;
    let length_max = length_max(context);
    let mut write = context.write(&key);
    let length = value::text_of(write.entry())?.map_or(0, |text| text.len());
    let length = if bytes.is_empty() {
        length
    } else {
        check_length(offset, bytes.len(), length_max)?;
        write.set_range(offset, bytes)?
    };
    drop(write);
    context.reply.count(length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;
    use crate::commands::testing::check;

    #[test]
    fn parts_are_overwritten_and_gaps_filled() {
        check(
            r#"
            SETRANGE k 5 "" -> :0
            GET k -> $-1
            SETRANGE k 3 abc -> :6
            GET k -> $6 \x00\x00\x00abc
            SETRANGE k 0 xyz -> :6
            GET k -> $6 xyzabc
            SETRANGE k 5 def -> :8
            GET k -> $8 xyzabdef
            SETRANGE k 100 "" -> :8
            SET k 12345 PX 10 -> +OK
            SETRANGE k 1 99 -> :5
            GET k -> $5 19945
            INCR k -> :19946
            @after 10
            GET k -> $-1
            "#,
        );
    }

    #[test]
    fn offsets_have_bounds() {
        with_hash("h").check(
            r#"
            SETRANGE k -1 x -> -ERR offset is out of range
            SETRANGE k abc x -> -ERR value is not an integer or out of range
            SETRANGE k 536870911 "" -> :0
            SETRANGE k 536870912 x -> -ERR string exceeds maximum allowed size (proto-max-bulk-len)
            SETRANGE k 9223372036854775807 x -> -ERR string exceeds maximum allowed size (proto-max-bulk-len)
            SETRANGE k 9223372036854775808 x -> -ERR value is not an integer or out of range
            GET k -> $-1
            SETRANGE h 0 "" -> -WRONGTYPE Operation against a key holding the wrong kind of value
            SETRANGE h 0 x -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#,
        );
    }

    #[test]
    fn a_string_may_become_large() {
        let value = "x".repeat(300_000);
        check(&format!(
            "
            SET k {value} -> +OK
            SETRANGE k 299999 yz -> :300001
            GETRANGE k 299998 -1 -> $3 xyz
            SET k a -> +OK
            SETRANGE k 10000 {value} -> :310000
            GETRANGE k 0 1 -> $2 a\\x00
            GETRANGE k 9999 10000 -> $2 \\x00x
            STRLEN k -> :310000
            "
        ));
    }
}
