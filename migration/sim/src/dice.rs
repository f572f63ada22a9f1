//! All chance of a run comes from here, from one seed.

use std::ops::Range;

use whimbrel_engine::core::Random;

/// A source of chance. Two with one seed give the same.
#[derive(Clone, Debug)]
pub struct Dice(Random);

impl Dice {
    /// The dice of a seed, one of several independent ones by `stream`.
    pub fn new(seed: u64, stream: u64) -> Dice {
        Dice(Random::new(
            seed.wrapping_mul(0xd134_2543_de82_ef95).wrapping_add(stream.wrapping_mul(0x9e37_79b9)),
        ))
    }

    /// A number below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0.below(end)
    }

    /// A number of a range that is not empty.
    pub fn within(&mut self, range: Range<u64>) -> u64 {
        range.start + self.below(range.end - range.start)
    }

    /// A number of a range, small ones much more often: uniform in magnitude, as delays are.
    pub fn skewed(&mut self, range: Range<u64>) -> u64 {
        let span = range.end - range.start;
        let magnitude = self.below(u64::from(64 - span.leading_zeros()));
        range.start + self.below((2u64 << magnitude).min(span))
    }

    /// Whether something with this chance in a million happens.
    pub fn happens(&mut self, per_million: u64) -> bool {
        self.below(1_000_000) < per_million
    }

    /// One of several.
    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len() as u64) as usize]
    }

    /// A place in something with this many places.
    pub fn index(&mut self, places: usize) -> usize {
        self.below(places as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_and_repeat() {
        let roll = |seed, stream| Dice::new(seed, stream).below(u64::MAX);
        assert_eq!(roll(1, 2), roll(1, 2));
        assert_ne!(roll(1, 2), roll(1, 3));
        assert_ne!(roll(1, 2), roll(2, 2));
    }

    #[test]
    fn skewed_numbers_stay_within_and_are_mostly_small() {
        let mut dice = Dice::new(1, 0);
        let rolls: Vec<u64> = (0..10_000).map(|_| dice.skewed(10..1_000_010)).collect();
        assert!(rolls.iter().all(|roll| (10..1_000_010).contains(roll)));
        assert!(rolls.iter().filter(|roll| **roll < 10_010).count() > 5_000);
        assert!(rolls.iter().any(|roll| *roll > 500_000));
        assert_eq!(dice.skewed(5..6), 5);
    }
}
