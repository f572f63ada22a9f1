//! The target's end of the link: which connection is in force, and since when there was no word.

use crate::frame::{Hello, Refusal};
use crate::lane::{Lane, PerLane};

/// One lane's connection.
#[derive(Clone, Copy, Default, Debug)]
struct End {
    is_connected: bool,
    heard_us: u64,
}

/// Both lanes' connections.
#[derive(Debug)]
pub struct Link {
    ends: PerLane<End>,
    /// The connection in force; 0 before the first.
    connection: u32,
    /// Since when not both lanes were connected.
    lost_us: Option<u64>,
    timeout_us: u64,
}

/// What a hello is to the link.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Greeted {
    /// The other lane of the connection in force.
    Joins,
    /// The first lane of a newer connection: what is left of the older one is not to be heard any more.
    Replaces,
}

impl Link {
    /// A link of which nothing is there yet.
    pub fn new(timeout_us: u64, now_us: u64) -> Self {
        Link { ends: PerLane::default(), connection: 0, lost_us: Some(now_us), timeout_us }
    }

    /// A lane begins with this hello.
    pub fn greet(&mut self, hello: &Hello, now_us: u64) -> Result<Greeted, Refusal> {
        if hello.connection < self.connection {
            return Err(Refusal::Stale);
        }
        let greeted = if hello.connection == self.connection { Greeted::Joins } else { Greeted::Replaces };
        if greeted == Greeted::Replaces {
            self.lost(now_us);
            self.connection = hello.connection;
        } else if self.ends.on(hello.lane).is_connected {
            return Err(Refusal::Stale);
        }
        *self.ends.on(hello.lane) = End { is_connected: true, heard_us: now_us };
        if self.ends.delta.is_connected && self.ends.snapshot.is_connected {
            self.lost_us = None;
        }
        Ok(greeted)
    }

    /// Begins to count connections anew.
    pub fn begin(&mut self, now_us: u64) {
        self.lost(now_us);
        self.connection = 0;
    }

    /// Both connections are gone.
    pub fn lost(&mut self, now_us: u64) {
        self.ends = PerLane::default();
        self.lost_us.get_or_insert(now_us);
    }

    /// Whether bytes of the lane are to be heard.
    pub fn hears(&mut self, lane: Lane, now_us: u64) -> bool {
        let end = self.ends.on(lane);
        end.heard_us = now_us;
        end.is_connected
    }

    /// Whether the lane of the connection in force is there.
    pub fn is_connected(&mut self, lane: Lane) -> bool {
        self.ends.on(lane).is_connected
    }

    /// Whether a connected lane was silent for so long that it is taken for dead.
    pub fn is_silent(&self, now_us: u64) -> bool {
        self.silent_at_us().is_some_and(|at_us| now_us >= at_us)
    }

    /// When the silence will have been too long.
    pub fn silent_at_us(&self) -> Option<u64> {
        let ends = [self.ends.delta, self.ends.snapshot];
        let heard_us = ends.into_iter().filter(|end| end.is_connected).map(|end| end.heard_us).min();
        heard_us.map(|at_us| at_us + self.timeout_us / 2)
    }

    /// When the link will have been lost for too long; none while it is there.
    pub fn times_out_at_us(&self) -> Option<u64> {
        self.lost_us.map(|at_us| at_us + self.timeout_us)
    }

    /// Since when not both lanes were connected.
    pub fn lost_us(&self) -> Option<u64> {
        self.lost_us
    }
}

#[cfg(test)]
mod tests {
    use whimbrel_engine::key::SlotId;
    use whimbrel_engine::topology::NodeId;

    use super::*;
    use crate::batch::{Batch, BatchId, Incarnation, MoveId};

    fn hello(lane: Lane, connection: u32) -> Hello {
        Hello {
            batch: Batch {
                id: BatchId { job: MoveId(1), number: 0 },
                source: NodeId::derived(1, 0),
                target: NodeId::derived(1, 1),
                slots: SlotId::new(7).into_iter().collect(),
            },
            lane,
            life: 1,
            connection,
            was_welcome: false,
            source_incarnation: Incarnation(1),
            began_us: 0,
        }
    }

    #[test]
    fn the_newest_connection_counts() {
        let mut link = Link::new(8, 0);
        let mut greet = |lane, connection| link.greet(&hello(lane, connection), 1);
        assert_eq!(greet(Lane::Delta, 2), Ok(Greeted::Replaces));
        assert_eq!(greet(Lane::Delta, 2), Err(Refusal::Stale));
        assert_eq!(greet(Lane::Snapshot, 1), Err(Refusal::Stale));
        assert_eq!(greet(Lane::Snapshot, 2), Ok(Greeted::Joins));
        assert_eq!(link.lost_us(), None);
        assert_eq!(link.greet(&hello(Lane::Snapshot, 3), 5), Ok(Greeted::Replaces));
        assert_eq!(link.times_out_at_us(), Some(13));
        assert!(!link.hears(Lane::Delta, 6) && link.hears(Lane::Snapshot, 6));
        assert!(!link.is_silent(9) && link.is_silent(10));
        link.lost(10);
        assert!(!link.is_silent(90));
        assert_eq!(link.lost_us(), Some(5), "it was never whole since");
    }
}
