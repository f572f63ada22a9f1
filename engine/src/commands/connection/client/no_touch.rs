//! CLIENT NO-TOUCH: keeps this connection's reads from counting as uses of keys.

use super::on_or_off;
use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// CLIENT NO-TOUCH.
pub const SPEC: Spec = Spec {
    name: "client|no-touch",
    syntax: "<ON | OFF>",
    arity: 3,
    flags: Flags::of(&[Flag::NoScript, Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "7.2.0",
    group: Group::Connection,
    summary: "Keeps this connection's reads from counting as uses of keys.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.session.no_touch = on_or_off(arguments.at(2))?;
    context.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn is_a_flag_of_the_connection() {
        check(
            r#"
            CLIENT NO-TOUCH on -> +OK
            CLIENT INFO -> ... flags=T ...
            CLIENT NO-TOUCH OFF -> +OK
            CLIENT INFO -> ... flags=N ...
            CLIENT NO-TOUCH maybe -> -ERR syntax error
            "#,
        );
    }
}
