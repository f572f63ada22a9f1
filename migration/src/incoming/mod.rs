//! The target's side of a batch.

use whimbrel_engine::shard::Shard;

use crate::advance::Advance;
use crate::batch::{Batch, Incarnation};
use crate::frame::{FrameError, Hello, Refusal};
use crate::lane::{Lane, PerLane};
use crate::progress::IncomingProgress;

/// The settings of the target's side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct IncomingSettings {
    /// The target's process, as it is registered.
    pub incarnation: Incarnation,
    /// Without a link for so long, what came is dropped, unless it is prepared (`migration-link-timeout`).
    pub link_timeout_us: u64,
    /// Bytes a second that the source may send; 0 sets no limit.
    pub bytes_per_second: u64,
}

impl Default for IncomingSettings {
    fn default() -> Self {
        IncomingSettings { incarnation: Incarnation(0), link_timeout_us: 10_000_000, bytes_per_second: 0 }
    }
}

/// What the target's side asks of its caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IncomingAction {
    /// Prepared: commands for the slots wait here from now on instead of being sent elsewhere.
    Hold,
    /// Not prepared any more, or for too long without a word: commands for the slots are answered by the map again.
    Release,
    /// The slots are the target's; adopt the map and serve them.
    Promote {
        /// The map, as the store keeps it; none if it was learnt from the map.
        map: Option<Vec<u8>>,
    },
    /// It is over: nothing of the slots is here.
    Dropped {
        /// Why.
        reason: String,
    },
    /// Close both lanes; `disconnected` needs not be said.
    Disconnect,
    /// Prepared, and the link is lost: read the map linearizably and say `map_changed`.
    AskMap,
}

/// The target's side of a batch.
#[derive(Debug)]
pub struct Incoming {
    batch: Batch,
    settings: IncomingSettings,
    output: PerLane<Vec<u8>>,
}

impl Incoming {
    /// Stages the slots of a batch that nobody here knows. `connected` is to be called for the hello as well.
    pub fn new(
        hello: &Hello,
        settings: IncomingSettings,
        shard: &mut Shard,
        now_us: u64,
    ) -> Result<Incoming, Refusal> {
        let _ = (shard, now_us);
        Ok(Incoming { batch: hello.batch.clone(), settings, output: PerLane::default() })
    }

    /// The batch.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// A connection with this hello is there. Refused ones are answered with [`Greeting::refuse`](crate::Greeting::refuse) and closed.
    pub fn connected(&mut self, lane: Lane, hello: &Hello, now_us: u64) -> Result<(), Refusal> {
        let _ = (lane, hello, now_us, &self.settings);
        Ok(())
    }

    /// A lane is gone.
    pub fn disconnected(&mut self, lane: Lane, now_us: u64) {
        let _ = (lane, now_us);
    }

    /// Whether this hello proves that the source has given up this batch: it is of the same process, younger, and
    /// names one of the slots. The caller then says `superseded`.
    pub fn is_superseded_by(&self, hello: &Hello) -> bool {
        let _ = hello;
        false
    }

    /// The source has given up this batch: drops what is here, at once.
    pub fn superseded(&mut self, shard: &mut Shard, now_us: u64) {
        let _ = (shard, now_us);
    }

    /// Bytes came on a lane, cut anywhere. They wait; `advance` deals with them. After an error the caller closes both lanes
    /// and says `disconnected`.
    pub fn receive(&mut self, lane: Lane, bytes: &[u8], now_us: u64) -> Result<(), FrameError> {
        let _ = (lane, bytes, now_us);
        Ok(())
    }

    /// Applies frames and acknowledges them, while there is time left.
    pub fn advance(
        &mut self,
        shard: &mut Shard,
        now_us: u64,
        is_time_left: &mut dyn FnMut() -> bool,
    ) -> Advance {
        let _ = (shard, now_us, is_time_left);
        Advance::Idle
    }

    /// Bytes of a lane that wait. Above a mark the caller stops reading that lane, never the other one because of it.
    pub fn inbox_bytes(&self, lane: Lane) -> usize {
        let _ = lane;
        0
    }

    /// Bytes to be sent on a lane; the caller takes what is there.
    pub fn output(&mut self, lane: Lane) -> &mut Vec<u8> {
        self.output.on(lane)
    }

    /// What a linearizable read of the map said. `owner_is_me`: all slots of the batch are this core's. `source_is_gone`:
    /// the source's registration is gone or another one, or the slots' owner is neither the source nor this core, so that the
    /// batch can never be committed any more.
    pub fn map_changed(&mut self, owner_is_me: bool, source_is_gone: bool, shard: &mut Shard, now_us: u64) {
        let _ = (owner_is_me, source_is_gone, shard, now_us);
    }

    /// Tells the source another allowance; 0 sets no limit.
    pub fn set_rate_max(&mut self, bytes_per_second: u64) {
        self.settings.bytes_per_second = bytes_per_second;
    }

    /// Drops everything, at the operator's word; `false` and without effect if it is prepared.
    pub fn cancel(&mut self, reason: String, shard: &mut Shard, now_us: u64) -> bool {
        let _ = (reason, shard, now_us);
        false
    }

    /// What is asked of the caller next; to be called until there is nothing.
    pub fn action(&mut self) -> Option<IncomingAction> {
        None
    }

    /// How far it has come.
    pub fn progress(&self) -> IncomingProgress {
        IncomingProgress {
            is_prepared: false,
            slots_done: 0,
            slots_total: self.batch.slots.len() as u64,
            bytes_applied: 0,
            effects_applied: 0,
            inbox_bytes: 0,
        }
    }
}
