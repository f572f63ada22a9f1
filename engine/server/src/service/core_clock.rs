//! The time for which a core's thread itself ran: what others had its CPU for does not count.
//!
//! Asking for it costs a system call, a turn of the loop may be shorter. So it is asked for no more often than [`LOOK_EVERY`],
//! and what is told of a turn may be too long by as much, never too short.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use whimbrel_net::Monotonic;

/// Time that passes at least between two looks.
const LOOK_EVERY: Duration = Duration::from_micros(100);

/// The clock of the calling thread, as far as it was looked at.
pub struct CoreClock {
    looked_at: Monotonic,
    ran: Duration,
}

impl Default for CoreClock {
    /// The clock of the calling thread, looked at now.
    fn default() -> CoreClock {
        CoreClock { looked_at: Monotonic::now(), ran: thread_time() }
    }
}

impl CoreClock {
    /// Looks if it is time to; says how long the thread ran since the look before.
    pub fn look(&mut self, now: Monotonic) -> Duration {
        if now.since(self.looked_at) < LOOK_EVERY {
            return Duration::ZERO;
        }
        self.looked_at = now;
        let before = std::mem::replace(&mut self.ran, thread_time());
        self.ran - before
    }

    /// For how long the thread ran since the clock was looked at.
    pub fn ran(&self) -> Duration {
        thread_time() - self.ran
    }

    /// For how much of the time that has `passed` until now the thread ran, if it was looked at no later than that began.
    pub fn ran_of(&self, passed: Duration) -> Duration {
        if passed < LOOK_EVERY { passed } else { passed.min(self.ran()) }
    }
}

/// Time for which the calling thread ran so far, in the kernel and outside.
fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_is_no_work() {
        const ASLEEP: Duration = Duration::from_millis(50);
        let mut clock = CoreClock::default();
        let start = Monotonic::now();
        clock.look(start.after(LOOK_EVERY));
        std::thread::sleep(ASLEEP);
        let passed = Monotonic::now().since(start);
        let ran = clock.ran_of(passed);
        assert!(ran < ASLEEP && passed >= ASLEEP, "{ran:?} of {passed:?}");
        assert_eq!(clock.ran_of(LOOK_EVERY / 2), LOOK_EVERY / 2, "too short to be looked at");
        let mut sum = 0u64;
        while clock.ran() < ASLEEP {
            sum = std::hint::black_box(sum + 1);
        }
        let now = Monotonic::now();
        assert!(clock.ran_of(ASLEEP * 100) >= ASLEEP);
        assert!(clock.look(now.after(LOOK_EVERY)) >= ASLEEP);
        assert_eq!(clock.look(now.after(LOOK_EVERY)), Duration::ZERO, "it was looked at just now");
    }
}
