//! CLUSTER NODES: nodes and their slots, a line for each.

use super::reached;
use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::resp::Arguments;

/// CLUSTER NODES.
pub const SPEC: Spec = Spec {
    name: "cluster|nodes",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    tips: &["nondeterministic_output"],
    since: "3.0.0",
    group: Group::Cluster,
    summary: "Nodes and their slots, a line for each.",
    complexity: "O(N) where N is the number of slots",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    super::check_enabled(context)?;
    let core = &*context.core;
    context.reply.verbatim("txt", core.topology.nodes_text(reached(core, context.session)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn a_line_for_each() {
        check(
            "
            @cores 2
            CLUSTER NODES -> $... 127.0.0.1:7000@0 myself,master - 0 0 1 connected 0-8191...127.0.0.1:7001@0 master ...
            ",
        );
    }
}
