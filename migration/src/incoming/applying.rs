//! Applying frames: the delta lane first, unless the slot at its front still waits for its baseline.

use whimbrel_engine::shard::{ApplyError, Run, Shard};

use super::slots::SlotCopies;
use super::{Incoming, State};
use crate::frame::{Frame, Kind, RunHead, Seal};
use crate::lane::{Arrival, Lane};

/// Bytes of a run that are applied in one step.
const STEP_BYTES: usize = 8 * 1024;

/// How far the frame at the front of a lane was applied.
#[derive(Clone, Copy, Default, Debug)]
pub struct Part {
    /// Bytes of its run. 0 before the first step.
    bytes: usize,
    effects: u64,
}

/// What became of the frame at the front of a lane.
#[derive(Debug)]
enum Applied {
    /// It is done with.
    All,
    /// A part of its run is left.
    Part,
    /// It waits for the other lane.
    Blocked,
    /// It says this.
    Says(Order),
    /// It cannot be applied.
    Broken(String),
}

/// What concerns the batch as a whole.
#[derive(Debug)]
enum Order {
    Ping { echo: u64 },
    Seal(Seal),
    Resume,
    Abort { reason: String },
    Appointed { map: Vec<u8> },
    Yours { attempt: u32 },
}

impl Incoming {
    /// Applies a part of the frame at the front of one of the lanes; whether there was one.
    pub(super) fn step_apply(&mut self, shard: &mut Shard, now_us: u64) -> bool {
        Lane::ALL.into_iter().any(|lane| self.step_lane(lane, shard, now_us))
    }

    fn step_lane(&mut self, lane: Lane, shard: &mut Shard, now_us: u64) -> bool {
        let is_open = matches!(self.state, State::Receiving | State::Prepared { .. });
        let Some(arrival) = self.receivers.on(lane).first() else { return false };
        let (kind, checksum, bytes) = (arrival.header.kind, arrival.header.checksum, arrival.payload.len());
        if kind.is_numbered() && !is_open && kind != Kind::Yours {
            // The slots are live or gone: nothing may touch them on behalf of the batch any more.
            return false;
        }
        let part = self.parts.on(lane);
        let before = part.effects;
        let applied = apply(lane, arrival, part, &mut self.slots, shard);
        self.effects_applied += part.effects.saturating_sub(before);
        match applied {
            Applied::Blocked => return false,
            Applied::Part => {
                self.unprepare_for(kind);
                return true;
            }
            Applied::Broken(reason) => {
                self.give_up(reason);
                // Nothing behind it makes sense: what follows is another connection's, if anything is.
                for lane in Lane::ALL {
                    let receiver = self.receivers.on(lane);
                    receiver.connect(receiver.connection());
                }
                return true;
            }
            Applied::All => self.unprepare_for(kind),
            Applied::Says(Order::Ping { echo }) => self.put(lane, &Frame::Pong { echo }),
            Applied::Says(Order::Seal(seal)) => self.sealed(&seal, shard, now_us),
            Applied::Says(Order::Resume) => self.unprepare(),
            Applied::Says(Order::Abort { reason }) => self.drop_slots(reason),
            Applied::Says(Order::Appointed { map }) => self.appointed(map),
            Applied::Says(Order::Yours { attempt }) => self.given(attempt),
        }
        if kind.is_numbered() {
            self.digests.on(lane).add(checksum);
            self.bytes_applied += bytes as u64;
            *self.parts.on(lane) = Part::default();
        }
        self.receivers.on(lane).done();
        true
    }

    /// Whoever sends more of a batch has not given it away.
    fn unprepare_for(&mut self, kind: Kind) {
        if kind.is_numbered() && matches!(self.state, State::Prepared { .. }) {
            self.unprepare();
        }
    }
}

