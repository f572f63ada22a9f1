//! The link between the nodes while a move goes over it: how many bytes, how many in any second, and a cut.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::scenario::moves::network::{Network, Sent};

/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(10);
/// A look that took longer does not say of which instant it is, and is repeated, so often at the most.
const LOOK_MAX: (Duration, usize) = (Duration::from_micros(200), 20);

/// What went over the link.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkWatch {
    /// Instants and the bytes sent until then, in segments with headers.
    counts: Vec<(Duration, u64)>,
    /// When it was cut.
    pub cut_at: Option<Duration>,
}

impl LinkWatch {
    /// Bytes sent while it was watched.
    pub fn total_bytes(&self) -> u64 {
        match (self.counts.first(), self.counts.last()) {
            (Some((_, first)), Some((_, last))) => last - first,
            _ => 0,
        }
    }

    /// Most bytes in any `window`. Looks that came late make it longer, never shorter, so they are scaled back.
    pub fn most_bytes_within(&self, window: Duration) -> f64 {
        let mut most = 0.0f64;
        let mut end = 0;
        for (at, bytes) in &self.counts {
            while end + 1 < self.counts.len() && self.counts[end].0 < *at + window {
                end += 1;
            }
            let (end_at, end_bytes) = self.counts[end];
            let length = end_at.saturating_sub(*at).max(window);
            most = most.max((end_bytes - bytes) as f64 * window.as_secs_f64() / length.as_secs_f64());
        }
        most
    }
}

/// Watches until `stop` is set. `source` is a process in the source's namespace; the link is cut once when `cut_after`
/// bytes have been sent.
pub fn watch(
    network: &Network,
    source: u32,
    cut_after: Option<u64>,
    stop: &AtomicBool,
) -> io::Result<LinkWatch> {
    let mut watch = LinkWatch::default();
    let started = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let (at, sent) = look(network, source, started)?;
        watch.counts.push((at, sent.bytes_in_segments()));
        let is_due = cut_after.is_some_and(|bytes| watch.total_bytes() >= bytes);
        if is_due && watch.cut_at.is_none() {
            network.cut()?;
            watch.cut_at = Some(started.elapsed());
        }
        thread::sleep(INTERVAL);
    }
    Ok(watch)
}

/// What was sent until an instant. The looker shares its CPU: between clock and counters others may have run.
fn look(network: &Network, source: u32, started: Instant) -> io::Result<(Duration, Sent)> {
    let (length_max, repeats_max) = LOOK_MAX;
    let mut repeats = 0;
    loop {
        let (at, sent) = (started.elapsed(), network.sent(source)?);
        if started.elapsed() - at <= length_max || repeats == repeats_max {
            return Ok((at, sent));
        }
        repeats += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_second_is_found_wherever_it_begins() {
        let at = |ms: u64, bytes: u64| (Duration::from_millis(ms), bytes);
        let counts =
            vec![at(0, 100), at(500, 150), at(1000, 250), at(1500, 900), at(2000, 950), at(3000, 960)];
        let watch = LinkWatch { counts, cut_at: None };
        assert_eq!(watch.total_bytes(), 860);
        assert_eq!(watch.most_bytes_within(Duration::from_secs(1)), 750.0);
        assert_eq!(LinkWatch::default().most_bytes_within(Duration::from_secs(1)), 0.0);
    }
}
