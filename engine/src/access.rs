//! The access field of an object: when, or how often, its key was used, for eviction and OBJECT.
//!
//! ```text
//! bits 0–23   recency: Unix seconds, modulo 2^24        frequency: counter (0–7), Unix minutes modulo 2^16 (8–23)
//! bits 24–25  hits since the key entered its queue      bits 26–27  its queue      bits 28–31  the mark of its place there
//! ```
//!
//! The upper byte belongs to `allkeys-s3fifo`; a policy that does not use it keeps it as it is. Fields of hashes have 0.

/// Seconds are counted modulo this.
const SECONDS_MASK: u32 = 0xff_ffff;

/// The part of the field that has nothing to do with queues.
const USE_MASK: u32 = 0xff_ffff;

/// The counter of a key that was just made, so that it is not the first to go.
const COUNTER_START: u32 = 5;

const HITS_SHIFT: u32 = 24;

/// The place of a key that stands in no queue but is to enter the main one. A key that awaits the small one has no place.
pub const AWAITS_MAIN: u32 = 3;

/// The most hits that are told apart.
pub const HITS_MAX: u32 = 3;

/// What travels of the field: the use, hits, and the queue, without the mark.
const TRAVEL_MASK: u32 = 0xfff_ffff;

/// How a key was used, as it travels with the key to another shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Travel {
    /// Bits 0–27 of the field.
    pub bits: u32,
    /// Whether bits 0–23 are a counter rather than a time.
    pub counts: bool,
}

/// What uses of keys are noted as.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum AccessKind {
    /// The second of the last use.
    #[default]
    Recency,
    /// The same, and hits for the queues.
    Queues,
    /// A logarithmic counter that decays.
    Frequency {
        /// How slowly the counter grows (`lfu-log-factor`).
        log_factor: u32,
        /// Minutes after which it is one less (`lfu-decay-time`); 0 is never.
        decay_min: u32,
    },
}

fn seconds(now_ms: u64) -> u32 {
    (now_ms / 1000) as u32 & SECONDS_MASK
}

fn minutes(now_ms: u64) -> u32 {
    (now_ms / 60_000) as u32 & 0xffff
}

impl AccessKind {
    /// The field of a key that is new.
    #[inline]
    pub fn initial(self, now_ms: u64) -> u32 {
        match self {
            AccessKind::Recency | AccessKind::Queues => seconds(now_ms),
            AccessKind::Frequency { .. } => minutes(now_ms) << 8 | COUNTER_START,
        }
    }

    /// The field after one more use.
    #[inline]
    pub fn used(self, access: u32, now_ms: u64, random: impl FnOnce() -> u64) -> u32 {
        match self {
            AccessKind::Recency => access & !USE_MASK | seconds(now_ms),
            AccessKind::Queues => {
                let more = if hits(access) < HITS_MAX { 1 << HITS_SHIFT } else { 0 };
                (access & !USE_MASK | seconds(now_ms)) + more
            }
            AccessKind::Frequency { log_factor, .. } => {
                let counter = grown(self.counter(access, now_ms), log_factor, random);
                access & !USE_MASK | minutes(now_ms) << 8 | counter
            }
        }
    }

    /// Seconds since the last use; nothing under a policy that counts instead.
    pub fn idle_s(self, access: u32, now_ms: u64) -> Option<u64> {
        let idle = seconds(now_ms).wrapping_sub(access) & SECONDS_MASK;
        (!matches!(self, AccessKind::Frequency { .. })).then_some(u64::from(idle))
    }

    /// The counter as it is now; nothing under a policy that does not count.
    pub fn frequency(self, access: u32, now_ms: u64) -> Option<u8> {
        matches!(self, AccessKind::Frequency { .. }).then(|| self.counter(access, now_ms) as u8)
    }

    /// The field with a last use so long ago, as RESTORE's IDLETIME asks for; unchanged under a policy that counts.
    pub fn with_idle_s(self, access: u32, idle_s: u64, now_ms: u64) -> u32 {
        match self {
            AccessKind::Frequency { .. } => access,
            _ => {
                let idle_ms = idle_s.min(u64::from(SECONDS_MASK)) * 1000;
                access & !USE_MASK | seconds(now_ms.saturating_sub(idle_ms))
            }
        }
    }

    /// The field with this counter, as RESTORE's FREQ asks for; unchanged under a policy that does not count.
    pub fn with_frequency(self, access: u32, frequency: u8, now_ms: u64) -> u32 {
        match self {
            AccessKind::Frequency { .. } => access & !USE_MASK | minutes(now_ms) << 8 | u32::from(frequency),
            _ => access,
        }
    }

    /// What travels of a key's field.
    pub fn travel(self, access: u32) -> Travel {
        Travel { bits: access & TRAVEL_MASK, counts: matches!(self, AccessKind::Frequency { .. }) }
    }

    /// The field of a key that arrives where its field is `own`. A time cannot become a counter, nor the other way round;
    /// then the key counts as new. The place stays its own, and
    /// hits are not lost.
    pub fn arrived(self, own: u32, travel: Travel) -> u32 {
        let is_alike = travel.counts == matches!(self, AccessKind::Frequency { .. });
        let uses = if is_alike { travel.bits } else { own } & USE_MASK;
        placed(uses, hits(own).max(hits(travel.bits)), place(own))
    }

