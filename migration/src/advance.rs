//! When a machine wants to be called again.

/// When a machine wants to be called again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Advance {
    /// As soon as there is time, or bytes: work is left. A caller that has no bytes to give waits for its pacer.
    Now,
    /// At this time in microseconds, or when something arrives.
    At(u64),
    /// When something arrives, or is written.
    Idle,
}

impl Advance {
    /// The earlier of the two.
    #[must_use]
    pub fn or(self, other: Advance) -> Advance {
        match (self, other) {
            (Advance::Now, _) | (_, Advance::Now) => Advance::Now,
            (Advance::At(one), Advance::At(two)) => Advance::At(one.min(two)),
            (Advance::At(at), Advance::Idle) | (Advance::Idle, Advance::At(at)) => Advance::At(at),
            (Advance::Idle, Advance::Idle) => Advance::Idle,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_one_wins() {
        let (now, idle, at) = (Advance::Now, Advance::Idle, Advance::At);
        for (one, two, both) in [
            (now, at(3), now),
            (at(3), at(2), at(2)),
            (idle, at(2), at(2)),
            (idle, idle, idle),
            (idle, now, now),
        ] {
            assert_eq!((one.or(two), two.or(one)), (both, both));
        }
    }
}
