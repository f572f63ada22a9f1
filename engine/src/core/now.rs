//! The time, as the process hands it in.

/// The time at which a command runs; the engine itself reads no clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since 1970; decides expiry.
    pub unix_ms: u64,
    /// Microseconds since some fixed point, never going back; measures durations. The point is at a full millisecond
    /// since 1970, so that both clocks step together.
    pub monotonic_us: u64,
}

impl Now {
    /// Microseconds since 1970.
    pub fn unix_us(self) -> u64 {
        self.unix_ms * 1000 + self.monotonic_us % 1000
    }

    /// Whole seconds since 1970.
    pub fn unix_s(self) -> u64 {
        self.unix_ms / 1000
    }
}
