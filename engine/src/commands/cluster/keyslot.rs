//! CLUSTER KEYSLOT: the slot of a key.

use crate::commands::{CommandError, Context, Flag, Flags, Group, Route, Spec};
use crate::key::SlotId;
use crate::resp::Arguments;

/// CLUSTER KEYSLOT.
pub const SPEC: Spec = Spec {
    name: "cluster|keyslot",
    syntax: "key",
    arity: 3,
    flags: Flags::of(&[Flag::Stale]),
    since: "3.0.0",
    group: Group::Cluster,
    summary: "The slot of a key.",
    complexity: "O(N) where N is the length of the key",
    route: Route::Local,
    run,
    ..Spec::BASE
};

fn run(context: &mut Context<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    super::check_enabled(context)?;
    context.reply.count(SlotId::of(arguments.at(2)).number());
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::check;

    #[test]
    fn slots_follow_the_hash_tag() {
        check(
            "
            @cores 2
            CLUSTER KEYSLOT foo -> :12182
            CLUSTER KEYSLOT {user1000}.following -> :3443
            CLUSTER KEYSLOT user1000 -> :3443
            ",
        );
    }
}
