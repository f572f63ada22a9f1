//! ECHO: says the message back.

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;

/// ECHO.
pub const SPEC: Spec = Spec {
    name: "echo",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale, Flag::Fast]),
    acl: Categories::of(&[Category::Connection]),
    since: "1.0.0",
    group: Group::Connection,
    summary: "Says the message back.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.reply.bulk(arguments.at(1));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn says_it_back() {
        check(r#"ECHO "" -> $0"#);
        check(r#"ECHO "a\r\nb" -> $4 a b"#);
    }
}
