//! CLUSTER ADDSLOTSRANGE: ranges of slots that nobody serves become this node's.

use super::assigning;
use crate::commands::{CommandError, Context, Group, Route, Spec};
use crate::resp::Arguments;

/// CLUSTER ADDSLOTSRANGE.
pub const SPEC: Spec = Spec {
    name: "cluster|addslotsrange",
    syntax: "start end [<start> <end> ...]",
    arity: -4,
    flags: assigning::FLAGS,
    since: "7.0.0",
    group: Group::Cluster,
    summary: "Makes ranges of slots this node's that nobody owns, or whose owners are gone.",
    complexity: "O(N) where N is the number of slots",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    super::check_enabled(context)?;
    let slots = assigning::ranges(context, arguments)?;
    assigning::ask(context, slots, true)
}
