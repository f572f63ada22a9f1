//! INFO migration: slots on their way, and what they cost.

use super::{Fields, View};

pub(super) fn write(view: &View<'_>, out: &mut Fields) {
    let counters = &view.total.counters;
    for (name, number) in [
        ("outgoing", counters.moves_outgoing),
        ("incoming", counters.moves_incoming),
        ("done", counters.moves_done),
        ("failed", counters.moves_failed),
        ("cancelled", counters.moves_cancelled),
        ("slots_out", counters.moves_slots_out),
        ("slots_in", counters.moves_slots_in),
        ("bytes_sent", counters.moves_bytes_sent),
        ("bytes_sent_again", counters.moves_bytes_sent_again),
        ("bytes_applied", counters.moves_bytes_applied),
        ("bytes_per_second", counters.moves_bytes_per_second),
        ("retained_bytes", counters.fork_retained_bytes),
        ("held_commands", counters.moves_held_commands),
        ("hold_us_max", counters.moves_hold_us_max),
        ("turn_us_max", counters.moves_turn_us_max),
        ("turns", counters.moves_turns),
        ("turns_over_1ms", counters.moves_turns_over_1ms),
    ] {
        out.add(format_args!("migration_{name}"), number);
    }
    out.add(
        "migration_pauses",
        format_args!(
            "count={},le_500us={},le_1ms={},le_10ms={},usec={},usec_max={}",
            counters.moves_pauses,
            counters.moves_pauses_500us,
            counters.moves_pauses_1ms,
            counters.moves_pauses_10ms,
            counters.moves_pause_us,
            counters.moves_pause_us_max
        ),
    );
}
