//! The settings of the source's side.

use crate::batch::Incarnation;

/// The settings of the source's side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutgoingSettings {
    /// The source's process, as it is registered.
    pub incarnation: Incarnation,
    /// Slots of the core that are copied at once (`moves-concurrent-max`).
    pub slots_concurrent_max: usize,
    /// Bytes that the deltas of the batch may take while they wait (`migration-delta-max`); beyond, the batch fails.
    pub delta_bytes_max: usize,
    /// Unacknowledged bytes of the snapshot lane.
    pub snapshot_window_bytes: usize,
    /// Unacknowledged bytes of the delta lane.
    pub delta_window_bytes: usize,
    /// Bytes of a run of effects: what one step copies.
    pub run_bytes: usize,
    /// Writes are paused when the deltas that are left are predicted to take no longer than this (`pause-target`).
    pub pause_target_us: u64,
    /// A pause that has not come to its end by then is given up (`pause-max`).
    pub pause_max_us: u64,
    /// Pauses that are tried before the batch fails.
    pub pauses_max: u32,
    /// Bytes of a pause, the word that ends it included, that go out whatever the caller's pacer has left; it is told, and
    /// makes up for them. Up to a hundredth of what may go in a second keeps the caps.
    pub urgent_bytes: usize,
    /// Without a link for so long, the batch fails (`migration-link-timeout`); the target drops what it has after the same time.
    pub link_timeout_us: u64,
    /// How often a slot, or the whole batch, may begin anew.
    pub restarts_max: u32,
}

impl Default for OutgoingSettings {
    fn default() -> Self {
        OutgoingSettings {
            incarnation: Incarnation(0),
            slots_concurrent_max: 4,
            delta_bytes_max: 64 * 1024 * 1024,
            snapshot_window_bytes: 4 * 1024 * 1024,
            delta_window_bytes: 4 * 1024 * 1024,
            run_bytes: 16 * 1024,
            pause_target_us: 500,
            pause_max_us: 10_000,
            pauses_max: 32,
            urgent_bytes: 64 * 1024,
            link_timeout_us: 10_000_000,
            restarts_max: 3,
        }
    }
}
