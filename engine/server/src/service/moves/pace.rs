//! How fast bytes may leave this core, and what the process' cores share of the network.

use std::sync::atomic::{AtomicU32, Ordering};

use whimbrel_migration::pacer::{HEADER_BYTES, PacedId, Pacer, with_headers, without_headers};

/// Bytes that a lane may have handed to the kernel and not seen sent. Under a cap they are a small part of a second's, since
/// what a link takes late comes on top of what is made then.
const PENDING_BYTES_MAX: u64 = 256 * 1024;

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

/// The caps on what leaves this core: one account for all batches, which go one after another, so that a batch that begins
/// neither brings a burst of its own nor leaves a debt behind.
pub struct Pace {
    pacer: Pacer,
    id: PacedId,
    /// Whether what goes is cut into segments with headers, which the caps are meant to include.
    is_segmented: bool,
    /// The caps in force: of the node, of the move, of the target.
    caps: [Option<u64>; 3],
    /// Whether sockets have to be told, although no cap has changed.
    pub is_stale: bool,
}

impl Default for Pace {
    fn default() -> Pace {
        let mut pacer = Pacer::new(None, 0);
        let id = pacer.join(None, 0);
        Pace { pacer, id, is_segmented: false, caps: [None; 3], is_stale: false }
    }
}

impl Pace {
    /// What goes from now on goes to another node, or stays within the process.
    pub fn begin(&mut self, is_remote: bool) {
        self.is_segmented = is_remote;
    }

    /// Puts caps in force, 0 for none; whether sockets have to be told.
    pub fn set(&mut self, caps: [u64; 2], allowed: Option<u64>, now_us: u64) -> bool {
        let [node, own] = caps.map(|cap| Some(cap).filter(|cap| *cap > 0));
        let caps = [node, own, allowed];
        if caps == self.caps {
            return std::mem::take(&mut self.is_stale);
        }
        self.caps = caps;
        self.is_stale = false;
        self.pacer.set_rate(node, now_us);
        self.pacer.set_rate_of(self.id, least([own, allowed]), now_us);
        true
    }

    /// Bytes that may be made now.
    pub fn grant(&mut self, now_us: u64) -> usize {
        let granted = self.pacer.grant(self.id, now_us);
        if self.is_segmented { without_headers(granted) } else { granted }
    }

    /// A piece of so many bytes was made.
    pub fn spend(&mut self, bytes: usize) {
        self.pacer.spend(self.id, if self.is_segmented { with_headers(bytes) } else { bytes });
    }

    /// The other node has said something, which the kernel acknowledges by headers alone.
    pub fn note_answer(&mut self) {
        if self.is_segmented {
            self.pacer.spend(self.id, HEADER_BYTES);
        }
    }

    /// When asking again is worth it.
    pub fn granted_at_us(&self) -> Option<u64> {
        self.pacer.granted_at_us(self.id)
    }

    /// Bytes a second that a socket may send, headers not counted: a little more than caps leave for them, so that the caps
    /// decide what goes, and so little more that what was held up does not go much faster.
    pub fn wire_rate(&self) -> Option<u64> {
        least(self.caps).map(|rate| rate - rate / 64)
    }

    /// Bytes that a wire may have taken in and not sent.
    pub fn pending_bytes_max(&self) -> usize {
        let bytes = least(self.caps).map_or(PENDING_BYTES_MAX, |rate| rate / 64);
        bytes.clamp(PENDING_BYTES_MAX / 16, PENDING_BYTES_MAX) as usize
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
        assert!(!pace.set([0, 0], None, 0) && pace.wire_rate().is_none());
        assert!(pace.grant(1) > 1 << 30);
        assert!(pace.set([800, 0], Some(400), 2) && !pace.set([800, 0], Some(400), 2));
        assert_eq!((pace.wire_rate(), pace.pending_bytes_max()), (Some(394), 16 * 1024));
        pace.is_stale = true;
        assert!(pace.set([800, 0], Some(400), 2) && !pace.set([800, 0], Some(400), 2));
        assert!(pace.grant(3) <= 400);
        pace.spend(400);
        assert_eq!(pace.grant(4), 0, "a debt outlives the batch that made it");
        assert!(pace.set([0, 0], None, 5));
        // A limit that is lifted is felt one question later.
        pace.grant(6);
        assert!(pace.grant(7) > 1 << 30);
    }

    #[test]
    fn headers_count_between_nodes_alone() {
        const RATE: u64 = 40_000_000;
        let made_in_a_second = |is_remote| {
            let mut pace = Pace::default();
            pace.begin(is_remote);
            pace.set([RATE, 0], None, 0);
            (0..1_000_000).step_by(500).fold(0, |made, now_us| {
                let bytes = pace.grant(now_us);
                pace.spend(bytes);
                made + bytes as u64
            })
        };
        let (remote, local) = (made_in_a_second(true), made_in_a_second(false));
        assert!((RATE * 93 / 100..RATE * 97 / 100).contains(&remote), "{remote}");
        assert!((RATE * 99 / 100..RATE * 103 / 100).contains(&local), "{local}");
        let mut pace = Pace::default();
        pace.begin(true);
        pace.set([RATE, 0], None, 0);
        pace.grant(0);
        (0..RATE as usize / 40 / HEADER_BYTES).for_each(|_| pace.note_answer());
        assert_eq!(pace.grant(0), 0, "acknowledgements take a part of the link");
    }
}
