//! The spikes of all events that had any.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::series::{Sample, Series};
use crate::info::codec::{Reader, put_text, put_u64};

/// The latency monitor of one core, or of several together.
#[derive(Clone, Debug, Default)]
pub struct Monitor {
    /// By the name of the event. As many as there are names in the code, not more.
    events: BTreeMap<Cow<'static, str>, Series>,
}

impl Monitor {
    /// Adds a spike that has just ended, if it took at least `threshold_ms`. A threshold of 0 turns the monitor off.
    pub fn add(&mut self, event: &'static str, threshold_ms: u64, sample: Sample) {
        if threshold_ms > 0 && sample.latency_ms >= threshold_ms {
            self.events.entry(Cow::Borrowed(event)).or_default().add(sample);
        }
    }

    /// Adds what another core saw.
    pub fn merge(&mut self, other: &Self) {
        for (event, series) in &other.events {
            self.events.entry(event.clone()).or_default().merge(series);
        }
    }

    /// The events with their spikes, by name.
    pub fn events(&self) -> impl ExactSizeIterator<Item = (&str, &Series)> {
        self.events.iter().map(|(event, series)| (&**event, series))
    }

    /// The spikes of the event of exactly this name.
    #[must_use]
    pub fn event(&self, name: &[u8]) -> Option<&Series> {
        self.events.get(str::from_utf8(name).ok()?)
    }

    /// Appends all events as bytes, for another core.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_u64(out, self.events.len() as u64);
        for (event, series) in &self.events {
            put_text(out, event);
            series.encode(out);
        }
    }

    /// Reads what [`encode`](Self::encode) wrote; `None` for other bytes.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        let event =
            |reader: &mut Reader<'_>| Some((Cow::Owned(reader.text()?.to_owned()), Series::decode(reader)?));
        let events = reader.list(event)?.into_iter().collect();
        reader.0.is_empty().then_some(Self { events })
    }

    /// Forgets an event, in whatever case its name is written. Returns whether there was one.
    pub fn reset(&mut self, name: &[u8]) -> bool {
        let count = self.events.len();
        self.events.retain(|event, _| !event.as_bytes().eq_ignore_ascii_case(name));
        self.events.len() < count
    }

    /// Forgets all events. Returns how many there were.
    pub fn reset_all(&mut self) -> u64 {
        let events = std::mem::take(&mut self.events);
        events.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spike(latency_ms: u64) -> Sample {
        Sample { unix_seconds: 1, latency_ms }
    }

    fn names(monitor: &Monitor) -> Vec<&str> {
        monitor.events().map(|(event, _)| event).collect()
    }

    #[test]
    fn only_spikes_over_the_threshold() {
        let mut monitor = Monitor::default();
        monitor.add("command", 0, spike(1000));
        monitor.add("command", 100, spike(99));
        assert_eq!(names(&monitor), [] as [&str; 0]);
        monitor.add("command", 100, spike(100));
        monitor.add("eviction-cycle", 100, spike(101));
        assert_eq!(names(&monitor), ["command", "eviction-cycle"]);
        assert_eq!(monitor.event(b"command").map(Series::worst_ms), Some(100));
        assert!(monitor.event(b"COMMAND").is_none());
        assert!(monitor.event(b"\xff").is_none());
    }

    #[test]
    fn reset() {
        let mut monitor = Monitor::default();
        for event in ["command", "expire-cycle", "eviction-cycle"] {
            monitor.add(event, 1, spike(5));
        }
        assert!(monitor.reset(b"Expire-Cycle"));
        assert!(!monitor.reset(b"expire-cycle"));
        assert_eq!(names(&monitor), ["command", "eviction-cycle"]);
        assert_eq!((monitor.reset_all(), monitor.reset_all()), (2, 0));
    }

    #[test]
    fn cores_together() {
        let (mut left, mut right) = (Monitor::default(), Monitor::default());
        left.add("command", 1, spike(5));
        right.add("command", 1, spike(8));
        right.add("expire-cycle", 1, spike(2));
        let mut bytes = Vec::new();
        right.encode(&mut bytes);
        assert!(Monitor::decode(&bytes[1..]).is_none());
        let right = Monitor::decode(&bytes).unwrap();
        left.merge(&right);
        assert_eq!(names(&left), ["command", "expire-cycle"]);
        assert_eq!(left.event(b"command").map(|series| (series.worst_ms(), series.count())), Some((8, 2)));
    }
}
