//! CLUSTER ADDSLOTS: slots that nobody serves become this node's.

use super::assigning;
use crate::commands::{CommandError, Context, Group, Route, Spec};
use crate::resp::Arguments;

/// CLUSTER ADDSLOTS.
pub const SPEC: Spec = Spec {
    name: "cluster|addslots",
    syntax: "slot [<slot> ...]",
    arity: -3,
    flags: assigning::FLAGS,
    since: "3.0.0",
    group: Group::Cluster,
    summary: "Makes slots this node's that nobody owns, or whose owners are gone.",
    complexity: "O(N) where N is the number of slots",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    super::check_enabled(context)?;
    let slots = assigning::slots(arguments)?;
    assigning::ask(context, slots, true)
}