fn apply(
    lane: Lane,
    arrival: Arrival<'_>,
    part: &mut Part,
    slots: &mut SlotCopies,
    shard: &mut Shard,
) -> Applied {
    let frame = match Frame::read(arrival.header.kind, arrival.payload) {
        Ok(frame) => frame,
        Err(error) => return Applied::Broken(error.to_string()),
    };
    match (lane, frame) {
        (Lane::Snapshot, Frame::Run { head, run }) => match slots.of(head) {
            Some(copy) if copy.copy == head.copy && !copy.is_complete => apply_run(head, run, part, shard),
            _ => Applied::Broken(format!("a baseline that was not expected for slot {}", head.slot.number())),
        },
        (Lane::Snapshot, Frame::SlotEnd { head, keys }) => match slots.of(head) {
            Some(copy) if copy.copy == head.copy && !copy.is_complete => {
                let found = shard.slot_keys(head.slot);
                if found != keys {
                    let slot = head.slot.number();
                    return Applied::Broken(format!("slot {slot} came with {found} keys instead of {keys}"));
                }
                slots.completed(head);
                Applied::All
            }
            _ => Applied::Broken(format!("an end that was not expected for slot {}", head.slot.number())),
        },
        (Lane::Snapshot, Frame::SlotRestart { head }) => match slots.of(head) {
            Some(copy) if copy.copy < head.copy && copy.last_sequence == 0 => {
                shard.flush_slot(head.slot);
                slots.restarted(head);
                Applied::All
            }
            _ => Applied::Broken(format!("slot {} cannot begin anew", head.slot.number())),
        },
        (Lane::Delta, Frame::Deltas { head, run }) => {
            let Some(copy) = slots.of(head.of) else {
                return Applied::Broken(format!("slot {} is not of the batch", head.of.slot.number()));
            };
            // Deltas of a copy that was given up are in the next one's baseline.
            if head.of.copy < copy.copy {
                return Applied::All;
            }
            if head.of.copy > copy.copy || !copy.is_complete {
                return Applied::Blocked;
            }
            if head.first != copy.last_sequence + 1 {
                let (found, last) = (head.first, copy.last_sequence);
                return Applied::Broken(format!("delta {found} of a slot follows on {last}"));
            }
            let applied = apply_run(head.of, run, part, shard);
            if matches!(applied, Applied::All) {
                let count = head.last - head.first + 1;
                if part.effects != count {
                    return Applied::Broken(format!("{} deltas came instead of {count}", part.effects));
                }
                copy.last_sequence = head.last;
            }
            applied
        }
        (_, Frame::Ping { echo }) => Applied::Says(Order::Ping { echo }),
        (Lane::Delta, Frame::Seal(seal)) => Applied::Says(Order::Seal(seal)),
        (Lane::Delta, Frame::Resume { .. }) => Applied::Says(Order::Resume),
        (Lane::Delta, Frame::Abort { reason }) => Applied::Says(Order::Abort { reason }),
        (Lane::Delta, Frame::Appointed { map }) => Applied::Says(Order::Appointed { map: map.to_vec() }),
        (Lane::Delta, Frame::Yours { attempt }) => Applied::Says(Order::Yours { attempt }),
        (lane, frame) => Applied::Broken(format!("a {:?} on the {lane:?} lane", frame.kind())),
    }
}

fn apply_run(head: RunHead, run: &[u8], part: &mut Part, shard: &mut Shard) -> Applied {
    let Some(rest) = run.get(part.bytes..) else {
        return Applied::Broken("a run that became shorter".into());
    };
    let mut rest = Run::new(rest);
    match shard.apply_part(head.slot, &mut rest, STEP_BYTES) {
        Ok(effects) => {
            part.effects += effects;
            part.bytes = run.len() - rest.rest().len();
            if part.bytes == run.len() { Applied::All } else { Applied::Part }
        }
        Err(ApplyError::Memory(_)) => Applied::Broken("the target has no memory left".to_owned()),
        Err(error) => {
            Applied::Broken(format!("slot {} cannot take an effect: {error:?}", head.slot.number()))
        }
    }
}
