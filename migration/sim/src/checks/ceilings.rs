//! I6: what waits, is kept or is under way stays under the ceilings that have a name.

use whimbrel_migration::{BatchId, Lane};

use super::Invariant;
use crate::core::Core;
use crate::env::Env;

/// What one step may go beyond a ceiling before it is noticed: a node, and a large string whose memory goes chunk by chunk.
const STEP_BYTES: u64 = 1024 * 1024;

/// A frame that is not whole does not count against the mark.
const FRAME_BYTES: usize = 64 * 1024;

impl Core {
    /// What a source keeps for a batch.
    pub fn check_source_ceilings(&mut self, batch: BatchId, env: &mut Env) {
        let retained_max = env.scenario.fork_retained_bytes_max + STEP_BYTES;
        if self.shard.retained_bytes() > retained_max {
            // What an ended fork kept counts until it is freed, which takes its time: a whole slot that was emptied, say.
            while self.shard.reclaim(64) {}
        }
        let retained = self.shard.retained_bytes();
        let Some(departure) = self.departures.get_mut(&batch) else { return };
        let slots = departure.slots();
        let lag = departure.machine.progress().lag_bytes;
        let lag_max = env.scenario.delta_bytes_max + env.scenario.window_bytes + STEP_BYTES;
        let mut found = Vec::new();
        if retained > retained_max {
            found.push(format!("core {}: forks retain {retained} bytes", self.index));
        }
        if lag > lag_max {
            found.push(format!("{batch}: {lag} bytes of deltas wait"));
        }
        for lane in Lane::ALL {
            let (bytes, frame_bytes) = departure.resends.unacknowledged(lane);
            if bytes > env.scenario.window_bytes + frame_bytes {
                found.push(format!("{batch}: {bytes} bytes of the {lane:?} lane are not acknowledged"));
            }
        }
        for text in found {
            env.violated(Invariant::Ceilings, &slots, text);
        }
    }

    /// What waits at a target: a full mark, what one read may add to it, and the end of a frame that had begun.
    pub fn check_target_ceilings(&mut self, batch: BatchId, env: &mut Env) {
        let Some(arrival) = self.arrivals.get(&batch) else { return };
        let bytes_max = env.scenario.inbox_mark_bytes + env.scenario.network.buffer_bytes + FRAME_BYTES;
        for lane in Lane::ALL {
            let bytes = arrival.machine.inbox_bytes(lane);
            if bytes > bytes_max {
                let text = format!("{batch}: {bytes} bytes wait at the target on the {lane:?} lane");
                let slots = arrival.machine.batch().slots.clone();
                env.violated(Invariant::Ceilings, &slots, text);
            }
        }
    }
}
