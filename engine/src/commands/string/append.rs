//! APPEND: adds to the end of a string.

use super::value::{self, check_length, length_max};
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;
use crate::shard::Expiry;

/// APPEND.
pub const SPEC: Spec = Spec {
    name: "append",
    arity: 3,
    flags: Flags::of(&[Flag::Write, Flag::DenyOom, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::RW.and(Access::INSERT)),
    since: "2.0.0",
    group: Group::String,
    summary: "Adds to the end of the string that a key holds; a missing key holds nothing.",
    complexity: "O(N) where N is the length of what is added.",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let bytes = arguments.at(2);
    let length_max = length_max(context);
    let mut write = context.write(&key);
    let length = match value::text_of(write.entry())?.map(|text| text.len()) {
        None => {
            write.set(bytes, Expiry::Clear)?;
            bytes.len()
        }
        Some(length) => {
            check_length(length, bytes.len(), length_max)?;
            if bytes.is_empty() { length } else { write.append(bytes)? }
        }
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
    fn strings_grow_at_the_end() {
        check(
            r#"
            APPEND k "" -> :0
            GET k -> $0
            APPEND k hello -> :5
            APPEND k " world" -> :11
            GET k -> $11 hello world
            APPEND k "" -> :11
            SET n 12 PX 10 -> +OK
            APPEND n 3 -> :3
            GET n -> $3 123
            APPEND n x -> :4
            @after 10
            GET n -> $-1
            "#,
        );
    }

    #[test]
    fn a_string_may_become_large() {
        let (value, whole) = ("x".repeat(6_000), "x".repeat(18_000));
        check(&format!(
            "
            APPEND k {value} -> :6000
            APPEND k {value} -> :12000
            APPEND k {value} -> :18000
            GET k -> $18000 {whole}
            "
        ));
    }

    #[test]
    fn other_types_are_refused() {
        with_hash("h")
            .check("APPEND h x -> -WRONGTYPE Operation against a key holding the wrong kind of value");
    }
}
