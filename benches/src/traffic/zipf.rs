//! Zipf-distributed ranks by rejection-inversion (Hörmann and Derflinger), with no table to build.

use crate::traffic::random::Random;

/// Draws ranks in `0..count` where rank `k` has weight `(k + 1)^-exponent`.
#[derive(Clone, Debug)]
pub struct Zipf {
    count: f64,
    exponent: f64,
    /// Integral of the hat below the first rank.
    low: f64,
    /// Integral of the hat up to the last rank.
    high: f64,
    /// Ranks this close to the drawn point are taken without the rejection test.
    shortcut: f64,
}

impl Zipf {
    /// `count > 0`, `exponent > 0`.
    pub fn new(count: u64, exponent: f64) -> Self {
        assert!(count > 0, "a Zipf distribution needs ranks");
        assert!(exponent > 0.0, "a Zipf distribution needs a positive exponent");
        let mut zipf = Self { count: count as f64, exponent, low: 0.0, high: 0.0, shortcut: 0.0 };
        zipf.low = zipf.integral(1.5) - 1.0;
        zipf.high = zipf.integral(zipf.count + 0.5);
        zipf.shortcut = 2.0 - zipf.integral_inverse(zipf.integral(2.5) - zipf.weight(2.0));
        zipf
    }

    /// The next rank; 0 is the most frequent.
    pub fn rank(&self, random: &mut Random) -> u64 {
        loop {
            let point = self.high + random.unit() * (self.low - self.high);
            let x = self.integral_inverse(point);
            let rank = (x + 0.5).floor().clamp(1.0, self.count);
            if rank - x <= self.shortcut || point >= self.integral(rank + 0.5) - self.weight(rank) {
                return rank as u64 - 1;
            }
        }
    }

    fn weight(&self, x: f64) -> f64 {
        (-self.exponent * x.ln()).exp()
    }

    fn integral(&self, x: f64) -> f64 {
        let log = x.ln();
        expm1_over(log * (1.0 - self.exponent)) * log
    }

    fn integral_inverse(&self, value: f64) -> f64 {
        let t = (value * (1.0 - self.exponent)).max(-1.0);
        (ln1p_over(t) * value).exp()
    }
}

/// `(e^x - 1) / x`, also near zero.
fn expm1_over(x: f64) -> f64 {
    if x.abs() > 1e-8 { x.exp_m1() / x } else { 1.0 + x * 0.5 }
}

/// `ln(1 + x) / x`, also near zero.
fn ln1p_over(x: f64) -> f64 {
    if x.abs() > 1e-8 { x.ln_1p() / x } else { 1.0 - x * 0.5 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(count: u64, exponent: f64, draws: u32) -> Vec<f64> {
        let zipf = Zipf::new(count, exponent);
        let mut random = Random::new(3);
        let mut counts = vec![0u32; count as usize];
        for _ in 0..draws {
            counts[zipf.rank(&mut random) as usize] += 1;
        }
        counts.iter().map(|&n| f64::from(n) / f64::from(draws)).collect()
    }

    #[test]
    fn shares_follow_the_weights() {
        for exponent in [0.5, 0.99, 1.0, 1.3] {
            let total: f64 = (1..=100).map(|k| f64::from(k).powf(-exponent)).sum();
            for (rank, share) in shares(100, exponent, 300_000).into_iter().enumerate().take(20) {
                let wanted = (rank as f64 + 1.0).powf(-exponent) / total;
                assert!((share - wanted).abs() < 0.003, "s={exponent} rank={rank}: {share} for {wanted}");
            }
        }
    }

    #[test]
    fn one_rank_and_huge_counts_stay_in_range() {
        let mut random = Random::new(4);
        assert_eq!(Zipf::new(1, 0.99).rank(&mut random), 0);
        let huge = Zipf::new(10_000_000_000, 0.99);
        assert!((0..10_000).all(|_| huge.rank(&mut random) < 10_000_000_000));
    }
}
