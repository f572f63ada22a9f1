//! CLUSTER MYID: the id of this core as a node.

use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::resp::Arguments;

/// CLUSTER MYID.
pub const SPEC: Spec = Spec {
    name: "cluster|myid",
    arity: 2,
    flags: Flags::of(&[Flag::Stale]),
    since: "3.0.0",
    group: Group::Cluster,
    summary: "The id of this core as a node.",
    complexity: "O(1)",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, _arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let topology = &context.core.topology;
    context.reply.bulk(topology.node(topology.myself()).id.as_str());
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Bench;

    #[test]
    fn it_is_the_id_in_nodes() {
        let mut bench = Bench::default();
        bench.check("@cores 2");
        let answer = bench.ask(1, "CLUSTER MYID");
        let id = answer.strip_prefix("$40 ").unwrap();
        bench.check(&format!("CLUSTER NODES -> $...{id} 127.0.0.1:7000@0 myself,master ..."));
    }
}
