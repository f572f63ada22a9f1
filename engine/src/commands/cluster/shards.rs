//! CLUSTER SHARDS: groups of nodes with the same data, and their slots. Operators ask for it on the shared port too, where
//! the nodes are the cores of the process.

use super::reached;
use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::resp::Arguments;

/// CLUSTER SHARDS.
pub const SPEC: Spec = Spec {
    name: "cluster|shards",
    arity: 2,
    flags: Flags::of(&[Flag::Loading, Flag::Stale]),
    tips: &["nondeterministic_output"],
    since: "7.0.0",
    group: Group::Cluster,
    summary: "Groups of nodes with the same data, and their slots.",
    complexity: "O(N) where N is the number of slots",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let (core, reply) = (&*context.core, &mut *context.reply);
    let (topology, reached) = (&core.topology, reached(core, context.session));
    reply.array(topology.nodes().count());
    for ((index, node), ranges) in topology.nodes().zip(topology.ranges_by_node()) {
        reply.map(2);
        reply.bulk("slots");
        reply.array(ranges.len() * 2);
        for range in ranges {
            reply.count(range.first().number());
            reply.count(range.last().number());
        }
        reply.bulk("nodes");
        // There are no replicas yet, so every group is one node.
        reply.array(1);
        let host = topology.host(index, reached);
        reply.map(7);
        let mut text = |name: &str, value: &str| {
            reply.bulk(name);
            reply.bulk(value);
        };
        text("id", node.id.as_str());
        text("ip", host);
        text("endpoint", host);
        text("role", "master");
        text("health", if topology.is_live(index) { "online" } else { "fail" });
        reply.bulk("port");
        reply.integer(node.port.into());
        reply.bulk("replication-offset");
        reply.integer(0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn a_group_for_each_core() {
        check(
            "
            @cores 2
            CLUSTER SHARDS -> *2 *4 $5 slots *2 :0 :8191 $5 nodes *1 *14 $2 id $40 ...$4 port :7000 ...*2 :8192 :16383 ...
            HELLO 3 -> ...
            CLUSTER SHARDS -> *2 %2 $5 slots *2 :0 :8191 $5 nodes *1 %7 ...
            ",
        );
    }
}
