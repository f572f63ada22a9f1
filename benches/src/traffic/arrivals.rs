//! When requests are due in an open loop: evenly, as a Poisson process, or in heavy-tailed bursts.

use crate::traffic::random::Random;

/// Longest burst or pause as a multiple of the shortest: it bounds the Pareto tail so that a run has a mean.
const TAIL_MAX: f64 = 100.0;

/// The process that arrivals follow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Process {
    /// One every `1 / rate`.
    Fixed,
    /// Independent of each other.
    Poisson,
    /// Poisson inside bursts, nothing between them; the mean over both is the rate that was asked for.
    Bursts {
        /// Mean length of a burst.
        on_ns: f64,
        /// Mean length of a pause.
        off_ns: f64,
        /// Tail index of both lengths, above 1: the smaller, the heavier.
        shape: f64,
    },
}

/// Yields the instants at which requests are due.
#[derive(Clone, Debug)]
pub struct Arrivals {
    gap_ns: f64,
    process: Process,
    random: Random,
    next_ns: f64,
    /// When the present burst ends.
    burst_end_ns: f64,
}

impl Arrivals {
    /// Arrivals at `rate` a second from `start_ns` on; `rate > 0`.
    pub fn new(process: Process, rate: f64, start_ns: u64, random: Random) -> Self {
        assert!(rate > 0.0, "an open loop needs a rate");
        let mut gap_ns = 1e9 / rate;
        if let Process::Bursts { on_ns, off_ns, shape } = process {
            assert!(on_ns > 0.0, "bursts have a length");
            assert!(off_ns >= 0.0, "pauses have a length");
            assert!(shape > 1.0, "a tail index of 1 or less has no mean");
            gap_ns *= on_ns / (on_ns + off_ns);
        }
        let next_ns = start_ns as f64;
        let mut arrivals = Self { gap_ns, process, random, next_ns, burst_end_ns: next_ns };
        arrivals.advance();
        arrivals
    }

    /// When the next request is due.
    #[inline]
    pub fn due_ns(&self) -> u64 {
        self.next_ns as u64
    }

    /// Moves on to the one after it.
    #[inline]
    pub fn advance(&mut self) {
        match self.process {
            Process::Fixed => self.next_ns += self.gap_ns,
            Process::Poisson => self.next_ns += self.random.exponential(self.gap_ns),
            Process::Bursts { on_ns, off_ns, shape } => {
                self.next_ns += self.random.exponential(self.gap_ns);
                while self.next_ns > self.burst_end_ns {
                    let beyond = self.next_ns - self.burst_end_ns;
                    let pause = pareto(&mut self.random, off_ns, shape);
                    self.next_ns = self.burst_end_ns + pause + beyond;
                    self.burst_end_ns += pause + pareto(&mut self.random, on_ns, shape);
                }
            }
        }
    }
}

/// A bounded Pareto number with this mean and tail index.
pub fn pareto(random: &mut Random, mean: f64, shape: f64) -> f64 {
    let shortest = mean / mean_over_shortest(shape);
    let ratio = TAIL_MAX.powf(-shape);
    let u = 1.0 - random.unit();
    shortest * (1.0 - u * (1.0 - ratio)).powf(-1.0 / shape)
}

/// Mean of a bounded Pareto number whose smallest value is 1 and whose largest is `TAIL_MAX`.
fn mean_over_shortest(shape: f64) -> f64 {
    shape / (shape - 1.0) * (1.0 - TAIL_MAX.powf(1.0 - shape)) / (1.0 - TAIL_MAX.powf(-shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dues(process: Process, rate: f64, count: usize) -> Vec<u64> {
        let mut arrivals = Arrivals::new(process, rate, 0, Random::new(6));
        (0..count)
            .map(|_| {
                let due = arrivals.due_ns();
                arrivals.advance();
                due
            })
            .collect()
    }

    /// Variance over mean of the arrivals per window: 0 for a clock, 1 for Poisson, more for bursts.
    fn dispersion(dues: &[u64], window_ns: u64) -> f64 {
        let mut counts = vec![0f64; (dues[dues.len() - 1] / window_ns) as usize];
        for due in dues {
            if let Some(count) = counts.get_mut((due / window_ns) as usize) {
                *count += 1.0;
            }
        }
        let mean = counts.iter().sum::<f64>() / counts.len() as f64;
        counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / counts.len() as f64 / mean
    }

    #[test]
    fn every_process_keeps_its_rate() {
        let bursts = Process::Bursts { on_ns: 2e6, off_ns: 6e6, shape: 1.8 };
        for (process, tolerance) in [(Process::Fixed, 0.001), (Process::Poisson, 0.01), (bursts, 0.1)] {
            let dues = dues(process, 100_000.0, 1_000_000);
            let rate = dues.len() as f64 / (dues[dues.len() - 1] as f64 / 1e9);
            assert!((rate / 100_000.0 - 1.0).abs() < tolerance, "{process:?}: {rate}");
        }
    }

    #[test]
    fn dispersion_tells_the_processes_apart() {
        let bursts = Process::Bursts { on_ns: 2e6, off_ns: 6e6, shape: 1.5 };
        let of = |process| dispersion(&dues(process, 100_000.0, 200_000), 1_000_000);
        assert!(of(Process::Fixed) < 0.1);
        assert!((0.9..1.1).contains(&of(Process::Poisson)));
        assert!(of(bursts) > 20.0);
    }

    #[test]
    fn pareto_has_its_mean_and_its_tail() {
        let mut random = Random::new(7);
        let draws: Vec<f64> = (0..1_000_000).map(|_| pareto(&mut random, 10.0, 2.0)).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        assert!((9.8..10.2).contains(&mean), "{mean}");
        let smallest = draws.iter().copied().fold(f64::MAX, f64::min);
        let beyond = |x: f64| draws.iter().filter(|&&d| d > x).count() as f64 / draws.len() as f64;
        assert!((beyond(smallest * 10.0) - 0.01).abs() < 0.001);
        assert!(draws.iter().all(|&d| d <= smallest * TAIL_MAX * 1.001));
    }
}
