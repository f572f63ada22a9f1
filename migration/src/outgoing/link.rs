//! The source's end of the link: opening both lanes, noticing that they are gone, and opening them anew.

use crate::advance::Advance;
use crate::lane::{Lane, PerLane};

/// The longest rest before lanes are opened anew.
const RETRY_US_MAX: u64 = 1_000_000;

/// The first rest, after a second failure in a row.
const RETRY_US_MIN: u64 = 10_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Nothing is open; the next attempt is due then.
    Down { retry_us: u64 },
    /// The caller was asked to connect; it is given up then.
    Opening { until_us: u64 },
    /// The target has answered on both lanes.
    Up,
    /// No further attempt.
    Closed,
}

/// What is known of one lane's connection.
#[derive(Clone, Copy, Default, Debug)]
struct End {
    is_connected: bool,
    is_welcome: bool,
    heard_us: u64,
    pinged_us: u64,
}

/// What the link wants.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Both lanes are to be opened.
    Open,
    /// Nothing was heard for too long.
    Drop,
    /// The target is to be asked whether it is there.
    Ping(Lane),
}

/// Both lanes' connections.
#[derive(Debug)]
pub struct Link {
    state: State,
    /// Counts connections, from 1.
    connection: u32,
    failures: u32,
    /// Since when the link has not been up.
    lost_us: Option<u64>,
    ends: PerLane<End>,
    timeout_us: u64,
}

impl Link {
    /// A link that is to be opened now.
    pub fn new(timeout_us: u64, now_us: u64) -> Self {
        Link {
            state: State::Down { retry_us: now_us },
            connection: 0,
            failures: 0,
            lost_us: Some(now_us),
            ends: PerLane::default(),
            timeout_us,
        }
    }

    /// Silence after which a connection is taken for dead.
    fn silence_us(&self) -> u64 {
        self.timeout_us / 4
    }

    fn ping_every_us(&self) -> u64 {
        self.timeout_us / 20
    }

    /// What is to be done at this time, one thing after the other.
    pub fn wish(&mut self, now_us: u64) -> Option<Wish> {
        match self.state {
            State::Closed => None,
            State::Down { retry_us } if now_us >= retry_us => {
                self.connection += 1;
                self.ends = PerLane::default();
                self.state = State::Opening { until_us: now_us + self.silence_us() };
                Some(Wish::Open)
            }
            State::Down { .. } => None,
            State::Opening { until_us } => (now_us >= until_us).then_some(Wish::Drop),
            State::Up => {
                let (silence_us, ping_us) = (self.silence_us(), self.ping_every_us());
                for lane in Lane::ALL {
                    let end = self.ends.on(lane);
                    if now_us.saturating_sub(end.heard_us) >= silence_us {
                        return Some(Wish::Drop);
                    }
                    if now_us.saturating_sub(end.heard_us.max(end.pinged_us)) >= ping_us {
                        end.pinged_us = now_us;
                        return Some(Wish::Ping(lane));
                    }
                }
                None
            }
        }
    }

    /// When there is something to be done.
    pub fn due(&self) -> Advance {
        match self.state {
            State::Closed => Advance::Idle,
            State::Down { retry_us } => Advance::At(retry_us),
            State::Opening { until_us } => Advance::At(until_us),
            State::Up => {
                let ping_us = self.ping_every_us();
                let of = |end: &End| Advance::At(end.heard_us.max(end.pinged_us) + ping_us);
                of(&self.ends.delta).or(of(&self.ends.snapshot))
            }
        }
    }

    /// A lane is connected; whether that was waited for.
    pub fn connected(&mut self, lane: Lane, now_us: u64) -> bool {
        let is_awaited = matches!(self.state, State::Opening { .. }) && !self.ends.on(lane).is_connected;
        if is_awaited {
            *self.ends.on(lane) = End { is_connected: true, heard_us: now_us, ..End::default() };
        }
        is_awaited
    }

    /// The lane's connection, if bytes of it are to be heard.
    pub fn hears(&mut self, lane: Lane, now_us: u64) -> bool {
        let end = self.ends.on(lane);
        end.heard_us = now_us;
        end.is_connected
    }

    /// Whether the lane is connected.
    pub fn is_connected(&mut self, lane: Lane) -> bool {
        self.ends.on(lane).is_connected
    }

