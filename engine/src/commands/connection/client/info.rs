//! CLIENT INFO: this connection's line of CLIENT LIST.

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;
use crate::session::describe;

/// CLIENT INFO.
pub const SPEC: Spec = Spec {
    name: "client|info",
    arity: 2,
    flags: Flags::of(&[Flag::NoScript, Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    tips: &["nondeterministic_output"],
    since: "6.2.0",
    group: Group::Connection,
    summary: "What is known about this connection.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let line = describe(context.session, context.now) + "\n";
    context.reply.verbatim("txt", line);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn shows_this_connection() {
        check(
            r#"
            CLIENT SETNAME me -> +OK
            CLIENT INFO -> $...id=1 addr=127.0.0.1:50001 laddr=127.0.0.1:6379 ... name=me age=0 idle=0 flags=N ... cmd=client|info ... resp=2 ...
            @after 2500
            HELLO 3 -> %7 ...
            CLIENT INFO -> =...txt:id=1 ... age=2 idle=0 ... resp=3 ...
            "#,
        );
    }
}
