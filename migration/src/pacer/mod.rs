//! When bytes may go: a cap for all moves together, one for each, and what one does not use lent to the others.
//!
//! The clock is an argument. A caller asks what a move may make (`grant`), lets it, and says what it made (`spend`); that may
//! be more than was granted, by what must not wait: the debt is paid before anything further is granted.
//!
//! A cap on a link is one on what goes over it, headers included. The pacer counts bytes as it is told them; `headers` says
//! what they come to. Of the twentieth by which a second may exceed its cap, a bucket's burst takes half; the rest is for
//! what must not wait, and for bytes that a link takes later than they were made.

mod bucket;
mod headers;
mod shares;

pub use bucket::Bucket;
pub use headers::{HEADER_BYTES, with_headers, without_headers};
pub use shares::shares;

/// A move that has not asked for so long lends its share.
pub const LEND_AFTER_US: u64 = 10_000;

/// The least that is granted, or half of the burst where that is less: in small pieces a large part of what goes would be
/// headers.
pub const GRANT_BYTES: u64 = 16 * 1024;

/// A move's place with a pacer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct PacedId(u64);

#[derive(Debug)]
struct Paced {
    id: PacedId,
    /// What the move may make by itself.
    own: Bucket,
    /// What it may make of what all may.
    share: Bucket,
    /// When it last wanted to make something.
    asked_us: Option<u64>,
}

impl Paced {
    fn is_idle(&self, now_us: u64) -> bool {
        self.asked_us.is_none_or(|at_us| now_us.saturating_sub(at_us) > LEND_AFTER_US)
    }
}

/// Caps on all moves together and on each.
#[derive(Debug)]
pub struct Pacer {
    all: Bucket,
    moves: Vec<Paced>,
    last: u64,
}

impl Pacer {
    /// All moves together make so many bytes a second; none sets no limit.
    pub fn new(rate: Option<u64>, now_us: u64) -> Self {
        Pacer { all: Bucket::new(rate, now_us), moves: Vec::new(), last: 0 }
    }

    /// Sets another cap on all together.
    pub fn set_rate(&mut self, rate: Option<u64>, now_us: u64) {
        self.all.set_rate(rate, now_us);
    }

    /// A move with a cap of its own, or none, takes part.
    pub fn join(&mut self, rate: Option<u64>, now_us: u64) -> PacedId {
        self.last += 1;
        let id = PacedId(self.last);
        let mut share = Bucket::new(self.all.rate(), now_us);
        share.spend(share.available());
        self.moves.push(Paced { id, own: Bucket::new(rate, now_us), share, asked_us: None });
        id
    }

    /// A move is over.
    pub fn leave(&mut self, id: PacedId) {
        self.moves.retain(|paced| paced.id != id);
    }

    /// Sets another cap on a move: its own, or what its target allows.
    pub fn set_rate_of(&mut self, id: PacedId, rate: Option<u64>, now_us: u64) {
        if let Some(paced) = self.moves.iter_mut().find(|paced| paced.id == id) {
            paced.own.set_rate(rate, now_us);
        }
    }

