//! Replies that took long, one by one: what percentiles would be without some of them.

use std::time::{Duration, Instant};

use crate::machine::stalls::Stalls;

/// One reply, or several to commands that went out together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptReply {
    /// When the commands were due.
    pub due: Instant,
    /// From then to the reply.
    pub latency: Duration,
    /// How many they were.
    pub count: u64,
}

impl KeptReply {
    /// Whether a stall of the machine has spoilt it; stalls count from `origin`.
    pub fn is_spoilt(&self, stalls: &Stalls, origin: Instant) -> bool {
        let due_ns = self.due.saturating_duration_since(origin).as_nanos() as u64;
        stalls.spoil_around(due_ns, due_ns + self.latency.as_nanos() as u64)
    }
}

/// The longest replies of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeptReplies {
    /// Replies that were timed altogether.
    pub timed: u64,
    /// Those that took long enough to be kept.
    pub replies: Vec<KeptReply>,
}

impl KeptReplies {
    /// The latency above which one reply in so many lies, if replies that `is_spoilt` names had not been sent for. None when
    /// too few were kept to tell.
    pub fn one_in(&self, many: u64, is_spoilt: impl Fn(&KeptReply) -> bool) -> Option<Duration> {
        let mut sound: Vec<&KeptReply> = self.replies.iter().filter(|reply| !is_spoilt(reply)).collect();
        sound.sort_by_key(|reply| std::cmp::Reverse(reply.latency));
        let mut above = (self.timed - self.count(is_spoilt)) / many;
        let is_it = |reply: &&&KeptReply| {
            let is_it = above < reply.count;
            above = above.saturating_sub(reply.count);
            is_it
        };
        sound.iter().find(is_it).map(|reply| reply.latency)
    }

    /// How many of the replies that were kept are so.
    pub fn count(&self, is_so: impl Fn(&KeptReply) -> bool) -> u64 {
        self.replies.iter().filter(|reply| is_so(reply)).map(|reply| reply.count).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spoilt_replies_count_neither_among_the_long_ones_nor_among_all() {
        let due = Instant::now();
        let reply = |millis: u64, count| KeptReply { due, latency: Duration::from_millis(millis), count };
        let kept =
            KeptReplies { timed: 1000, replies: vec![reply(3, 2), reply(90, 1), reply(5, 1), reply(4, 2)] };
        let ms = |many, spoilt: &[u64]| {
            let is_spoilt = |reply: &KeptReply| spoilt.contains(&(reply.latency.as_millis() as u64));
            kept.one_in(many, is_spoilt).map(|latency| latency.as_millis())
        };
        assert_eq!(
            (ms(1001, &[]), ms(1000, &[]), ms(500, &[]), ms(250, &[])),
            (Some(90), Some(5), Some(4), Some(3))
        );
        assert_eq!((ms(1000, &[90]), ms(500, &[90])), (Some(5), Some(4)));
        // 999 are left without the one, and 998 without two.
        assert_eq!((ms(999, &[90]), ms(999, &[90, 5])), (Some(4), Some(4)));
        assert_eq!(ms(100, &[]), None, "ten are above it, and six were kept");
        assert_eq!(kept.count(|reply| reply.count == 2), 4);
    }
}
