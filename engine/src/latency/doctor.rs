//! LATENCY DOCTOR: the spikes in sentences, with what can be done about them.

use std::fmt::Write;

use super::monitor::Monitor;
use super::series::Series;

/// What advice depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DoctorFacts {
    /// The present time, in seconds since 1970.
    pub now_unix_seconds: u64,
    /// `latency-monitor-threshold`: the shortest spike that is kept. 0: none is.
    pub threshold_ms: u64,
    /// `slowlog-log-slower-than`: the shortest command that the slow log keeps. Below 0: none is.
    pub slowlog_slower_than_us: i64,
    /// `slowlog-max-len`: the entries of the slow log.
    pub slowlog_entries_max: u64,
}

impl Monitor {
    /// The report.
    #[must_use]
    pub fn doctor(&self, facts: &DoctorFacts) -> String {
        if self.events().len() == 0 {
            return match facts.threshold_ms {
                0 => "The latency monitor is off, so there is nothing to look at. \
                      Turn it on with \"CONFIG SET latency-monitor-threshold <milliseconds>\".\n"
                    .to_owned(),
                threshold_ms => format!("No spike of {threshold_ms} ms or more was seen. All is well.\n"),
            };
        }
        let mut out = "These events took longer than the latency monitor's threshold:\n\n".to_owned();
        let mut advice = Vec::new();
        for (number, (event, series)) in self.events().enumerate() {
            describe(&mut out, number + 1, event, series, facts);
            for sentence in advice_for(event, facts) {
                if !advice.contains(&sentence) {
                    advice.push(sentence);
                }
            }
        }
        if !advice.is_empty() {
            out.push_str("\nWhat can be done:\n\n");
            for sentence in advice {
                let _ = writeln!(out, "- {sentence}");
            }
        }
        out
    }
}

fn describe(out: &mut String, number: usize, event: &str, series: &Series, facts: &DoctorFacts) {
    let Some(summary) = series.summary(facts.now_unix_seconds) else { return };
    let seconds_each = summary.period_seconds as f64 / summary.samples as f64;
    let _ = writeln!(
        out,
        "{number}. {event}: {} spikes (average {} ms, mean deviation {} ms, one every {seconds_each:.2} s). \
         The worst ever took {} ms.",
        summary.samples,
        summary.average_ms,
        summary.deviation_ms,
        series.worst_ms(),
    );
}

const SLOWLOG_OFF: &str = "The slow log is off or has no room. Turn it on with \"CONFIG SET slowlog-log-slower-than \
                           <microseconds>\" and \"CONFIG SET slowlog-max-len 128\" to see which commands were slow.";
const SLOWLOG_BLIND: &str = "The slow log keeps only commands that take longer than the monitor's threshold. Lower \
                             slowlog-log-slower-than to see all commands that make spikes.";
const SLOWLOG_READ: &str = "Read the slow log with \"SLOWLOG GET\" and look for commands that work on many elements at \
                            once. SCAN and its relatives do the same in small steps.";
const CORE_SHARED: &str = "Simple commands were slow, so it was not they that took the time. Look for other processes \
                           and interrupts on the same cores, for swapping, and for a hypervisor that takes CPU away.";
const EVICTION: &str = "Many keys had to go at once. A sudden change of maxmemory or very large values do that; leave \
                        room for the largest values, and change maxmemory in small steps.";
const EXPIRY: &str = "Many keys expire in the same moment. Add a little chance to their times to live.";

fn advice_for(event: &str, facts: &DoctorFacts) -> Vec<&'static str> {
    match event {
        "command" => {
            if facts.slowlog_slower_than_us < 0 || facts.slowlog_entries_max == 0 {
                return vec![SLOWLOG_OFF];
            }
            let slower_than_ms = facts.slowlog_slower_than_us.unsigned_abs() / 1000;
            if slower_than_ms > facts.threshold_ms {
                vec![SLOWLOG_BLIND, SLOWLOG_READ]
            } else {
                vec![SLOWLOG_READ]
            }
        }
        "fast-command" => vec![CORE_SHARED],
        event if event.starts_with("eviction") => vec![EVICTION],
        event if event.starts_with("expire") => vec![EXPIRY],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Sample;
    use super::*;

    const FACTS: DoctorFacts = DoctorFacts {
        now_unix_seconds: 100,
        threshold_ms: 10,
        slowlog_slower_than_us: 10_000,
        slowlog_entries_max: 128,
    };

    fn monitor(events: &[&'static str]) -> Monitor {
        let mut monitor = Monitor::default();
        for event in events {
            monitor.add(event, 1, Sample { unix_seconds: 80, latency_ms: 20 });
            monitor.add(event, 1, Sample { unix_seconds: 90, latency_ms: 40 });
        }
        monitor
    }

    #[test]
    fn nothing_seen() {
        let off = DoctorFacts { threshold_ms: 0, ..FACTS };
        assert!(Monitor::default().doctor(&off).contains("is off"));
        assert!(Monitor::default().doctor(&FACTS).contains("10 ms or more"));
    }

    #[test]
    fn events_in_sentences() {
        let report = monitor(&["command", "other"]).doctor(&FACTS);
        for part in [
            "1. command: 2 spikes (average 30 ms",
            "deviation 10 ms, one every 10.00 s)",
            "2. other: ",
            "40 ms.",
        ] {
            assert!(report.contains(part), "{part}: {report}");
        }
    }

    #[test]
    fn advice_fits_the_event_and_comes_once() {
        let report =
            monitor(&["eviction-cycle", "eviction-del", "expire-cycle", "fast-command"]).doctor(&FACTS);
        for sentence in [EVICTION, EXPIRY, CORE_SHARED] {
            assert_eq!(report.matches(sentence).count(), 1, "{report}");
        }
        assert!(!monitor(&["other"]).doctor(&FACTS).contains("What can be done"));
    }

    #[test]
    fn advice_on_commands_depends_on_the_slow_log() {
        let advice = |slowlog_slower_than_us, slowlog_entries_max| {
            advice_for("command", &DoctorFacts { slowlog_slower_than_us, slowlog_entries_max, ..FACTS })
        };
        assert_eq!(advice(-1, 128), [SLOWLOG_OFF]);
        assert_eq!(advice(10_000, 0), [SLOWLOG_OFF]);
        assert_eq!(advice(20_000, 128), [SLOWLOG_BLIND, SLOWLOG_READ]);
        assert_eq!(advice(10_000, 128), [SLOWLOG_READ]);
    }
}
