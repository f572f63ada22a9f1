//! One measurement of one cell on one server, and the median of several.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::load::kept::{KeptReplies, KeptReply};
use crate::load::report::Report;
use crate::machine::schedstat::Share;
use crate::machine::stalls::Stalls;

/// What one run of a cell gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Operations a second.
    pub throughput: f64,
    /// The server's CPU time, all threads, kernel included.
    pub cpu_ns_per_operation: f64,
    /// Median latency.
    pub p50_us: f64,
    /// 99 of 100 are not above.
    pub p99_us: f64,
    /// 999 of 1000 are not above.
    pub p999_us: f64,
    /// The same of the replies that no stall of the machine has spoilt, where that was watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p999_ran_us: Option<f64>,
    /// Share of the replies that stalls have spoilt, as far as they took long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spoilt: Option<f64>,
    /// The longest.
    pub max_us: f64,
    /// Share of the time that the client was on its CPU.
    pub client_busy: f64,
    /// Share of the time that the server's threads were ready to run and did not: above a few hundredths, something
    /// else ran on their CPU, and the figures are worth little.
    pub server_waited: f64,
    /// Error replies.
    pub errors: u64,
}

impl Sample {
    /// From a run's report and what the server had of its CPUs meanwhile.
    pub fn new(report: &Report, server: Share) -> Self {
        Self {
            throughput: report.throughput,
            cpu_ns_per_operation: server.ran_ns as f64 / report.operations.max(1) as f64,
            p50_us: report.latency.p50_us,
            p99_us: report.latency.p99_us,
            p999_us: report.latency.p999_us,
            p999_ran_us: None,
            spoilt: None,
            max_us: report.latency.max_us,
            client_busy: report.client_busy,
            server_waited: server.waited_ns as f64 / 1e9 / report.seconds,
            errors: report.errors + report.lost + report.shed,
        }
    }

    /// With what the stalls of the machine, watched meanwhile from `origin` on, have spoilt.
    pub fn beside(self, kept: &KeptReplies, stalls: &Stalls, origin: Instant) -> Self {
        let is_spoilt = |reply: &KeptReply| reply.is_spoilt(stalls, origin);
        Self {
            p999_ran_us: kept.one_in(1000, is_spoilt).map(|latency| latency.as_nanos() as f64 / 1000.0),
            spoilt: Some(kept.count(is_spoilt) as f64 / kept.timed.max(1) as f64),
            ..self
        }
    }

    /// The median of every figure by itself; of errors the sum, so that none hides.
    pub fn median(samples: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(samples.iter().map(figure).collect());
        let of_known = |figure: fn(&Self) -> Option<f64>| {
            let known: Vec<f64> = samples.iter().filter_map(figure).collect();
            (!known.is_empty()).then(|| median(known))
        };
        Self {
            throughput: of(|s| s.throughput),
            cpu_ns_per_operation: of(|s| s.cpu_ns_per_operation),
            p50_us: of(|s| s.p50_us),
            p99_us: of(|s| s.p99_us),
            p999_us: of(|s| s.p999_us),
            p999_ran_us: of_known(|s| s.p999_ran_us),
            spoilt: of_known(|s| s.spoilt),
            max_us: of(|s| s.max_us),
            client_busy: of(|s| s.client_busy),
            server_waited: of(|s| s.server_waited),
            errors: samples.iter().map(|s| s.errors).sum(),
        }
    }
}

/// The middle value, or the mean of the two middle ones; 0 of nothing.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        let cases: [(&[f64], f64); 5] = [
            (&[], 0.0),
            (&[3.0], 3.0),
            (&[9.0, 1.0], 5.0),
            (&[5.0, 1.0, 100.0], 5.0),
            (&[4.0, 1.0, 100.0, 2.0], 3.0),
        ];
        for (values, wanted) in cases {
            assert_eq!(median(values.to_vec()), wanted, "{values:?}");
        }
    }

    #[test]
    fn figures_have_their_own_median_and_errors_add_up() {
        let sample = |throughput, p99_us, errors| Sample { throughput, p99_us, errors, ..Sample::default() };
        let median = Sample::median(&[sample(1.0, 30.0, 1), sample(2.0, 10.0, 0), sample(3.0, 20.0, 2)]);
        assert_eq!((median.throughput, median.p99_us, median.errors), (2.0, 20.0, 3));
        assert_eq!(median.p999_ran_us, None);
        let watched = |p999_ran_us| Sample { p999_ran_us, ..Sample::default() };
        assert_eq!(
            Sample::median(&[watched(Some(4.0)), watched(None), watched(Some(6.0))]).p999_ran_us,
            Some(5.0)
        );
    }
}
