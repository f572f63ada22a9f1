//! The time, as the process hands it in.

/// The time at which a command runs; the engine itself reads no clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since 1970; decides expiry.
    pub unix_ms: u64,
    /// Microseconds since some fixed point, never going back; measures durations.
    pub monotonic_us: u64,
}

impl Now {
    /// Whole seconds since 1970.
    pub fn unix_s(self) -> u64 {
        self.unix_ms / 1000
    }
}