    fn counter(self, access: u32, now_ms: u64) -> u32 {
        let AccessKind::Frequency { decay_min, .. } = self else { return 0 };
        let elapsed = minutes(now_ms).wrapping_sub(access >> 8) & 0xffff;
        (access & 0xff).saturating_sub(elapsed.checked_div(decay_min).unwrap_or(0))
    }
}

/// The counter after one more use: the larger it is, the less likely it grows.
fn grown(counter: u32, log_factor: u32, random: impl FnOnce() -> u64) -> u32 {
    if counter >= 255 {
        return 255;
    }
    let odds = u64::from(counter.saturating_sub(COUNTER_START)) * u64::from(log_factor) + 1;
    counter + u32::from((random() >> 32) * odds < 1 << 32)
}

/// Hits since the key entered its queue, up to [`HITS_MAX`].
#[inline]
pub fn hits(access: u32) -> u32 {
    access >> HITS_SHIFT & HITS_MAX
}

/// Where the key stands in the queues: nothing (0), or a queue and a mark.
#[inline]
pub fn place(access: u32) -> u32 {
    access >> 26
}

/// The field of a key of a staged slot: in no queue, but with the one that it is to enter.
pub fn awaiting(access: u32, travel: Travel) -> u32 {
    let is_new = place(travel.bits) & 3 == 1;
    placed(access, hits(access), if is_new { 0 } else { AWAITS_MAIN })
}

/// The field with other hits and another place.
#[inline]
pub fn placed(access: u32, hits: u32, place: u32) -> u32 {
    debug_assert!(hits <= HITS_MAX && place < 64, "hits and place have two and six bits");
    access & USE_MASK | hits << HITS_SHIFT | place << 26
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTING: AccessKind = AccessKind::Frequency { log_factor: 10, decay_min: 1 };

    #[test]
    fn idle_time_is_what_passed_since_the_last_use() {
        for kind in [AccessKind::Recency, AccessKind::Queues] {
            let access = kind.initial(1_700_000_000_000);
            assert_eq!(kind.idle_s(access, 1_700_000_042_500), Some(42));
            let access = kind.used(access, 1_700_000_042_000, || 0);
            assert_eq!(kind.idle_s(access, 1_700_000_042_500), Some(0));
            assert_eq!(kind.idle_s(kind.with_idle_s(access, 7, 1 << 40), 1 << 40), Some(7));
            assert_eq!(kind.frequency(access, 0), None);
        }
        assert_eq!(COUNTING.idle_s(0, 0), None);
    }

    #[test]
    fn hits_and_place_stay_apart_from_the_clock() {
        let access = placed(AccessKind::Queues.initial(u64::MAX), 0, 0b10_1010);
        let access = (0..5).fold(access, |access, _| AccessKind::Queues.used(access, 5_000, || 0));
        assert_eq!((hits(access), place(access), access & USE_MASK), (3, 0b10_1010, 5));
        let access = AccessKind::Recency.used(placed(access, 1, 3), u64::MAX, || 0);
        assert_eq!((hits(access), place(access)), (1, 3));
    }

    #[test]
    fn uses_travel_and_places_do_not() {
        let noted = placed(AccessKind::Queues.initial(9_000), 3, 0b11_1110);
        let travel = AccessKind::Queues.travel(noted);
        assert_eq!(travel, Travel { bits: placed(9, 3, 2), counts: false });
        let own = placed(AccessKind::Recency.initial(70_000), 1, 0b10_1001);
        assert_eq!(AccessKind::Recency.arrived(own, travel), placed(9, 3, 0b10_1001));
        assert_eq!(COUNTING.arrived(own, travel), placed(70, 3, 0b10_1001), "a time is no counter");
        assert_eq!(COUNTING.arrived(own, COUNTING.travel(0x1234)), placed(0x1234, 1, 0b10_1001));
        assert_eq!(place(awaiting(own, travel)), AWAITS_MAIN);
        for (there, here) in
            [(0, AWAITS_MAIN), (1, 0), (0b1001, 0), (2, AWAITS_MAIN), (AWAITS_MAIN, AWAITS_MAIN)]
        {
            let travel = AccessKind::Queues.travel(placed(0, 0, there));
            assert_eq!(place(awaiting(own, travel)), here, "{there}");
        }
    }

    #[test]
    fn counters_grow_slower_the_larger_they_are_and_decay() {
        let mut access = COUNTING.initial(0);
        assert_eq!(COUNTING.frequency(access, 0), Some(5));
        access = COUNTING.used(access, 0, || u64::MAX);
        assert_eq!(COUNTING.frequency(access, 0), Some(6), "the first use always counts");
        access = COUNTING.used(access, 0, || u64::MAX);
        assert_eq!(COUNTING.frequency(access, 0), Some(6), "the next one does with chance 1/11");
        access = COUNTING.used(access, 0, || u64::MAX / 12);
        assert_eq!(COUNTING.frequency(access, 0), Some(7));
        assert_eq!(COUNTING.frequency(access, 3 * 60_000), Some(4));
        assert_eq!(COUNTING.frequency(access, 300 * 60_000), Some(0));
        let never = AccessKind::Frequency { log_factor: 0, decay_min: 0 };
        assert_eq!(never.frequency(access, 300 * 60_000), Some(7));
        assert_eq!(COUNTING.frequency(COUNTING.with_frequency(access, 200, 9), 9), Some(200));
    }
}
