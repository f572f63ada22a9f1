//! Counters of one core: per command, per error code, and in total.

use std::collections::BTreeMap;

use crate::commands::CommandId;
use crate::latency::Histogram;

/// Distinct error codes that are counted; what comes later is not.
const ERROR_CODES_MAX: usize = 128;

/// The counters of one command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandStats {
    /// Times it ran.
    pub calls: u64,
    /// Time it took altogether, in nanoseconds.
    pub nanos: u64,
    /// Times it was refused before it ran (arity, password, memory).
    pub rejected_calls: u64,
    /// Times it ran and answered an error.
    pub failed_calls: u64,
    /// How long it took how often (`latency-tracking`).
    pub histogram: Option<Histogram>,
}

impl CommandStats {
    /// Counts what the same command did on another core.
    pub fn merge(&mut self, other: &Self) {
        self.calls += other.calls;
        self.nanos += other.nanos;
        self.rejected_calls += other.rejected_calls;
        self.failed_calls += other.failed_calls;
        if let Some(more) = &other.histogram {
            self.histogram.get_or_insert_default().merge(more);
        }
    }
}

/// The counters of one core.
#[derive(Debug, Default)]
pub struct Stats {
    commands: Vec<CommandStats>,
    errors: BTreeMap<String, u64>,
    /// Commands that ran.
    pub commands_processed: u64,
    /// Errors that were answered.
    pub error_replies: u64,
    /// Connections that were accepted since the start or the last reset.
    pub connections_received: u64,
    /// Connections that were turned away: `maxclients`, or protected mode.
    pub rejected_connections: u64,
    /// Connections that were closed because their clients read too slowly.
    pub output_limit_closed: u64,
    /// Connections that were closed because a request was beyond `client-query-buffer-limit`.
    pub request_limit_closed: u64,
    /// Passwords that were wrong.
    pub auth_failures: u64,
}

impl Stats {
    /// The counters of command `id`, to be changed.
    #[inline]
    pub fn command_mut(&mut self, id: CommandId) -> &mut CommandStats {
        let index = id.index();
        if index >= self.commands.len() {
            self.commands.resize(index + 1, CommandStats::default());
        }
        &mut self.commands[index]
    }

    /// The counters of command `id`, if it was ever called.
    pub fn command(&self, id: CommandId) -> Option<&CommandStats> {
        self.commands.get(id.index())
    }

    /// Counts an error reply by its first word (`-ERR …` without the dash).
    pub fn count_error(&mut self, text: &str) {
        self.error_replies += 1;
        let code = text.split(' ').next().unwrap_or_default();
        if let Some(count) = self.errors.get_mut(code) {
            *count += 1;
        } else if self.errors.len() < ERROR_CODES_MAX {
            self.errors.insert(code.to_owned(), 1);
        }
    }

    /// How often each error code was answered, by name.
    pub fn errors(&self) -> impl Iterator<Item = (&str, u64)> {
        self.errors.iter().map(|(code, count)| (code.as_str(), *count))
    }

    /// Microseconds of all commands together.
    pub fn command_us(&self) -> u64 {
        self.commands.iter().map(|command| command.nanos).sum::<u64>() / 1000
    }

    /// Sets everything back to zero (`CONFIG RESETSTAT`).
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_by_code_and_bounded() {
        let mut stats = Stats::default();
        stats.count_error("ERR syntax error");
        stats.count_error("ERR no such key");
        stats.count_error("WRONGTYPE Operation");
        assert_eq!(stats.errors().collect::<Vec<_>>(), [("ERR", 2), ("WRONGTYPE", 1)]);
        (0..1000).for_each(|code| stats.count_error(&format!("E{code} x")));
        assert_eq!((stats.errors().count(), stats.error_replies), (ERROR_CODES_MAX, 1003));
    }
}
