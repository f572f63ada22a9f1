//! CLUSTER INFO: whether the slots are served, and by how many nodes.

use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::resp::Arguments;

/// CLUSTER INFO.
pub const SPEC: Spec = Spec {
    name: "cluster|info",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    tips: &["nondeterministic_output"],
    since: "3.0.0",
    group: Group::Cluster,
    summary: "Whether the slots are served, and by how many nodes.",
    complexity: "O(N) where N is the number of slots",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    super::check_enabled(context)?;
    let core = &*context.core;
    let text = core.topology.info_text(core.is_serving, core.config.cluster_require_full_coverage);
    context.reply.verbatim("txt", text);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn all_slots_are_served() {
        check(
            "
            @cores 2
            CLUSTER INFO -> $...cluster_state:ok cluster_slots_assigned:16384 ...cluster_known_nodes:2 ...
            ",
        );
    }
}
