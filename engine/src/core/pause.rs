//! CLIENT PAUSE: commands wait instead of running.

use super::Now;
use crate::commands::{Flag, Spec};

/// Until when which commands wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pause {
    until_ms: u64,
    writes_only: bool,
}

impl Pause {
    /// Pauses until `until_ms`. A pause that runs is never shortened or weakened.
    pub fn begin(&mut self, until_ms: u64, writes_only: bool, now: Now) {
        let is_stricter = self.is_active(now) && !self.writes_only;
        self.writes_only = writes_only && !is_stricter;
        self.until_ms = if self.is_active(now) { self.until_ms.max(until_ms) } else { until_ms };
    }

    /// Ends it.
    pub fn end(&mut self) {
        *self = Self::default();
    }

    /// Whether reads go on.
    pub fn is_of_writes(&self) -> bool {
        self.writes_only
    }

    /// When it ends, if it runs.
    pub fn ends_ms(&self, now: Now) -> Option<u64> {
        self.is_active(now).then_some(self.until_ms)
    }

    /// Whether a pause runs. Keys neither expire nor are evicted meanwhile.
    #[inline]
    pub fn is_active(&self, now: Now) -> bool {
        now.unix_ms < self.until_ms
    }

    /// Whether a command has to wait. CLIENT UNPAUSE never does: otherwise nobody could end what somebody began.
    #[inline]
    pub fn holds(&self, spec: &Spec, now: Now) -> bool {
        self.is_active(now)
            && (!self.writes_only || spec.is_write() || spec.flags.has(Flag::MayReplicate))
            && spec.name != "client|unpause"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::Flags;

    #[test]
    fn a_pause_only_grows_until_it_ends() {
        let at = |unix_ms| Now { unix_ms, monotonic_us: 0 };
        let (read, write) = (&Spec::BASE, &Spec { flags: Flags::of(&[Flag::Write]), ..Spec::BASE });
        let mut pause = Pause::default();
        assert!(!pause.holds(write, at(0)));
        pause.begin(100, true, at(0));
        assert!(pause.holds(write, at(99)) && !pause.holds(read, at(99)) && !pause.holds(write, at(100)));
        pause.begin(50, false, at(0));
        pause.begin(60, true, at(1));
        assert!(pause.holds(read, at(99)) && pause.ends_ms(at(1)) == Some(100));
        pause.begin(300, true, at(200));
        assert!(!pause.holds(read, at(250)) && pause.holds(write, at(250)));
        pause.end();
        assert!(!pause.is_active(at(250)));
    }
}
