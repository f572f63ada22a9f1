//! CLUSTER DELSLOTS: slots of this process become nobody's.

use super::assigning;
use crate::commands::{CommandError, Context, Group, Route, Spec};
use crate::resp::Arguments;

/// CLUSTER DELSLOTS.
pub const SPEC: Spec = Spec {
    name: "cluster|delslots",
    syntax: "slot [<slot> ...]",
    arity: -3,
    flags: assigning::FLAGS,
    since: "3.0.0",
    group: Group::Cluster,
    summary: "Makes slots nobody's and drops what is in them; they are this process', or their owners are gone.",
    complexity: "O(N) where N is the number of slots",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    super::check_enabled(context)?;
    let slots = assigning::slots(arguments)?;
    assigning::ask(context, slots, false)
}
