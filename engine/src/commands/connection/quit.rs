//! QUIT: closes the connection once its replies are sent.

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Spec};
use crate::resp::Arguments;
use crate::session::Closing;

/// QUIT.
pub const SPEC: Spec = Spec {
    name: "quit",
    arity: -1,
    flags: Flags::of(&[
        Flag::NoScript,
        Flag::Loading,
        Flag::Stale,
        Flag::Fast,
        Flag::NoAuth,
        Flag::AllowBusy,
    ]),
    acl: Categories::of(&[Category::Connection]),
    since: "1.0.0",
    group: Group::Connection,
    summary: "Closes the connection once its replies are sent.",
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.session.closing = Some(Closing::AfterReply);
    context.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn closes_the_connection() {
        check(
            r#"
            CLIENT ID -> :1
            QUIT -> +OK
            CLIENT ID -> :2
            QUIT now -> +OK
            "#,
        );
    }
}
