//! CLUSTER LINK: makes the connection a link, on which another node sends frames of a move.

use crate::commands::{Categories, Category, CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::core::Action;
use crate::number::parse_i64;
use crate::resp::Arguments;
use crate::topology::NodeId;

/// CLUSTER LINK.
pub const SPEC: Spec = Spec {
    name: "cluster|link",
    syntax: "version source-id target-id",
    arity: 5,
    flags: Flags::of(&[Flag::Admin]),
    acl: Categories::of(&[Category::Dangerous]),
    since: "9.0.0",
    group: Group::Cluster,
    summary: "For nodes: makes the connection a link, on which slots come to this node.",
    route: Route::Local,
    run,
    ..Spec::BASE
};

/// The version of what nodes say to one another on a link.
pub const LINK_VERSION: i64 = 1;

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    super::check_enabled(context)?;
    let version = parse_i64(arguments.at(2)).ok_or(CommandError::NotInteger)?;
    if version != LINK_VERSION {
        return Err(CommandError::Text(format!(
            "ERR This node speaks version {LINK_VERSION} on links, not {version}"
        )));
    }
    let node =
        |at: usize| NodeId::parse(arguments.at(at)).ok_or(CommandError::Static("ERR Invalid node name"));
    let (source, target) = (node(3)?, node(4)?);
    let topology = &context.core.topology;
    if target != topology.node(topology.myself()).id {
        return Err(CommandError::Text(format!("ERR This node is not {target}")));
    }
    context.reply.ok();
    let session = context.session.index;
    context.act(Action::BecomeLink { session, source });
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::Bench;
    use crate::core::Action;
    use crate::topology::NodeId;

    #[test]
    fn links_are_for_this_node_and_this_version() {
        let (here, there) = (NodeId::derived(1, 0), NodeId::derived(1, 1));
        let mut bench = Bench::default();
        bench.check(&format!(
            "
            @cores 2
            CLUSTER LINK 1 {there} {there} -> -ERR This node is not {there}
            CLUSTER LINK 2 {there} {here} -> -ERR This node speaks version 1 on links, not 2
            CLUSTER LINK 1 x {here} -> -ERR Invalid node name
            CLUSTER LINK 1 {there} {here} -> +OK
            "
        ));
        assert!(matches!(bench.actions[..], [Action::BecomeLink { source, .. }] if source == there));
    }
}
