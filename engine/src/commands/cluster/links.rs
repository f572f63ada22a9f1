//! CLUSTER LINKS: connections between nodes for gossip; there is no gossip.

use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::resp::Arguments;

/// CLUSTER LINKS.
pub const SPEC: Spec = Spec {
    name: "cluster|links",
    arity: 2,
    flags: Flags::of(&[Flag::Stale]),
    tips: &["nondeterministic_output"],
    since: "7.0.0",
    group: Group::Cluster,
    summary: "Connections between nodes for gossip; there is no gossip, so there are none.",
    complexity: "O(1)",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    super::check_enabled(context)?;
    context.reply.array(0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn there_are_none() {
        check(
            "
            @cores 2
            CLUSTER LINKS -> *0
            ",
        );
    }
}
