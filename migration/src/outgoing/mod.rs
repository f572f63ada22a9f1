//! The source's side of a batch.

mod settings;

use whimbrel_engine::shard::Shard;

pub use settings::OutgoingSettings;

use crate::advance::Advance;
use crate::batch::{Batch, Incarnation};
use crate::frame::FrameError;
use crate::lane::{Lane, LaneSender, PerLane};
use crate::progress::Progress;

/// What waits at the source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Hold {
    /// Nothing.
    None,
    /// Writes to the slots.
    Writes,
    /// Everything that touches the slots.
    All,
}

/// What became of a commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The target owns the slots. The caller has adopted the map: nothing of the slots is served here any more.
    Committed {
        /// The map, as the store keeps it.
        map: Vec<u8>,
    },
    /// The source owns the slots, and this commit can never take effect.
    Refused {
        /// Why.
        reason: String,
    },
    /// Nobody knows yet.
    Unknown,
}

/// What the source's side asks of its caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Open both lanes anew, and say `connected` or `disconnected` of each. What is left of older connections is closed.
    Connect,
    /// Close both lanes. Nothing is to be said about it.
    Disconnect,
    /// Let these commands wait from now on, and say `held` when none of them is under way any more; what waited at a higher
    /// level goes on. `Hold::None` needs no answer.
    Hold(Hold),
    /// Give the slots to the target in the map, if the map, the source's registration and the target's are what they were;
    /// say the `outcome`.
    Commit {
        /// The target's process.
        target: Incarnation,
    },
    /// Find out what became of the commit, and see to it that nothing more can become of it; say the `outcome`.
    Resolve,
    /// It is over. The machine wants nothing more; the lanes may be closed once their output is sent.
    Ended(Result<(), String>),
}

/// The source's side of a batch.
#[derive(Debug)]
pub struct Outgoing {
    batch: Batch,
    settings: OutgoingSettings,
    lanes: PerLane<LaneSender>,
    progress: Progress,
}

impl Outgoing {
    /// Begins a batch. The first thing it asks for is a connection.
    pub fn new(batch: Batch, settings: OutgoingSettings, _now_us: u64) -> Self {
        let progress = Progress::new(batch.slots.len());
        Outgoing { batch, settings, lanes: PerLane::of(|_| LaneSender::new(1)), progress }
    }

    /// The batch.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// A lane is connected.
    pub fn connected(&mut self, lane: Lane, now_us: u64) {
        let _ = (lane, now_us, &self.settings);
    }

    /// A lane is not connected any more, or could not be. The caller drops the other one as well; `Action::Connect` asks for
    /// both anew.
    pub fn disconnected(&mut self, lane: Lane, now_us: u64) {
        let _ = (lane, now_us);
    }

    /// Bytes came on a lane, cut anywhere. After an error the caller drops both lanes and says `disconnected`.
    pub fn receive(&mut self, lane: Lane, bytes: &[u8], now_us: u64) -> Result<(), FrameError> {
        let _ = (lane, bytes, now_us);
        Ok(())
    }

    /// What `Action::Hold` asked to wait, waits.
    pub fn held(&mut self, hold: Hold, now_us: u64) {
        let _ = (hold, now_us);
    }

    /// What `Action::Commit` or `Action::Resolve` came to.
    pub fn outcome(&mut self, outcome: Outcome, shard: &mut Shard, now_us: u64) {
        let _ = (outcome, shard, now_us);
    }

    /// Gives up; `false`, and without effect, once the commit was asked for.
    pub fn cancel(&mut self, reason: String, shard: &mut Shard, now_us: u64) -> bool {
        let _ = (reason, shard, now_us);
        false
    }

    /// Goes on in bounded steps while there is time left. Puts out at most `bytes_max` bytes of baseline and deltas; what
    /// `output` holds more than that (a few small frames, and the last deltas of a pause, 64 KiB at most) counts as well:
    /// the caller's pacer is told what was there.
    pub fn advance(
        &mut self,
        shard: &mut Shard,
        now_us: u64,
        bytes_max: usize,
        is_time_left: &mut dyn FnMut() -> bool,
    ) -> Advance {
        let _ = (shard, now_us, bytes_max, is_time_left);
        Advance::Idle
    }

    /// Bytes to be sent on a lane; the caller takes what is there. Beyond `OUTPUT_BYTES_MAX` no more is made.
    pub fn output(&mut self, lane: Lane) -> &mut Vec<u8> {
        self.lanes.on(lane).output()
    }

    /// What is asked of the caller next; to be called until there is nothing.
    pub fn action(&mut self) -> Option<Action> {
        None
    }

    /// The bytes a second that the target allows; none if it sets no limit.
    pub fn rate_max(&self) -> Option<u64> {
        None
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }
}