    /// The target has answered on a lane; whether the link is up by that.
    pub fn welcomed(&mut self, lane: Lane) -> bool {
        self.ends.on(lane).is_welcome = true;
        let is_up = self.ends.delta.is_welcome && self.ends.snapshot.is_welcome;
        if is_up && matches!(self.state, State::Opening { .. }) {
            self.state = State::Up;
            self.failures = 0;
            self.lost_us = None;
            return true;
        }
        false
    }

    /// The connections are gone, or are to go; whether there were any.
    pub fn lost(&mut self, now_us: u64) -> bool {
        if matches!(self.state, State::Closed | State::Down { .. }) {
            return false;
        }
        let rest_us = match self.failures {
            0 => 0,
            failures => (RETRY_US_MIN << (failures - 1).min(16)).min(RETRY_US_MAX),
        };
        self.failures = self.failures.saturating_add(1);
        self.lost_us.get_or_insert(now_us);
        self.ends = PerLane::default();
        self.state = State::Down { retry_us: now_us + rest_us };
        true
    }

    /// Opens no more.
    pub fn close(&mut self) {
        self.state = State::Closed;
        self.ends = PerLane::default();
    }

    /// Whether the target has answered on both lanes.
    pub fn is_up(&self) -> bool {
        self.state == State::Up
    }

    /// When the link will have been lost for too long; none while it is up.
    pub fn times_out_at_us(&self) -> Option<u64> {
        self.lost_us.map(|at_us| at_us + self.timeout_us)
    }

    /// Which connection it is, from 1.
    pub fn connection(&self) -> u32 {
        self.connection
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(link: &mut Link, now_us: u64) {
        assert_eq!(link.wish(now_us), Some(Wish::Open));
        assert!(link.connected(Lane::Delta, now_us) && link.connected(Lane::Snapshot, now_us));
        assert!(!link.welcomed(Lane::Delta) && link.welcomed(Lane::Snapshot));
    }

    #[test]
    fn it_opens_at_once_and_then_after_growing_rests() {
        let mut link = Link::new(8_000_000, 0);
        let (mut now_us, mut rests) = (0, Vec::new());
        for connection in 1..=10 {
            assert_eq!(link.wish(now_us), Some(Wish::Open));
            assert_eq!((link.wish(now_us), link.connection()), (None, connection));
            assert!(link.lost(now_us) && !link.lost(now_us));
            let Advance::At(at_us) = link.due() else { panic!("an attempt is due") };
            rests.push((at_us - now_us) / 1000);
            now_us = at_us;
        }
        assert_eq!(rests, [0, 10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        assert_eq!(link.times_out_at_us(), Some(8_000_000));
        up(&mut link, now_us);
        assert_eq!((link.is_up(), link.times_out_at_us()), (true, None));
        link.lost(now_us);
        assert_eq!(link.due(), Advance::At(now_us), "the first attempt after a cut is made at once");
    }

    #[test]
    fn silence_is_asked_about_and_ends_the_connection() {
        let mut link = Link::new(8_000_000, 0);
        up(&mut link, 0);
        assert_eq!(link.due(), Advance::At(400_000));
        assert_eq!(link.wish(399_999), None);
        assert_eq!(link.wish(400_000), Some(Wish::Ping(Lane::Delta)));
        assert_eq!(link.wish(400_000), Some(Wish::Ping(Lane::Snapshot)));
        assert_eq!(link.wish(400_000), None);
        assert!(link.hears(Lane::Delta, 1_900_000));
        assert_eq!(link.wish(1_999_999), Some(Wish::Ping(Lane::Snapshot)));
        assert_eq!(link.wish(2_000_000), Some(Wish::Drop));
    }

    #[test]
    fn connections_that_nobody_waits_for_are_not_heard() {
        let mut link = Link::new(8_000_000, 0);
        assert!(!link.connected(Lane::Delta, 0) && !link.hears(Lane::Delta, 0));
        up(&mut link, 0);
        assert!(!link.connected(Lane::Delta, 0));
        link.close();
        assert!(!link.hears(Lane::Delta, 0) && !link.lost(0));
        assert_eq!((link.wish(9_000_000), link.due()), (None, Advance::Idle));
    }
}
