//! The pace of one worker while it runs.

use crate::load::plan::{self, Waiting};
use crate::traffic::arrivals::Arrivals;
use crate::traffic::random::Random;

/// A spinning worker that is due within this time does not sleep: a thread that sleeps may be woken late.
const SPIN_NS: u64 = 2_000_000;
/// A sleeping worker sleeps this long at least: waking for every single command would cost more than sending it.
const TICK_NS: u64 = 200_000;

/// When the worker sends.
#[derive(Debug)]
pub enum Pace {
    /// As soon as a connection has all its replies.
    Closed,
    /// At these instants.
    Open(Arrivals),
}

impl Pace {
    /// This worker's part of the plan's pace, from `start_ns` on.
    pub fn new(pace: plan::Pace, share: f64, pipeline: usize, start_ns: u64, random: Random) -> Self {
        match pace {
            plan::Pace::Closed => Self::Closed,
            plan::Pace::Open { rate, process } => {
                Self::Open(Arrivals::new(process, rate * share / pipeline as f64, start_ns, random))
            }
        }
    }

    /// How long the worker may sleep from `now_ns` on when nothing arrives, at most `longest_ns`.
    pub fn sleep_ns(&self, now_ns: u64, longest_ns: u64, waiting: Waiting) -> u64 {
        let Self::Open(arrivals) = self else { return longest_ns };
        let left_ns = arrivals.due_ns().saturating_sub(now_ns);
        let sleep_ns = match waiting {
            Waiting::Spin => left_ns.saturating_sub(SPIN_NS),
            Waiting::Sleep => left_ns.max(TICK_NS),
        };
        sleep_ns.min(longest_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::arrivals::Process;

    #[test]
    fn an_open_loop_sleeps_only_while_nothing_is_due_soon() {
        let open = plan::Pace::Open { rate: 100.0, process: Process::Fixed };
        let pace = Pace::new(open, 0.5, 1, 0, Random::new(1));
        let cases = [(0, 5_000_000), (14_000_000, 4_000_000), (19_000_000, 0), (30_000_000, 0)];
        for (now_ns, wanted) in cases {
            assert_eq!(pace.sleep_ns(now_ns, 5_000_000, Waiting::Spin), wanted);
        }
        for (now_ns, wanted) in [(19_000_000, 1_000_000), (20_000_000, TICK_NS)] {
            assert_eq!(pace.sleep_ns(now_ns, 5_000_000, Waiting::Sleep), wanted);
        }
    }
}
