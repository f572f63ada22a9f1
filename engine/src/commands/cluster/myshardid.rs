//! CLUSTER MYSHARDID: the id of the group of replicas that this core belongs to.

use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::resp::Arguments;

/// CLUSTER MYSHARDID.
pub const SPEC: Spec = Spec {
    name: "cluster|myshardid",
    arity: 2,
    flags: Flags::of(&[Flag::Stale]),
    tips: &["nondeterministic_output"],
    since: "7.2.0",
    group: Group::Cluster,
    summary: "The id of the group of replicas that this core belongs to; it is alone in it.",
    complexity: "O(1)",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    super::check_enabled(context)?;
    let topology = &context.core.topology;
    context.reply.bulk(topology.node(topology.myself()).shard.as_str());
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Bench;

    #[test]
    fn it_is_not_the_node_id() {
        let mut bench = Bench::default();
        bench.check("@cores 2");
        let (shard, node) = (bench.ask(1, "CLUSTER MYSHARDID"), bench.ask(1, "CLUSTER MYID"));
        assert!(shard.starts_with("$40 ") && shard != node);
    }
}
