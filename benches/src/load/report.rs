//! The result of one run of the load generator.

use serde::{Deserialize, Serialize};

use crate::load::kept::KeptReplies;

/// Latency percentiles in microseconds, from the instant a command was due to its reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Mean.
    pub mean_us: f64,
    /// Median.
    pub p50_us: f64,
    /// 90 of 100 are not above.
    pub p90_us: f64,
    /// 99 of 100 are not above.
    pub p99_us: f64,
    /// 999 of 1000 are not above.
    pub p999_us: f64,
    /// The longest.
    pub max_us: f64,
}

/// What a run measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Commands answered inside the window.
    pub operations: u64,
    /// Length of the window.
    pub seconds: f64,
    /// Operations a second.
    pub throughput: f64,
    /// Latencies of commands due inside the window.
    pub latency: Latency,
    /// Replies that say there is no such key.
    pub nulls: u64,
    /// Error replies, redirections not among them.
    pub errors: u64,
    /// The first error.
    pub first_error: Option<String>,
    /// Commands sent again after a redirection.
    pub redirects: u64,
    /// Commands whose connection ended before the reply.
    pub lost: u64,
    /// Commands that were due and never sent, because too many were under way.
    pub shed: u64,
    /// Bytes sent, warm-up included.
    pub sent_bytes: u64,
    /// Bytes received, warm-up included.
    pub received_bytes: u64,
    /// Share of the window that the sending threads were on a CPU: near 1 in a closed loop, the client is the limit.
    pub client_busy: f64,
    /// The sending threads spun between arrivals, so `client_busy` says nothing.
    pub spun: bool,
    /// The longest replies, if the plan asks for them.
    #[serde(skip)]
    pub kept: KeptReplies,
}

impl Report {
    /// The report as text, one fact a line.
    pub fn text(&self) -> String {
        let Latency { mean_us, p50_us, p90_us, p99_us, p999_us, max_us } = self.latency;
        let mut lines = vec![
            format!(
                "throughput   {:.0} ops/s ({} operations in {:.2} s)",
                self.throughput, self.operations, self.seconds
            ),
            format!(
                "latency      p50 {p50_us:.1} µs  p90 {p90_us:.1} µs  p99 {p99_us:.1} µs  p99.9 {p999_us:.1} µs  \
                 max {max_us:.1} µs  mean {mean_us:.1} µs"
            ),
            format!(
                "client       {:.0} % busy, {} bytes out, {} bytes in",
                self.client_busy * 100.0,
                self.sent_bytes,
                self.received_bytes
            ),
            format!("replies      {} errors, {} without a value", self.errors, self.nulls),
        ];
        if let Some(error) = &self.first_error {
            lines.push(format!("first error  {error}"));
        }
        if self.redirects > 0 {
            lines.push(format!("redirects    {}", self.redirects));
        }
        if self.lost > 0 || self.shed > 0 {
            lines.push(format!(
                "unanswered   {} lost with their connection, {} never sent",
                self.lost, self.shed
            ));
        }
        lines.join("\n")
    }
}
