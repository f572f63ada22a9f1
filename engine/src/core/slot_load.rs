//! Which slots commands go to, from a sample of them: a command costs a subtraction, and one in about sixty is looked at.

use super::Random;
use crate::key::{SLOT_COUNT, SlotId};

/// Commands between two that are looked at, on average. The distance varies, so that no pattern of commands hides.
const STRIDE: u64 = 61;
/// Seconds after which what was counted weighs half.
const HALF_LIFE_S: u64 = 10;

/// Commands per slot, as they came lately.
#[derive(Debug)]
pub struct SlotLoad {
    /// Commands until the next one that is looked at. Above 0.
    countdown: u32,
    /// Looked at, by slot.
    counts: Box<[u32; SLOT_COUNT]>,
    /// When the counts were halved last, in Unix seconds; 0 before anything was counted.
    halved_s: u64,
}

impl Default for SlotLoad {
    fn default() -> Self {
        let counts = vec![0; SLOT_COUNT].into_boxed_slice().try_into().expect("a count for each slot");
        Self { countdown: 1, counts, halved_s: 0 }
    }
}

impl SlotLoad {
    /// Counts a command; whether it is one to look at.
    #[inline]
    pub fn is_due(&mut self) -> bool {
        self.countdown -= 1;
        self.countdown == 0
    }

    /// Notes the slot of a command that was due, if it has one.
    pub fn note(&mut self, slot: Option<SlotId>, random: &mut Random, now_s: u64) {
        self.countdown = 1 + random.below(2 * STRIDE - 1) as u32;
        if self.halved_s == 0 {
            self.halved_s = now_s;
        }
        let halvings = now_s.saturating_sub(self.halved_s) / HALF_LIFE_S;
        if halvings > 0 {
            self.counts.iter_mut().for_each(|count| *count = halved(*count, halvings));
            self.halved_s += halvings * HALF_LIFE_S;
        }
        if let Some(slot) = slot {
            let count = &mut self.counts[slot.number()];
            *count = count.saturating_add(1);
        }
    }

    /// Commands a second that go to a slot. A steady load is told as it is.
    pub fn of(&self, slot: SlotId, now_s: u64) -> u64 {
        let elapsed_s = now_s.saturating_sub(self.halved_s);
        let count = halved(self.counts[slot.number()], elapsed_s / HALF_LIFE_S);
        // A steady load of r has left r times the half-life behind at the moment of halving, and r a second since.
        u64::from(count) * STRIDE / (HALF_LIFE_S + elapsed_s % HALF_LIFE_S)
    }
}

fn halved(count: u32, times: u64) -> u32 {
    u32::try_from(times).ok().and_then(|times| count.checked_shr(times)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands of so many seconds, as many a second, of which every fourth goes to slot 7 and the others to slot 8.
    fn run(load: &mut SlotLoad, random: &mut Random, from_s: u64, seconds: u64, rate: u64) {
        for second in from_s..from_s + seconds {
            for command in 0..rate {
                if load.is_due() {
                    load.note(SlotId::new(if command % 4 == 0 { 7 } else { 8 }), random, second);
                }
            }
        }
    }

    #[test]
    fn a_steady_load_is_told_as_it_is() {
        let (mut load, mut random) = (SlotLoad::default(), Random::new(1));
        run(&mut load, &mut random, 1000, 65, 20_000);
        for now_s in [1064, 1065] {
            let [one, two] = [7, 8].map(|slot| load.of(SlotId::new(slot).unwrap(), now_s));
            assert!((4_400..5_600).contains(&one) && (14_000..16_000).contains(&two), "{one} {two}");
        }
        assert_eq!(load.of(SlotId::new(9).unwrap(), 1065), 0);
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let (mut load, mut random) = (SlotLoad::default(), Random::new(1));
        let slot = SlotId::new(8).unwrap();
        run(&mut load, &mut random, 1000, 20, 20_000);
        assert!(load.of(slot, 1020) > load.of(slot, 1040) && load.of(slot, 1040) > 0);
        assert_eq!(load.of(slot, 5000), 0);
        run(&mut load, &mut random, 5000, 1, 1000);
        assert!(load.of(slot, 5001) < 200);
    }
}
