//! Which key comes next: uniform, Zipf, a hot set, or one after the other.

use std::fmt;
use std::str::FromStr;

use crate::traffic::random::Random;
use crate::traffic::zipf::Zipf;

/// How accesses spread over the keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// Every key alike.
    Uniform,
    /// Key of rank k with weight k^-exponent; ranks are scattered over the key numbers.
    Zipf {
        /// Above 0; 0.99 is the common choice.
        exponent: f64,
    },
    /// A share of the keys gets a share of the accesses.
    Hot {
        /// Share of the keys that are hot, in (0, 1].
        keys: f64,
        /// Share of the accesses that go to them, in [0, 1].
        accesses: f64,
    },
    /// 0, 1, 2 …, and from the start again.
    Sequential,
}

/// A distribution that was not understood.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownDistribution;

impl fmt::Display for UnknownDistribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("use uniform, zipf:EXPONENT, hot:KEYS:ACCESSES (shares, e.g. hot:0.01:0.9) or sequential")
    }
}

impl std::error::Error for UnknownDistribution {}

impl FromStr for Distribution {
    type Err = UnknownDistribution;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.split(':').collect();
        let number =
            |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite()).ok_or(UnknownDistribution);
        match parts[..] {
            ["uniform"] => Ok(Self::Uniform),
            ["sequential"] => Ok(Self::Sequential),
            ["zipf"] => Ok(Self::Zipf { exponent: 0.99 }),
            ["zipf", exponent] => {
                let exponent = number(exponent)?;
                if exponent > 0.0 { Ok(Self::Zipf { exponent }) } else { Err(UnknownDistribution) }
            }
            ["hot", keys, accesses] => {
                let (keys, accesses) = (number(keys)?, number(accesses)?);
                let sound = keys > 0.0 && keys <= 1.0 && (0.0..=1.0).contains(&accesses);
                if sound { Ok(Self::Hot { keys, accesses }) } else { Err(UnknownDistribution) }
            }
            _ => Err(UnknownDistribution),
        }
    }
}

/// Draws key numbers in `0..count`.
#[derive(Clone, Debug)]
pub struct KeyChooser {
    first: u64,
    count: u64,
    choice: Choice,
}

#[derive(Clone, Debug)]
enum Choice {
    Uniform,
    Zipf { zipf: Zipf, stride: u64 },
    Hot { hot: u64, accesses: f64 },
    Sequential { next: u64 },
}

impl KeyChooser {
    /// Keys `first..first + count` under `distribution`; `count > 0`.
    pub fn new(distribution: Distribution, first: u64, count: u64) -> Self {
        assert!(count > 0, "a key chooser needs keys");
        let choice = match distribution {
            Distribution::Uniform => Choice::Uniform,
            Distribution::Zipf { exponent } => {
                Choice::Zipf { zipf: Zipf::new(count, exponent), stride: scatter_stride(count) }
            }
            Distribution::Hot { keys, accesses } => {
                Choice::Hot { hot: ((count as f64 * keys) as u64).clamp(1, count), accesses }
            }
            Distribution::Sequential => Choice::Sequential { next: 0 },
        };
        Self { first, count, choice }
    }

    /// The number of the next key.
    #[inline]
    pub fn choose(&mut self, random: &mut Random) -> u64 {
        let index = match &mut self.choice {
            Choice::Uniform => random.below(self.count),
            Choice::Zipf { zipf, stride } => {
                let rank = zipf.rank(random);
                (u128::from(rank) * u128::from(*stride) % u128::from(self.count)) as u64
            }
            Choice::Hot { hot, accesses } => {
                if *hot == self.count || random.unit() <= *accesses {
                    random.below(*hot)
                } else {
                    *hot + random.below(self.count - *hot)
                }
            }
            Choice::Sequential { next } => {
                let index = *next;
                *next = if index + 1 == self.count { 0 } else { index + 1 };
                index
            }
        };
        self.first + index
    }
}

/// A step that visits every key number once: near the golden section of `count` and without a common factor.
fn scatter_stride(count: u64) -> u64 {
    let mut stride = ((count as f64 * 0.618_033_988_749) as u64).max(1);
    while common_divisor(stride, count) != 1 {
        stride += 1;
    }
    stride
}

fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distributions_parse() {
        let cases = [
            ("uniform", Ok(Distribution::Uniform)),
            ("zipf", Ok(Distribution::Zipf { exponent: 0.99 })),
            ("zipf:1.2", Ok(Distribution::Zipf { exponent: 1.2 })),
            ("hot:0.01:0.9", Ok(Distribution::Hot { keys: 0.01, accesses: 0.9 })),
            ("sequential", Ok(Distribution::Sequential)),
            ("zipf:0", Err(UnknownDistribution)),
            ("zipf:nan", Err(UnknownDistribution)),
            ("hot:0:1", Err(UnknownDistribution)),
            ("hot:2:1", Err(UnknownDistribution)),
            ("", Err(UnknownDistribution)),
        ];
        for (text, wanted) in cases {
            assert_eq!(text.parse(), wanted, "{text}");
        }
    }

    #[test]
    fn sequential_wraps_inside_its_range() {
        let mut chooser = KeyChooser::new(Distribution::Sequential, 10, 3);
        let mut random = Random::new(0);
        let keys: Vec<u64> = (0..7).map(|_| chooser.choose(&mut random)).collect();
        assert_eq!(keys, [10, 11, 12, 10, 11, 12, 10]);
    }

    #[test]
    fn hot_set_gets_its_share() {
        let mut chooser = KeyChooser::new(Distribution::Hot { keys: 0.01, accesses: 0.9 }, 0, 10_000);
        let mut random = Random::new(5);
        let hot = (0..100_000).filter(|_| chooser.choose(&mut random) < 100).count();
        assert!((89_000..91_000).contains(&hot), "{hot}");
    }

    #[test]
    fn scattered_ranks_are_all_different() {
        for count in [1u64, 2, 3, 10, 1000, 65_536] {
            let stride = scatter_stride(count);
            let mut seen: Vec<u64> = (0..count).map(|rank| rank * stride % count).collect();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len() as u64, count);
        }
    }
}
