//! Random numbers for commands: quick, repeatable from a seed, not for secrets.

/// A generator (xorshift64*) whose seed comes from outside.
#[derive(Clone, Debug)]
pub struct Random {
    /// Never 0.
    state: u64,
}

impl Random {
    /// A generator; any seed will do.
    pub fn new(seed: u64) -> Self {
        let mut random = Self { state: seed ^ 0x9e37_79b9_7f4a_7c15 };
        if random.state == 0 {
            random.state = 1;
        }
        // Seeds that differ in few bits give sequences that soon differ in all.
        for _ in 0..8 {
            random.bits();
        }
        random
    }

    /// 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`, which is not 0. The bias is below 2^-64 times `end`.
    #[inline]
    pub fn below(&mut self, end: u64) -> u64 {
        assert!(end > 0, "there is no number below 0");
        ((self.bits() as u128 * end as u128) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_repeat_from_their_seed_and_spread() {
        let mut counts = [0; 10];
        let (mut one, mut two) = (Random::new(7), Random::new(7));
        for _ in 0..10_000 {
            let number = one.below(10);
            assert_eq!(number, two.below(10));
            counts[number as usize] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
        assert_ne!(Random::new(1).bits(), Random::new(2).bits());
        assert_ne!(Random::new(0x9e37_79b9_7f4a_7c15).bits(), 0);
    }
}
