//! What commands took: the quick ones of a turn together, by one look at the clock; others each by itself.

use whimbrel_engine::commands::{CommandId, Executed, Flag, Spec, finish, finish_group};
use whimbrel_engine::config::Config;
use whimbrel_engine::core::Now;
use whimbrel_engine::resp::Arguments;
use whimbrel_engine::session::Session;
use whimbrel_net::Monotonic;

use super::CoreService;

/// Arguments that a quick command may have in all.
const QUICK_BYTES_MAX: usize = 4096;

/// Quick commands that are accounted for together, once a chunk of them is done.
const GROUP_MIN: usize = 256;

/// Below this threshold of the slow log every command is timed by itself.
const SLOWLOG_US_MIN: i64 = 1000;

/// The clock of a core's commands.
pub struct Timing {
    /// When the last timed command, or the last group, ended.
    lap_start: Monotonic,
    /// Quick commands since then.
    group: Vec<CommandId>,
}

impl Timing {
    pub fn new() -> Timing {
        Timing { lap_start: Monotonic::now(), group: Vec::new() }
    }

    /// A new chunk of commands begins now, unless it joins the quick ones before it.
    pub fn begin(&mut self) {
        if self.group.is_empty() {
            self.lap_start = Monotonic::now();
        }
    }

    /// Nanoseconds since the last lap, and a new one begins.
    pub fn lap_ns(&mut self) -> u64 {
        let now = Monotonic::now();
        let elapsed = now.since(self.lap_start);
        self.lap_start = now;
        elapsed.as_nanos() as u64
    }
}

/// Whether a command takes so little that timing it would take as long.
pub fn is_quick(config: &Config, spec: &Spec, arguments: &Arguments<'_>) -> bool {
    let constant = spec.flags.has(Flag::Fast) || spec.complexity.starts_with("O(1)");
    let watched =
        config.latency_monitor_threshold > 0 || (0..SLOWLOG_US_MIN).contains(&config.slowlog_log_slower_than);
    constant && !watched && arguments.len() <= 4 && arguments.bytes_total() <= QUICK_BYTES_MAX
}

impl CoreService {
    /// Notes a quick command that has run.
    pub(super) fn note_quick(&mut self, executed: Executed) {
        self.core.redacted_from = None;
        if let Executed::Ran { command, .. } = executed {
            self.timing.group.push(command.id);
        }
    }

    /// Accounts for the quick commands so far if there are many.
    pub(super) fn settle_large_group(&mut self) {
        if self.timing.group.len() >= GROUP_MIN {
            self.settle_group();
        }
    }

    /// Accounts for the quick commands so far.
    pub(super) fn settle_group(&mut self) {
        if !self.timing.group.is_empty() {
            let elapsed_ns = self.timing.lap_ns();
            finish_group(&mut self.core, &self.timing.group, elapsed_ns);
            self.timing.group.clear();
        }
    }

    /// Accounts for a command that was timed by itself.
    pub(super) fn note(
        &mut self,
        session: &Session,
        now: Now,
        executed: Executed,
        arguments: &Arguments<'_>,
    ) {
        let elapsed_ns = self.timing.lap_ns();
        finish(&mut self.core, session, now, executed, arguments, elapsed_ns);
    }
}
