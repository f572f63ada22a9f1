//! Until when this process may serve: its lease in the cluster's store, as the cores see it.
//!
//! A core asks once in a loop of its own. It serves while the lease surely runs *and* its table was made after the
//! registration that the lease belongs to: a process that lost its lease and registered anew serves nothing before it has
//! heard what it still owns.
//!
//! The time goes on while the machine sleeps (`CLOCK_BOOTTIME`), as it does for the store.

use std::sync::atomic::{AtomicU64, Ordering};

use rustix::time::{ClockId, clock_gettime};

/// Until when this process may serve.
pub struct Lease {
    /// In microseconds of `boottime_us`; `u64::MAX` for ever.
    serve_until_us: AtomicU64,
    /// The registration that the lease belongs to.
    incarnation: AtomicU64,
}

impl Lease {
    /// Without a store nobody can take a process' slots away.
    pub fn endless(incarnation: u64) -> Lease {
        Lease { serve_until_us: AtomicU64::new(u64::MAX), incarnation: AtomicU64::new(incarnation) }
    }

    /// Not registered yet.
    pub fn none() -> Lease {
        Lease { serve_until_us: AtomicU64::new(0), incarnation: AtomicU64::new(0) }
    }

    /// The process is registered, and may serve until then.
    pub fn begin(&self, incarnation: u64, until_us: u64) {
        self.incarnation.store(incarnation, Ordering::Release);
        self.serve_until_us.store(until_us, Ordering::Release);
    }

    /// The store has granted more time.
    pub fn extend(&self, until_us: u64) {
        self.serve_until_us.store(until_us, Ordering::Release);
    }

    /// The registration is gone.
    pub fn end(&self) {
        self.serve_until_us.store(0, Ordering::Release);
    }

    /// The registration that the lease belongs to; 0 before the first.
    pub fn incarnation(&self) -> u64 {
        self.incarnation.load(Ordering::Acquire)
    }

    /// Whether it never runs out.
    #[inline]
    pub fn is_endless(&self) -> bool {
        self.serve_until_us.load(Ordering::Acquire) == u64::MAX
    }

    /// Whether a core may serve whose table was made under this registration.
    #[inline]
    pub fn covers(&self, incarnation: u64) -> bool {
        match self.serve_until_us.load(Ordering::Acquire) {
            u64::MAX => true,
            until_us => self.is_running(until_us, incarnation),
        }
    }

    fn is_running(&self, until_us: u64, incarnation: u64) -> bool {
        incarnation != 0 && incarnation == self.incarnation() && boottime_us() < until_us
    }
}

/// Microseconds since the machine was started, sleep included.
pub fn boottime_us() -> u64 {
    let time = clock_gettime(ClockId::Boottime);
    // Neither part is negative for this clock.
    time.tv_sec as u64 * 1_000_000 + time.tv_nsec as u64 / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_serves_under_the_lease_of_its_table() {
        const HOUR_US: u64 = 3_600_000_000;
        assert!(Lease::endless(1).covers(1));
        let lease = Lease::none();
        assert!(!lease.covers(0) && !lease.covers(1));
        lease.begin(7, boottime_us() + HOUR_US);
        assert!(lease.covers(7) && !lease.covers(6) && !lease.covers(0));
        lease.extend(boottime_us());
        assert!(!lease.covers(7));
        lease.extend(boottime_us() + HOUR_US);
        assert!(lease.covers(7));
        lease.end();
        assert!(!lease.covers(7));
        lease.begin(8, boottime_us() + HOUR_US);
        assert!(!lease.covers(7) && lease.covers(8));
    }
}
