//! Commands that a connection has sent and that are not answered yet, oldest first.

use std::collections::VecDeque;

/// Commands in a row that were due at the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// When they were meant to go out.
    pub due_ns: u64,
    /// How many. `count > 0`; 1 where the command is known one by one.
    pub count: u32,
    /// What is needed to send it again after a redirection.
    pub command: Command,
}

/// A command that can be rendered again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Not kept: nobody will ask to send it again.
    Any,
    /// This template with this key.
    Known {
        /// Number in the workload.
        template: u16,
        /// Number of the key.
        key: u64,
    },
    /// The ASKING before a redirected command; its reply is no operation.
    Asking,
}

/// The queue of one connection.
#[derive(Debug, Default)]
pub struct InFlight {
    runs: VecDeque<Sent>,
    commands: u64,
}

impl InFlight {
    /// Adds commands that were just sent.
    #[inline]
    pub fn push(&mut self, sent: Sent) {
        self.commands += u64::from(sent.count);
        if sent.command == Command::Any
            && let Some(last) = self.runs.back_mut()
            && last.command == Command::Any
            && last.due_ns == sent.due_ns
        {
            last.count += sent.count;
        } else {
            self.runs.push_back(sent);
        }
    }

    /// Takes out at most `count` commands from the front, all of one run. None when nothing was sent.
    #[inline]
    pub fn take(&mut self, count: u64) -> Option<Sent> {
        let run = self.runs.front_mut()?;
        let taken = u64::from(run.count).min(count) as u32;
        let sent = Sent { count: taken, ..*run };
        self.commands -= u64::from(taken);
        run.count -= taken;
        if run.count == 0 {
            self.runs.pop_front();
        }
        Some(sent)
    }

    /// Commands without a reply.
    #[inline]
    pub fn commands(&self) -> u64 {
        self.commands
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn any(due_ns: u64, count: u32) -> Sent {
        Sent { due_ns, count, command: Command::Any }
    }

    #[test]
    fn runs_join_and_split() {
        let mut queue = InFlight::default();
        queue.push(any(1, 3));
        queue.push(any(1, 2));
        queue.push(any(2, 1));
        assert_eq!(queue.runs.len(), 2);
        assert_eq!(queue.take(4), Some(any(1, 4)));
        assert_eq!(queue.take(9), Some(any(1, 1)));
        assert_eq!(queue.commands(), 1);
        assert_eq!(queue.take(1), Some(any(2, 1)));
        assert_eq!(queue.take(1), None);
    }

    #[test]
    fn known_commands_stay_apart() {
        let mut queue = InFlight::default();
        let known = Sent { due_ns: 1, count: 1, command: Command::Known { template: 0, key: 7 } };
        queue.push(known);
        queue.push(known);
        assert_eq!(queue.take(2), Some(known));
        assert_eq!(queue.commands(), 1);
    }
}
