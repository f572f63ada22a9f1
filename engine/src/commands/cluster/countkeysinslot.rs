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
    context.reply.integer(context.core.shard.visible_slot_keys(slot).cast_signed());
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::commands::testing::{Bench, check};
    use crate::key::SlotId;
    use crate::shard::Expiry;

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
    #[test]
    fn keys_of_a_slot_that_is_on_its_way_here_are_not_shown() {
        let mut bench = Bench::default();
        bench.check("@cores 1");
        let (slot, now_ms) = (SlotId::of(b"{a}"), bench.now.unix_ms);
        bench.core.shard.stage(slot);
        let key = bench.core.shard.key(b"{a}");
        bench.core.shard.write(&key, now_ms).set(b"v", Expiry::At(now_ms + 1000)).expect("room");
        let commands = ["DBSIZE", "RANDOMKEY", "KEYS *", "SCAN 0", "CLUSTER COUNTKEYSINSLOT 15495"];
        let ask = |bench: &mut Bench| -> Vec<String> {
            let more = ["CLUSTER GETKEYSINSLOT 15495 9", "INFO keyspace"];
            commands.iter().chain(&more).map(|command| bench.ask(1, command)).collect()
        };
        let staged = ask(&mut bench);
        bench.core.shard.promote(slot);
        let promoted = ask(&mut bench);
        for (staged, promoted) in staged.iter().zip(&promoted) {
            assert_ne!(staged, promoted);
            assert!(!staged.contains("{a}") && !staged.contains("keys=1"), "{staged}");
            assert!(
                ["{a}", "keys=1", "\\x01", ":1"].iter().any(|sign| promoted.contains(sign)),
                "{promoted}"
            );
        }
    }
}
