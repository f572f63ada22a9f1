//! A small seeded generator (xoshiro256++), so that a run with one seed sends the same traffic again.

/// Draws numbers; the same seed gives the same numbers.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// A generator whose state is spread from `seed` by SplitMix64.
    pub fn new(seed: u64) -> Self {
        let mut spread = seed;
        let state = std::array::from_fn(|_| {
            spread = spread.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = spread;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        });
        Self { state }
    }

    /// The next 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let result = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number in `0..bound`. The bias is under `bound / 2^64`, far below what a run can see.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// A number in `(0, 1]`: never zero, so its logarithm is finite.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) + 1) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// An exponentially distributed number with this mean.
    #[inline]
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -self.unit().ln() * mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_numbers() {
        let (mut a, mut b, mut c) = (Random::new(7), Random::new(7), Random::new(8));
        let first: Vec<u64> = (0..100).map(|_| a.bits()).collect();
        let second: Vec<u64> = (0..100).map(|_| b.bits()).collect();
        let other: Vec<u64> = (0..100).map(|_| c.bits()).collect();
        assert_eq!(first, second);
        assert_ne!(first, other);
    }

    #[test]
    fn below_is_even_over_its_range() {
        let mut random = Random::new(1);
        let mut counts = [0u32; 10];
        for _ in 0..100_000 {
            counts[random.below(10) as usize] += 1;
        }
        assert!(counts.iter().all(|&n| (9_500..10_500).contains(&n)), "{counts:?}");
    }

    #[test]
    fn exponential_has_its_mean_and_is_memoryless() {
        let mut random = Random::new(2);
        let draws: Vec<f64> = (0..200_000).map(|_| random.exponential(50.0)).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        assert!((49.0..51.0).contains(&mean), "{mean}");
        let beyond = draws.iter().filter(|&&x| x > 100.0).count() as f64 / draws.len() as f64;
        assert!((beyond - (-2.0f64).exp()).abs() < 0.005, "{beyond}");
    }
}
