//! CLUSTER DELSLOTSRANGE: ranges of slots of this process become nobody's.

use super::assigning;
use crate::commands::{CommandError, Context, Group, Route, Spec};
use crate::resp::Arguments;

/// CLUSTER DELSLOTSRANGE.
pub const SPEC: Spec = Spec {
    name: "cluster|delslotsrange",
    syntax: "start end [<start> <end> ...]",
    arity: -4,
    flags: assigning::FLAGS,
    since: "7.0.0",
    group: Group::Cluster,
    summary: "Makes ranges of slots nobody's and drops what is in them; they are this process', or their owners are gone.",
    complexity: "O(N) where N is the number of slots",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    super::check_enabled(context)?;
    let slots = assigning::ranges(context, arguments)?;
    assigning::ask(context, slots, false)
}
