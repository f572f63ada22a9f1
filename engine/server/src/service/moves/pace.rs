//! How fast bytes may leave this core, and what the process' cores share of the network.

use std::sync::atomic::{AtomicU32, Ordering};

use whimbrel_migration::pacer::{PacedId, Pacer};

/// Batches of all cores that use the network now.
#[derive(Default)]
pub struct LinkUse {
    outgoing: AtomicU32,
    incoming: AtomicU32,
}

impl LinkUse {
    /// A batch leaves for another node.
    pub fn begin_outgoing(&self) {
        self.outgoing.fetch_add(1, Ordering::Relaxed);
    }

    /// It has come to its end.
    pub fn end_outgoing(&self) {
        self.outgoing.fetch_sub(1, Ordering::Relaxed);
    }

    /// A batch comes from another node.
    pub fn begin_incoming(&self) {
        self.incoming.fetch_add(1, Ordering::Relaxed);
    }

    /// It has come to its end.
    pub fn end_incoming(&self) {
        self.incoming.fetch_sub(1, Ordering::Relaxed);
    }

    /// What a batch may send of what all may send together: cores that send nothing lend their share. 0 sets no limit.
    pub fn outgoing_share(&self, rate_max: u64) -> u64 {
        share(rate_max, self.outgoing.load(Ordering::Relaxed))
    }

    /// What a batch may bring of what all may bring together. 0 sets no limit.
    pub fn incoming_share(&self, rate_max: u64) -> u64 {
        share(rate_max, self.incoming.load(Ordering::Relaxed))
    }
}

fn share(rate_max: u64, count: u32) -> u64 {
    match rate_max {
        0 => 0,
        rate => (rate / u64::from(count.max(1))).max(1),
    }
}

/// The caps on what leaves this core.
pub struct Pace {
    pacer: Pacer,
    /// The caps in force: of the node, of the move, of the target.
    caps: [Option<u64>; 3],
    /// Whether sockets have to be told, although no cap has changed.
    pub is_stale: bool,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace { pacer: Pacer::new(None, 0), caps: [None; 3], is_stale: false }
    }
}

impl Pace {
    pub fn join(&mut self, now_us: u64) -> PacedId {
        self.caps = [None; 3];
        self.pacer.set_rate(None, now_us);
        self.pacer.join(None, now_us)
    }

    pub fn leave(&mut self, id: PacedId) {
        self.pacer.leave(id);
    }

    /// Puts caps in force, 0 for none; whether sockets have to be told.
    pub fn set(&mut self, id: PacedId, caps: [u64; 2], allowed: Option<u64>, now_us: u64) -> bool {
        let [node, own] = caps.map(|cap| Some(cap).filter(|cap| *cap > 0));
        let caps = [node, own, allowed];
        if caps == self.caps {
            return std::mem::take(&mut self.is_stale);
        }
        self.caps = caps;
        self.is_stale = false;
        self.pacer.set_rate(node, now_us);
        self.pacer.set_rate_of(id, least([own, allowed]), now_us);
        true
    }

    pub fn grant(&mut self, id: PacedId, now_us: u64) -> usize {
        self.pacer.grant(id, now_us)
    }

    pub fn spend(&mut self, id: PacedId, bytes: usize) {
        self.pacer.spend(id, bytes);
    }

    pub fn granted_at_us(&self, id: PacedId) -> Option<u64> {
        self.pacer.granted_at_us(id)
    }

    /// Bytes a second that a socket may send: what all caps allow, and a little, since the caps themselves decide what
    /// goes and the kernel only spreads it.
    pub fn wire_rate(&self) -> Option<u64> {
        least(self.caps).map(|rate| rate + rate / 8)
    }
}

fn least<const COUNT: usize>(rates: [Option<u64>; COUNT]) -> Option<u64> {
    rates.into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_lent_to_those_who_send() {
        let links = LinkUse::default();
        assert_eq!((links.outgoing_share(0), links.outgoing_share(100)), (0, 100));
        links.begin_outgoing();
        links.begin_outgoing();
        assert_eq!((links.outgoing_share(100), links.incoming_share(100)), (50, 100));
        links.end_outgoing();
        assert_eq!(links.outgoing_share(100), 100);
    }

    #[test]
    fn the_least_cap_counts_and_changes_are_told_once() {
        let mut pace = Pace::default();
        let id = pace.join(0);
        assert!(!pace.set(id, [0, 0], None, 0) && pace.wire_rate().is_none());
        assert!(pace.set(id, [800, 0], Some(400), 0) && !pace.set(id, [800, 0], Some(400), 0));
        assert_eq!(pace.wire_rate(), Some(450));
        pace.is_stale = true;
        assert!(pace.set(id, [800, 0], Some(400), 0) && !pace.set(id, [800, 0], Some(400), 0));
        assert!(pace.set(id, [0, 0], None, 0));
        assert!(pace.grant(id, 1) > 1 << 30);
    }
}
