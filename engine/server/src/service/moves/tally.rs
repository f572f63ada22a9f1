//! What moves came to so far, for INFO.

use whimbrel_engine::info::Counters;
use whimbrel_migration::{Phase, Progress};

/// What moves of one core came to so far.
#[derive(Default)]
pub struct Tally {
    totals: Counters,
}

impl Tally {
    /// A batch that went, or did not, is over.
    pub fn note_batch(&mut self, progress: &Progress, slots_handed_over: usize) {
        let totals = &mut self.totals;
        totals.moves_slots_out += slots_handed_over as u64;
        add_batch(totals, progress);
    }

    /// A job is over.
    pub fn note_job(&mut self, phase: Phase) {
        match phase {
            Phase::Done => self.totals.moves_done += 1,
            Phase::Cancelled => self.totals.moves_cancelled += 1,
            _ => self.totals.moves_failed += 1,
        }
    }

    /// A batch that came, or did not, is over.
    pub fn note_arrival(&mut self, bytes: u64, slots: usize) {
        self.totals.moves_bytes_applied += bytes;
        self.totals.moves_slots_in += slots as u64;
    }

    /// A command waits for a hand-over.
    pub fn note_held(&mut self) {
        self.totals.moves_held_commands += 1;
    }

    /// Commands have waited for so long.
    pub fn note_hold(&mut self, microseconds: u64) {
        self.totals.moves_hold_us_max = self.totals.moves_hold_us_max.max(microseconds);
    }

    /// A turn of move work took the core's thread so long.
    pub fn note_turn(&mut self, microseconds: u64) {
        let totals = &mut self.totals;
        totals.moves_turns += 1;
        totals.moves_turns_over_1ms += u64::from(microseconds > 1_000);
        totals.moves_turn_us_max = totals.moves_turn_us_max.max(microseconds);
    }

    /// Longest times count anew.
    pub fn forget_longest(&mut self) {
        let totals = &mut self.totals;
        (totals.moves_turn_us_max, totals.moves_hold_us_max, totals.moves_pause_us_max) = (0, 0, 0);
    }

    /// Everything so far, with the batch that is under way.
    pub fn counters(&self, under_way: Option<&Progress>) -> Counters {
        let mut totals = self.totals;
        if let Some(progress) = under_way {
            add_batch(&mut totals, progress);
            totals.moves_bytes_per_second = progress.rate;
        }
        totals
    }
}

fn add_batch(totals: &mut Counters, progress: &Progress) {
    totals.moves_bytes_sent += progress.bytes_sent;
    totals.moves_bytes_sent_again += progress.bytes_sent_again;
    let pauses = &progress.pauses;
    totals.moves_pauses += u64::from(pauses.count());
    totals.moves_pause_us += pauses.total_us;
    totals.moves_pause_us_max = totals.moves_pause_us_max.max(pauses.longest_us);
    let up_to = |most_us: u64| {
        let steps = pauses.steps().filter(|(bound, _)| bound.is_some_and(|bound| bound <= most_us));
        steps.map(|(_, count)| u64::from(count)).sum::<u64>()
    };
    totals.moves_pauses_500us += up_to(500);
    totals.moves_pauses_1ms += up_to(1_000);
    totals.moves_pauses_10ms += up_to(10_000);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_counted_by_their_lengths() {
        let mut progress = Progress::new(3);
        [100, 700, 20_000].into_iter().for_each(|length| progress.pauses.add(length));
        let mut tally = Tally::default();
        tally.note_batch(&progress, 3);
        tally.note_job(Phase::Done);
        tally.note_turn(7);
        tally.note_turn(1_001);
        let counters = tally.counters(Some(&progress));
        assert_eq!(
            (counters.moves_pauses, counters.moves_pauses_500us, counters.moves_pauses_1ms),
            (6, 2, 4)
        );
        assert_eq!((counters.moves_pauses_10ms, counters.moves_pause_us_max), (4, 20_000));
        assert_eq!(
            (counters.moves_slots_out, counters.moves_done, counters.moves_turn_us_max),
            (3, 1, 1_001)
        );
        assert_eq!((counters.moves_turns, counters.moves_turns_over_1ms), (2, 1));
        tally.forget_longest();
        let counters = tally.counters(None);
        assert_eq!(
            (counters.moves_pauses, counters.moves_pause_us_max, counters.moves_turn_us_max),
            (3, 0, 0)
        );
    }
}
