//! CLIENT SETNAME: names the connection.

use super::check_name;
use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// CLIENT SETNAME.
pub const SPEC: Spec = Spec {
    name: "client|setname",
    syntax: "connection-name",
    arity: 3,
    flags: Flags::of(&[Flag::NoScript, Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "2.6.9",
    group: Group::Connection,
    summary: "Names this connection; an empty name takes the name away.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let name = arguments.at(2);
    check_name(name)?;
    context.session.name = name.to_vec();
    context.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn names_are_words() {
        check(
            r#"
            CLIENT SETNAME me -> +OK
            CLIENT SETNAME "a b" -> -ERR Client names cannot contain spaces, newlines or special characters.
            CLIENT SETNAME "a\n" -> -ERR Client names cannot contain spaces, newlines or special characters.
            CLIENT GETNAME -> $2 me
            CLIENT SETNAME "" -> +OK
            CLIENT GETNAME -> $-1
            "#,
        );
    }
}
