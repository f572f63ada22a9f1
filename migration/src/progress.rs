//! How far a batch has come: what operators and metrics read.

use std::fmt;

/// Where a batch stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// Its turn has not come.
    Planned,
    /// The lanes are being opened.
    Connecting,
    /// Slots are being copied.
    Snapshot,
    /// All slots are copied; deltas flow.
    Streaming,
    /// Writes to the slots wait.
    Pausing,
    /// Nothing of the slots is served until the outcome is known.
    HandingOver,
    /// The target owns the slots.
    Done,
    /// The source owns the slots as before: something went wrong.
    Failed,
    /// The source owns the slots as before: somebody asked for it.
    Cancelled,
}

impl Phase {
    /// The phase's name.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Planned => "planned",
            Phase::Connecting => "connecting",
            Phase::Snapshot => "snapshot",
            Phase::Streaming => "streaming",
            Phase::Pausing => "pausing",
            Phase::HandingOver => "handing-over",
            Phase::Done => "done",
            Phase::Failed => "failed",
            Phase::Cancelled => "cancelled",
        }
    }

    /// Whether nothing will change any more.
    pub fn is_over(self) -> bool {
        matches!(self, Phase::Done | Phase::Failed | Phase::Cancelled)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many pauses took how long.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PauseLengths {
    counts: [u32; Self::BOUNDS_US.len() + 1],
    /// The longest pause.
    pub longest_us: u64,
    /// All pauses together.
    pub total_us: u64,
}

impl PauseLengths {
    /// Upper bounds of all steps but the last, which has none.
    pub const BOUNDS_US: [u64; 9] = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 50_000, 250_000];

    /// Adds a pause.
    pub fn add(&mut self, length_us: u64) {
        let step =
            Self::BOUNDS_US.iter().position(|bound| length_us <= *bound).unwrap_or(Self::BOUNDS_US.len());
        self.counts[step] += 1;
        self.longest_us = self.longest_us.max(length_us);
        self.total_us += length_us;
    }

    /// Adds what another batch saw.
    pub fn merge(&mut self, other: &PauseLengths) {
        for (mine, theirs) in self.counts.iter_mut().zip(other.counts) {
            *mine += theirs;
        }
        self.longest_us = self.longest_us.max(other.longest_us);
        self.total_us += other.total_us;
    }

    /// Each step's upper bound (none for the last one) with its pauses.
    pub fn steps(&self) -> impl Iterator<Item = (Option<u64>, u32)> {
        let bounds = Self::BOUNDS_US.iter().copied().map(Some).chain([None]);
        bounds.zip(self.counts)
    }

    /// How many pauses there were.
    pub fn count(&self) -> u32 {
        self.counts.iter().sum()
    }
}

/// How far a batch has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Where it stands.
    pub phase: Phase,
    /// Why it failed, was cancelled, or last began again.
    pub reason: Option<String>,
    /// Slots whose baseline the target has.
    pub slots_done: u64,
    /// Slots in all.
    pub slots_total: u64,
    /// Keys put on the snapshot lane.
    pub keys_done: u64,
    /// Keys that the slots held when the batch began, or later if more were found.
    pub keys_total: u64,
    /// Bytes of baseline that the target has applied.
    pub bytes_done: u64,
    /// Bytes that the slots held when the batch began, or later if more were found.
    pub bytes_total: u64,
    /// Bytes made for both lanes, those sent again included.
    pub bytes_sent: u64,
    /// Bytes that were sent again after a link was cut or a slot began anew.
    pub bytes_sent_again: u64,
    /// Bytes of deltas among those.
    pub delta_bytes_sent: u64,
    /// Bytes a second that arrive, over the last second or so.
    pub rate: u64,
    /// Bytes a second that the target applies when it has enough to do, as measured; 0 before the first measurement.
    pub apply_rate: u64,
    /// Bytes of deltas that the target has not applied.
    pub lag_bytes: u64,
    /// The shortest time to the target and back that was seen; 0 before the first.
    pub round_trip_us: u64,
    /// Microseconds until the hand-over, as far as can be told.
    pub eta_us: Option<u64>,
    /// Since the batch began, or until it was over.
    pub elapsed_us: u64,
    /// Pauses begun so far.
    pub pauses_tried: u32,
    /// Their lengths, from the first write that could wait until writes went on.
    pub pauses: PauseLengths,
    /// How often a link was opened anew.
    pub reconnects: u32,
    /// How often a slot, or the whole batch, began anew.
    pub restarts: u32,
    /// Bytes that forks of the shard retain.
    pub retained_bytes: u64,
}

impl Progress {
    /// A batch of so many slots that has not begun.
    pub fn new(slots: usize) -> Self {
        Progress {
            phase: Phase::Planned,
            reason: None,
            slots_done: 0,
            slots_total: slots as u64,
            keys_done: 0,
            keys_total: 0,
            bytes_done: 0,
            bytes_total: 0,
            bytes_sent: 0,
            bytes_sent_again: 0,
            delta_bytes_sent: 0,
            rate: 0,
            apply_rate: 0,
            lag_bytes: 0,
            round_trip_us: 0,
            eta_us: None,
            elapsed_us: 0,
            pauses_tried: 0,
            pauses: PauseLengths::default(),
            reconnects: 0,
            restarts: 0,
            retained_bytes: 0,
        }
    }
}

/// How far the target's side has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IncomingProgress {
    /// Whether it is prepared: it holds all of the slots and waits for the outcome.
    pub is_prepared: bool,
    /// Slots whose baseline is complete.
    pub slots_done: u64,
    /// Slots in all.
    pub slots_total: u64,
    /// Bytes of both lanes that were applied.
    pub bytes_applied: u64,
    /// Effects that were applied.
    pub effects_applied: u64,
    /// Bytes that wait to be applied.
    pub inbox_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_fall_into_their_steps() {
        let mut pauses = PauseLengths::default();
        [0, 100, 101, 9_999, 1_000_000].into_iter().for_each(|length| pauses.add(length));
        let mut twice = pauses;
        twice.merge(&pauses);
        assert_eq!((twice.count(), twice.longest_us, twice.total_us), (10, 1_000_000, 2 * 1_010_200));
        let filled: Vec<_> = pauses.steps().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(Some(100), 2), (Some(250), 1), (Some(10_000), 1), (None, 1)]);
    }

    #[test]
    fn phases_are_called_what_the_design_calls_them() {
        let names: Vec<_> = [Phase::Planned, Phase::HandingOver, Phase::Done].map(Phase::name).into();
        assert_eq!(names, ["planned", "handing-over", "done"]);
        assert!(Phase::Cancelled.is_over() && !Phase::HandingOver.is_over());
    }
}