    /// Bytes that the move may make now: none, or enough to be worth it. Asking says that it has something to make.
    pub fn grant(&mut self, id: PacedId, now_us: u64) -> usize {
        self.tick(id, now_us);
        let Some(paced) = self.moves.iter().find(|paced| paced.id == id) else { return 0 };
        let buckets = [&self.all, &paced.own, &paced.share];
        if buckets.iter().any(|bucket| bucket.available() < least_granted(bucket)) {
            return 0;
        }
        let bytes = buckets.into_iter().map(Bucket::available).min().unwrap_or(0);
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// The move made so many bytes.
    pub fn spend(&mut self, id: PacedId, bytes: usize) {
        let bytes = bytes as u64;
        self.all.spend(bytes);
        if let Some(paced) = self.moves.iter_mut().find(|paced| paced.id == id) {
            paced.own.spend(bytes);
            paced.share.spend(bytes);
        }
    }

    /// When something will be granted. None if that is never.
    pub fn granted_at_us(&self, id: PacedId) -> Option<u64> {
        let paced = self.moves.iter().find(|paced| paced.id == id)?;
        let times =
            [&self.all, &paced.own, &paced.share].map(|bucket| bucket.available_at_us(least_granted(bucket)));
        times.into_iter().try_fold(0, |latest, time| Some(latest.max(time?)))
    }

    /// Fills everything up to now. What all may make is split evenly among those who want to make something.
    fn tick(&mut self, asking: PacedId, now_us: u64) {
        self.all.fill(now_us);
        for paced in &mut self.moves {
            paced.own.fill(now_us);
            paced.share.fill(now_us);
            if paced.id == asking {
                paced.asked_us = Some(now_us);
            }
        }
        let wanting = self.moves.iter().filter(|paced| !paced.is_idle(now_us)).count().max(1) as u64;
        let share = self.all.rate().map(|rate| rate / wanting);
        for paced in &mut self.moves {
            // One that is idle gathers nothing: it lends its share, and begins anew when it comes back.
            let rate = if paced.is_idle(now_us) { share.map(|_| 0) } else { share };
            if paced.share.rate() != rate {
                paced.share.set_rate(rate, now_us);
            }
        }
    }
}

/// Half of a burst: what comes in until a late caller asks must find room.
fn least_granted(bucket: &Bucket) -> u64 {
    GRANT_BYTES.min(bucket.burst().div_ceil(2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MB: u64 = 1_000_000;

    /// Lets moves run for `seconds` in ticks of 1 ms; `wants` says how much each makes at most in a tick. Bytes a second.
    fn run(
        pacer: &mut Pacer,
        ids: &[PacedId],
        seconds: u64,
        wants: impl Fn(usize, u64) -> usize,
    ) -> Vec<u64> {
        let mut made = vec![0; ids.len()];
        for tick in 1..=seconds * 1000 {
            for (index, id) in ids.iter().enumerate() {
                if wants(index, tick) == 0 {
                    continue;
                }
                let bytes = pacer.grant(*id, tick * 1000).min(wants(index, tick));
                pacer.spend(*id, bytes);
                made[index] += bytes as u64;
            }
        }
        made.iter().map(|bytes| bytes / seconds).collect()
    }

    fn is_about(value: u64, other: u64) -> bool {
        value.abs_diff(other) <= other / 20
    }

    #[test]
    fn all_together_get_what_there_is_in_even_shares() {
        let mut pacer = Pacer::new(Some(100 * MB), 0);
        let ids: Vec<_> = (0..4).map(|_| pacer.join(None, 0)).collect();
        let rates = run(&mut pacer, &ids, 5, |_, _| usize::MAX);
        assert!(rates.iter().all(|rate| is_about(*rate, 25 * MB)), "{rates:?}");
    }

    #[test]
    fn an_idle_share_is_lent() {
        let mut pacer = Pacer::new(Some(100 * MB), 0);
        let ids: Vec<_> = (0..4).map(|_| pacer.join(None, 0)).collect();
        let rates = run(&mut pacer, &ids, 5, |index, _| if index < 2 { usize::MAX } else { 0 });
        assert!(is_about(rates[0], 50 * MB) && is_about(rates[1], 50 * MB), "{rates:?}");
        let mut pacer = Pacer::new(Some(100 * MB), 0);
        let ids = [pacer.join(None, 0), pacer.join(None, 0)];
        let rates =
            run(&mut pacer, &ids, 4, |index, tick| if index == 0 || tick < 2000 { usize::MAX } else { 0 });
        assert!(is_about(rates[0], 75 * MB), "lent as soon as it lies idle: {rates:?}");
    }

    #[test]
    fn a_move_keeps_its_own_cap() {
        let mut pacer = Pacer::new(Some(100 * MB), 0);
        let ids = [pacer.join(Some(10 * MB), 0), pacer.join(None, 0)];
        let rates = run(&mut pacer, &ids, 5, |_, _| usize::MAX);
        assert!(is_about(rates[0], 10 * MB) && rates[1] >= 49 * MB, "{rates:?}");
        pacer.set_rate_of(ids[0], Some(20 * MB), 5 * MB);
        pacer.leave(ids[1]);
        assert_eq!(pacer.grant(ids[1], 5 * MB), 0);
        let free = Pacer::new(None, 0).join(None, 0);
        let mut pacer = Pacer::new(None, 0);
        assert_eq!(pacer.join(None, 0), free);
        assert!(pacer.grant(free, 1) > 1 << 40 && pacer.granted_at_us(free) == Some(1));
    }

    #[test]
    fn what_must_not_wait_is_paid_back() {
        let mut pacer = Pacer::new(Some(10 * MB), 0);
        let id = pacer.join(None, 0);
        pacer.grant(id, 100_000);
        pacer.spend(id, 1_000_000);
        assert_eq!(pacer.grant(id, 150_000), 0);
        let at_us = pacer.granted_at_us(id).expect("a rate");
        assert!(pacer.grant(id, at_us) as u64 >= GRANT_BYTES);
        assert!((at_us - 100_000).abs_diff(70_000) < 35_000, "{at_us}");
    }

    #[test]
    fn nothing_is_granted_in_crumbs() {
        let mut pacer = Pacer::new(Some(10 * MB), 0);
        let id = pacer.join(None, 0);
        pacer.grant(id, 0);
        pacer.spend(id, pacer.all.available() as usize);
        let at_us = pacer.granted_at_us(id).expect("a rate");
        let before: Vec<usize> = (0..at_us).step_by(100).map(|now_us| pacer.grant(id, now_us)).collect();
        assert!(before.len() > 10 && before.iter().all(|bytes| *bytes == 0), "{before:?}");
        assert!(pacer.grant(id, at_us) as u64 >= GRANT_BYTES);
        let mut slow = Pacer::new(Some(4_000), 0);
        let id = slow.join(None, 0);
        slow.grant(id, 0);
        assert_eq!((slow.grant(id, 12_499), slow.grant(id, 12_500)), (0, 50), "half of the burst");
    }

    /// What a batch may put out in a pause without waiting, and how soon it may pause again.
    const URGENT: (usize, u64) = (64 * 1024, 20_000);

    proptest! {
        #[test]
        fn no_second_sees_more_than_the_cap_with_headers(
            rate in 7 * MB..1000 * MB,
            ticks in proptest::collection::vec((1u64..50_000, 0usize..3, 1usize..101, 0usize..101), 1..400)
        ) {
            let mut pacer = Pacer::new(Some(rate), 0);
            let ids = [(); 3].map(|()| pacer.join(None, 0));
            let (mut now_us, mut paused_us, mut sent) = (0, 0, Vec::new());
            for (tick_us, index, percent, urgent_percent) in ticks {
                now_us += tick_us;
                let bytes = without_headers(pacer.grant(ids[index], now_us)) * percent / 100;
                let mut lanes = [bytes / 7, bytes - bytes / 7];
                if urgent_percent > 50 && now_us >= paused_us + URGENT.1 {
                    paused_us = now_us;
                    lanes[0] += URGENT.0 * urgent_percent / 100;
                }
                let on_the_link = lanes.map(with_headers).iter().sum();
                pacer.spend(ids[index], on_the_link);
                sent.push((now_us, on_the_link as u64));
            }
            for (index, (from_us, _)) in sent.iter().enumerate() {
                let second = sent[index..].iter().take_while(|(at_us, _)| *at_us < from_us + 1_000_000);
                let bytes: u64 = second.map(|(_, bytes)| bytes).sum();
                prop_assert!(bytes <= rate + rate / 20, "{bytes} bytes in a second at {rate}");
            }
        }

        #[test]
        fn nine_tenths_of_the_cap_are_data(
            rate in MB / 10..1000 * MB, ticks in proptest::collection::vec(1u64..12_000, 2_000)
        ) {
            let mut pacer = Pacer::new(Some(rate), 0);
            let id = pacer.join(None, 0);
            let (mut now_us, mut data) = (0, 0);
            for tick_us in ticks {
                now_us += tick_us;
                let bytes = without_headers(pacer.grant(id, now_us));
                pacer.spend(id, with_headers(bytes));
                data += bytes as u64;
            }
            let due = rate / 1000 * (now_us / 1000);
            prop_assert!(data >= due / 10 * 9, "{data} of {due} bytes");
        }
    }
}
