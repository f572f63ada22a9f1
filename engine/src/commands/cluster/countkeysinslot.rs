//! CLUSTER COUNTKEYSINSLOT: how many keys of this core lie in a slot.

use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::resp::Arguments;

/// CLUSTER COUNTKEYSINSLOT.
pub const SPEC: Spec = Spec {
    name: "cluster|countkeysinslot",
    syntax: "slot",
    arity: 3,
    flags: Flags::of(&[Flag::Stale]),
    since: "3.0.0",
    group: Group::Cluster,
    summary: "How many keys lie in a slot of this core.",
    complexity: "O(1)",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    super::check_enabled(context)?;
    let slot = super::slot(arguments.at(2), "ERR Invalid slot")?;
    context.reply.integer(context.core.shard.slot_keys(slot).cast_signed());
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn slots_are_checked() {
        check(
            "
            @cores 2
            CLUSTER COUNTKEYSINSLOT 866 -> :0
            CLUSTER COUNTKEYSINSLOT 16384 -> -ERR Invalid slot
            CLUSTER COUNTKEYSINSLOT -1 -> -ERR Invalid slot
            CLUSTER COUNTKEYSINSLOT x -> -ERR value is not an integer or out of range
            ",
        );
    }
}
