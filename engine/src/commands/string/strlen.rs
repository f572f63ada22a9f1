//! STRLEN: the length of a string.

use super::value;
use crate::commands::{
    Access, Categories, Category, CommandError, Context, Flag, Flags, Group, Keys, Route, Spec,
};
use crate::resp::Arguments;

/// STRLEN.
pub const SPEC: Spec = Spec {
    name: "strlen",
    arity: 2,
    flags: Flags::of(&[Flag::Readonly, Flag::Fast]),
    acl: Categories::of(&[Category::String]),
    keys: Keys::one(1, Access::RO),

    since: "2.2.0",
    group: Group::String,
    summary: "Answers the length of the string that a key holds.",
    complexity: "O(1)",
    route: Route::Keys,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let key = context.key(arguments.at(1))?;
    let length = value::text_of(context.find(&key))?.map_or(0, |text| text.len());
    context.reply.count(length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::string::value::with_hash;

    #[test]
    fn lengths_are_in_bytes() {
        let large = "x".repeat(300_000);
        with_hash("h").check(&format!(
            r#"
            STRLEN k -> :0
            SET k hello -> +OK
            STRLEN k -> :5
            SET k "" -> +OK
            STRLEN k -> :0
            SET k -1234567 -> +OK
            STRLEN k -> :8
            SET k "\xc3\xa4\x00" -> +OK
            STRLEN k -> :3
            SET k {large} -> +OK
            STRLEN k -> :300000
            STRLEN h -> -WRONGTYPE Operation against a key holding the wrong kind of value
            "#
        ));
    }
}
