//! What the process and the reactor tell a core for INFO, and what follows from it over time.

use super::core_stats::LimitUse;
use super::counters::Counters;
use super::process::Process;
use super::rate::Rate;
use crate::core::Now;
use std::collections::BTreeMap;

/// What a core is told for INFO. The process overwrites `process`, `outside` and `limits` a few times a second and calls
/// [`sample`](Self::sample) every 100 ms.
#[derive(Debug, Default)]
pub struct Observed {
    /// The process and the machine.
    pub process: Process,
    /// What is counted outside of the engine, as totals since the start: connections, bytes, turns, what was forwarded.
    pub outside: Counters,
    /// Queues and buffers outside of the engine, by name.
    pub limits: BTreeMap<&'static str, LimitUse>,
    /// `outside` at the last CONFIG RESETSTAT.
    at_reset: Counters,
    resets: u32,
    commands: Rate,
    bytes_in: Rate,
    bytes_out: Rate,
    turns: Rate,
    turn_us: Rate,
    used_bytes_peak: u64,
    used_bytes_peak_at_s: u64,
    over_memory: OverMemory,
    startup_bytes: u64,
}

/// For how long there has been more data than `maxmemory`.
#[derive(Clone, Copy, Debug, Default)]
struct OverMemory {
    since_us: Option<u64>,
    now_us: u64,
    before_us: u64,
}

impl OverMemory {
    fn sample(&mut self, now: Now, is_over: bool) {
        self.before_us += if is_over { 0 } else { std::mem::take(&mut self.now_us) };
        self.since_us = is_over.then(|| self.since_us.unwrap_or(now.monotonic_us));
        self.now_us = self.since_us.map_or(0, |since_us| now.monotonic_us.saturating_sub(since_us));
    }
}

impl Observed {
    /// Nothing so far, on a core that takes this much memory when it is empty.
    pub fn new(startup_bytes: u64) -> Self {
        Self { startup_bytes, ..Self::default() }
    }

    /// Notes how far the totals are, for the rates and the peak, and whether there is more data than `maxmemory`.
    pub fn sample(&mut self, now: Now, commands_processed: u64, used_bytes: u64, is_over_memory: bool) {
        self.over_memory.sample(now, is_over_memory);
        self.commands.sample(now.monotonic_us, commands_processed);
        self.bytes_in.sample(now.monotonic_us, self.outside.net_input_bytes);
        self.bytes_out.sample(now.monotonic_us, self.outside.net_output_bytes);
        self.turns.sample(now.monotonic_us, self.outside.turns);
        self.turn_us.sample(now.monotonic_us, self.outside.turn_us);
        if used_bytes > self.used_bytes_peak {
            (self.used_bytes_peak, self.used_bytes_peak_at_s) = (used_bytes, now.unix_s());
        }
    }

    /// Counts what is outside of the engine anew, and starts the peak from now (`CONFIG RESETSTAT`).
    pub fn reset(&mut self, used_bytes: u64) {
        self.at_reset = self.outside;
        self.resets = self.resets.wrapping_add(1);
        self.over_memory.before_us = 0;
        self.used_bytes_peak = used_bytes;
    }

    /// Tells one CONFIG RESETSTAT from the next: whoever measures what is longest starts anew then.
    pub fn resets(&self) -> u32 {
        self.resets
    }

    /// What is known from outside, with rates and peak.
    pub fn counters(&self, used_bytes: u64) -> Counters {
        Counters {
            commands_per_second: self.commands.per_second(),
            net_input_bytes_per_second: self.bytes_in.per_second(),
            net_output_bytes_per_second: self.bytes_out.per_second(),
            turns_per_second: self.turns.per_second(),
            turn_us_per_second: self.turn_us.per_second(),
            used_bytes_peak: self.used_bytes_peak.max(used_bytes),
            used_bytes_peak_at_s: self.used_bytes_peak_at_s,
            over_memory_ms: self.over_memory.now_us / 1000,
            over_memory_ms_total: (self.over_memory.before_us + self.over_memory.now_us) / 1000,
            startup_bytes: self.startup_bytes,
            ..self.outside.since(&self.at_reset)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_start_anew_and_rates_do_not() {
        let mut observed = Observed::new(100);
        for tenth in 0..=20 {
            observed.outside.net_input_bytes = tenth * 1000;
            observed.outside.connections_received = 5;
            observed.sample(
                Now { unix_ms: 0, monotonic_us: tenth * 100_000 },
                tenth,
                7000 - tenth,
                (5..15).contains(&tenth),
            );
        }
        let counters = observed.counters(3000);
        assert_eq!((counters.net_input_bytes, counters.net_input_bytes_per_second), (20_000, 10_000));
        assert_eq!((counters.commands_per_second, counters.used_bytes_peak), (10, 7000));
        assert_eq!((counters.over_memory_ms, counters.over_memory_ms_total), (0, 900));
        observed.reset(3000);
        assert_eq!(observed.resets(), 1);
        observed.outside.net_input_bytes += 1;
        let counters = observed.counters(3000);
        assert_eq!((counters.net_input_bytes, counters.connections_received), (1, 0));
        assert_eq!((counters.net_input_bytes_per_second, counters.used_bytes_peak), (10_000, 3000));
        assert_eq!(counters.startup_bytes, 100);
    }
}
