//! CLIENT UNPAUSE: ends CLIENT PAUSE.

use crate::commands::{
    Categories, Category, CommandError, Context, Flag, Flags, Gather, Group, PartContext, Route, Spec,
    run_gather,
};
use crate::resp::Arguments;

/// CLIENT UNPAUSE.
pub const SPEC: Spec = Spec {
    name: "client|unpause",
    arity: 2,
    flags: Flags::of(&[Flag::Admin, Flag::NoScript, Flag::Loading, Flag::Stale]),
    acl: Categories::of(&[Category::Connection]),
    since: "6.2.0",
    group: Group::Connection,
    summary: "Ends CLIENT PAUSE.",
    route: Route::Gather(Gather { part, merge }),
    run: run_gather,
    ..Spec::BASE
};

fn part(context: &mut PartContext<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    context.core.pause.end();
    Ok(())
}

fn merge(
    context: &mut Context<'_>,
    _arguments: &Arguments<'_>,
    _parts: &[Vec<u8>],
) -> Result<(), CommandError> {
    context.reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn ends_the_pause() {
        check(
            r#"
            CLIENT UNPAUSE -> +OK
            CLIENT PAUSE 1000 -> +OK
            2> PING -> (held)
            2> CLIENT UNPAUSE -> +OK
            2> PING -> +PONG
            "#,
        );
    }
}
