//! Timing pieces of work: the median of several rounds, so that one disturbed round does not count.

use std::hint::black_box;
use std::time::Instant;

/// Rounds of which the median is taken.
const ROUNDS: usize = 9;

/// One figure.
pub struct Figure {
    pub name: &'static str,
    /// Nanoseconds an operation.
    pub nanoseconds: f64,
}

/// Times `operations` calls in each round; the number of the call, over all rounds, is the argument.
pub fn time<T>(name: &'static str, operations: usize, mut run: impl FnMut(usize) -> T) -> Figure {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|round| {
            let start = Instant::now();
            for operation in 0..operations {
                black_box(run(round * operations + operation));
            }
            start.elapsed().as_nanos() as f64 / operations as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    Figure { name, nanoseconds: rounds[ROUNDS / 2] }
}

/// A number that looks random for each number: where in a large set an operation goes.
pub fn scatter(number: usize) -> u64 {
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11
}
