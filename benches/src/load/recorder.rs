//! What one worker has measured.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::load::kept::{KeptReplies, KeptReply};
use crate::load::report::Latency;

/// Longest latency that is told apart; longer ones count as this.
const LATENCY_NS_MAX: u64 = 600_000_000_000;

/// Counters and latencies of a worker; those of all workers are added up at the end.
#[derive(Debug)]
pub struct Recorder {
    latency_ns: Histogram<u64>,
    /// Replies that take longer are kept one by one.
    kept_from_ns: u64,
    /// Those: when they were due, how long they took, and how many they were.
    kept: Vec<(u64, u64, u64)>,
    /// Commands due from here on are timed.
    pub window_start_ns: u64,
    /// Commands answered, since the start.
    pub answered: u64,
    /// Replies that say there is no such key.
    pub nulls: u64,
    /// Error replies, redirections not among them.
    pub errors: u64,
    /// The first error's text.
    pub first_error: Option<String>,
    /// Commands sent again after MOVED, ASK or TRYAGAIN.
    pub redirects: u64,
    /// Commands whose connection ended before the reply.
    pub lost: u64,
    /// Commands that were due while too many were under way, and never sent.
    pub shed: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// CPU time of the worker's thread inside the window.
    pub cpu_ns: u64,
}

impl Recorder {
    /// Nothing measured yet; timing starts when `window_start_ns` is set. Replies that take longer than `kept_from` are kept.
    pub fn new(kept_from: Option<Duration>) -> Self {
        Self {
            kept_from_ns: kept_from.map_or(u64::MAX, |from| from.as_nanos() as u64),
            kept: Vec::new(),
            latency_ns: Histogram::new_with_bounds(1, LATENCY_NS_MAX, 3).expect("the bounds are in order"),
            window_start_ns: u64::MAX,
            answered: 0,
            nulls: 0,
            errors: 0,
            first_error: None,
            redirects: 0,
            lost: 0,
            shed: 0,
            sent_bytes: 0,
            received_bytes: 0,
            cpu_ns: 0,
        }
    }

    /// Takes in `count` replies to commands that were due at `due_ns`.
    #[inline]
    pub fn answer(&mut self, due_ns: u64, now_ns: u64, count: u64) {
        self.answered += count;
        if due_ns >= self.window_start_ns {
            let latency_ns = now_ns.saturating_sub(due_ns).max(1);
            self.latency_ns.saturating_record_n(latency_ns, count);
            if latency_ns > self.kept_from_ns {
                self.kept.push((due_ns, latency_ns, count));
            }
        }
    }

    /// Takes in an error.
    #[cold]
    pub fn error(&mut self, text: &str) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| text.to_owned());
    }

    /// Adds another worker's measurements.
    pub fn merge(&mut self, other: &Self) {
        self.latency_ns.add(&other.latency_ns).expect("both have the same bounds");
        self.kept.extend(&other.kept);
        self.answered += other.answered;
        self.nulls += other.nulls;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or_else(|| other.first_error.clone());
        self.redirects += other.redirects;
        self.lost += other.lost;
        self.shed += other.shed;
        self.sent_bytes += other.sent_bytes;
        self.received_bytes += other.received_bytes;
        self.cpu_ns += other.cpu_ns;
    }

    /// The replies that were kept; instants count from `origin`.
    pub fn kept(&self, origin: Instant) -> KeptReplies {
        let reply = |&(due_ns, latency_ns, count): &(u64, u64, u64)| KeptReply {
            due: origin + Duration::from_nanos(due_ns),
            latency: Duration::from_nanos(latency_ns),
            count,
        };
        KeptReplies { timed: self.latency_ns.len(), replies: self.kept.iter().map(reply).collect() }
    }

    /// The latencies' percentiles.
    pub fn latency(&self) -> Latency {
        let us = |quantile: f64| self.latency_ns.value_at_quantile(quantile) as f64 / 1000.0;
        Latency {
            mean_us: self.latency_ns.mean() / 1000.0,
            p50_us: us(0.5),
            p90_us: us(0.9),
            p99_us: us(0.99),
            p999_us: us(0.999),
            max_us: self.latency_ns.max() as f64 / 1000.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_window_is_timed() {
        let mut recorder = Recorder::new(Some(Duration::from_micros(3)));
        recorder.answer(5, 1_000_000, 3);
        recorder.window_start_ns = 10;
        recorder.answer(9, 5_000_000, 2);
        recorder.answer(10, 2_010, 98);
        recorder.answer(10, 100_010, 2);
        assert_eq!(recorder.answered, 105);
        let latency = recorder.latency();
        assert!((latency.p50_us - 2.0).abs() < 0.01, "{latency:?}");
        assert!((latency.max_us - 100.0).abs() < 0.1, "{latency:?}");
        let origin = Instant::now();
        let kept = KeptReply {
            due: origin + Duration::from_nanos(10),
            latency: Duration::from_micros(100),
            count: 2,
        };
        assert_eq!(recorder.kept(origin), KeptReplies { timed: 100, replies: vec![kept] });
    }

    #[test]
    fn workers_add_up() {
        let (mut a, mut b) = (Recorder::new(None), Recorder::new(None));
        b.error("ERR x");
        b.answer(0, 1, 1);
        a.answer(0, 1, 2);
        a.merge(&b);
        assert_eq!((a.answered, a.errors, a.first_error.as_deref()), (3, 1, Some("ERR x")));
    }
}
