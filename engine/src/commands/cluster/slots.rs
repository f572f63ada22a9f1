//! CLUSTER SLOTS: runs of slots and the node of each.

use super::reached;
use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::resp::Arguments;

/// CLUSTER SLOTS.
pub const SPEC: Spec = Spec {
    name: "cluster|slots",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    tips: &["nondeterministic_output"],
    since: "3.0.0",
    group: Group::Cluster,
    summary: "Runs of slots and the node of each.",
    complexity: "O(N) where N is the number of slots",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    super::check_enabled(context)?;
    let (core, reply) = (&*context.core, &mut *context.reply);
    let (topology, reached) = (&core.topology, reached(core, context.session));
    reply.array(topology.ranges().count());
    for (range, owner) in topology.ranges() {
        let node = topology.node(owner);
        reply.array(3);
        reply.count(range.first().number());
        reply.count(range.last().number());
        // The fourth place is for more about the address; there is nothing more.
        reply.array(4);
        reply.bulk(topology.host(owner, reached));
        reply.integer(node.port.into());
        reply.bulk(node.id.as_str());
        reply.array(0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn runs_with_their_node() {
        check(
            "
            @cores 2
            CLUSTER SLOTS -> *2 *3 :0 :8191 *4 $9 127.0.0.1 :7000 $40 ...*0 *3 :8192 :16383 *4 $9 127.0.0.1 :7001 ...
            ",
        );
    }
}
