//! The limit on open descriptors, raised as far as the process may.

use crate::ring::system;

/// The limit on open descriptors before and after raising it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NofileReport {
    /// The soft limit as it was.
    pub before: u64,
    /// The soft limit now.
    pub now: u64,
    /// The hard limit, which only a privileged process may raise.
    pub hard: u64,
}

impl NofileReport {
    /// Whether `connections` fit beside `reserved` descriptors of other uses. Remedy otherwise: `ulimit -n`, or
    /// `LimitNOFILE=` in the unit.
    pub fn holds(&self, connections: u64, reserved: u64) -> bool {
        connections.saturating_add(reserved) <= self.now
    }
}

/// Raises the soft limit on open descriptors to the hard one. A failure leaves it as it was, which the report shows.
pub fn raise_nofile() -> NofileReport {
    let (before, hard) = system::nofile_limits();
    if before < hard {
        system::set_nofile_soft(hard, hard);
    }
    NofileReport { before, now: system::nofile_limits().0, hard }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reaches_the_hard_limit() {
        let report = raise_nofile();
        assert_eq!(report.now, report.hard);
        assert!(report.before <= report.now);
        assert!(report.holds(report.now - 1, 1));
        assert!(!report.holds(report.now, 1));
    }
}
