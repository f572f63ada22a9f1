//! The target's side of a batch.
//!
//! ```text
//! Receiving ──sealed──► Prepared ──given, or the map says so──► Promoting ──► Over
//!  │  ▲                  │   │
//!  │  └─ resumed ────────┘   │ aborted, or it is no heir any more
//!  └─ no link, aborted ──────┴──────────────────────────────► Dropping ───► Over
//! ```

mod action;
mod applying;
mod deciding;
mod link;
mod slots;

use std::collections::VecDeque;

use whimbrel_engine::shard::Shard;
use whimbrel_engine::topology::HeirId;

pub use action::{IncomingAction, IncomingSettings, MapNews};

use crate::advance::Advance;
use crate::batch::{Batch, Incarnation};
use crate::digest::LaneDigest;
use crate::frame::{Envelope, Frame, FrameError, Hello, Refusal, Welcome};
use crate::lane::{Lane, LaneReceiver, PerLane};
use crate::progress::IncomingProgress;

/// Acknowledgements that nobody takes are not repeated beyond this.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// Within one call, the source is told after so many bytes how far it has come.
const ACKNOWLEDGE_BYTES: u64 = 128 * 1024;

/// What the target does about the batch.
#[derive(Debug)]
enum State {
    /// Frames are applied.
    Receiving,
    /// It holds the same as the source, has said so, and waits for the outcome.
    Prepared {
        /// The seal that it confirmed.
        attempt: u32,
        /// Since when.
        since_us: u64,
        /// When the map was asked last.
        asked_us: Option<u64>,
        /// Whether clients wait.
        is_held: bool,
    },
    /// The slots are its own.
    Promoting {
        /// The first one that is not promoted.
        next: usize,
    },
    /// The slots are not to be its own.
    Dropping {
        /// The first one that is not dropped.
        next: usize,
        /// Why.
        reason: String,
    },
    /// Nothing is left to do but to acknowledge.
    Over {
        /// Whether the slots are its own.
        is_promoted: bool,
    },
}

/// The target's side of a batch.
#[derive(Debug)]
pub struct Incoming {
    batch: Batch,
    settings: IncomingSettings,
    source_incarnation: Incarnation,
    began_us: u64,
    life: u32,
    state: State,
    link: link::Link,
    receivers: PerLane<LaneReceiver>,
    output: PerLane<Vec<u8>>,
    /// The number that was acknowledged last on this connection; 0 before a welcome.
    acknowledged: PerLane<u64>,
    parts: PerLane<applying::Part>,
    digests: PerLane<LaneDigest>,
    slots: slots::SlotCopies,
    /// Whether the source has said, in this life, that the map names this core as heir.
    is_appointed: bool,
    /// Whether this core has asked, in this life, to be heir no more: it obeys no word.
    withdraws: bool,
    /// A newer life began: what came of the older one is to be dropped, and the lanes to be welcomed then.
    begins_again: bool,
    welcomes: PerLane<bool>,
    actions: VecDeque<IncomingAction>,
    bytes_applied: u64,
    bytes_acknowledged: u64,
    effects_applied: u64,
}

impl Incoming {
    /// Stages the slots of a batch that nobody here knows. `connected` is to be called for the hello as well.
    pub fn new(
        hello: &Hello,
        settings: IncomingSettings,
        shard: &mut Shard,
        now_us: u64,
    ) -> Result<Incoming, Refusal> {
        if hello.was_welcome {
            return Err(Refusal::Forgotten);
        }
        for slot in hello.batch.slots.iter().copied() {
            if shard.is_staged(slot) {
                return Err(Refusal::Staged { slot });
            }
            if shard.slot_keys(slot) > 0 {
                return Err(Refusal::Occupied { slot });
            }
        }
        hello.batch.slots.iter().for_each(|slot| shard.stage(*slot));
        Ok(Incoming {
            source_incarnation: hello.source_incarnation,
            began_us: hello.began_us,
            life: hello.life,
            state: State::Receiving,
            link: link::Link::new(settings.link_timeout_us, now_us),
            receivers: PerLane::of(|_| LaneReceiver::new(hello.life, true)),
            output: PerLane::default(),
            acknowledged: PerLane::default(),
            parts: PerLane::default(),
            digests: PerLane::default(),
            slots: slots::SlotCopies::new(&hello.batch.slots),
            is_appointed: false,
            withdraws: false,
            begins_again: false,
            welcomes: PerLane::default(),
            actions: VecDeque::new(),
            bytes_applied: 0,
            bytes_acknowledged: 0,
            effects_applied: 0,
            batch: hello.batch.clone(),
            settings,
        })
    }

    /// The batch.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// The name under which the map names this core as heir, if it does, in this life of the batch.
    pub fn heir(&self) -> HeirId {
        self.batch.id.heir(self.life)
    }

    /// Whether the batch may still become this core's, or has: what it brought was not dropped.
    pub fn is_kept(&self) -> bool {
        !matches!(self.state, State::Dropping { .. } | State::Over { is_promoted: false })
    }

    /// Whether it wants to be heir no more.
    pub fn withdraws(&self) -> bool {
        self.withdraws
    }

    /// Whether the slots are its own.
    pub fn is_promoted(&self) -> bool {
        matches!(self.state, State::Promoting { .. } | State::Over { is_promoted: true })
    }

    /// A connection with this hello is there. A refused one is answered with [`Greeting::refuse`](crate::Greeting::refuse)
    /// and closed. A lane of a newer connection replaces both of the older one, of which nothing more is to be said.
    pub fn connected(&mut self, lane: Lane, hello: &Hello, now_us: u64) -> Result<(), Refusal> {
        let is_known = hello.batch == self.batch
            && hello.source_incarnation == self.source_incarnation
            && hello.began_us == self.began_us;
        if !is_known || hello.lane != lane || hello.life < self.life {
            return Err(Refusal::Stale);
        }
        if matches!(self.state, State::Dropping { .. } | State::Over { is_promoted: false }) {
            return Err(Refusal::Forgotten);
        }
        if hello.life > self.life {
            // The source has not given its word in its older life, or it would not have begun another one.
            if hello.was_welcome || matches!(self.state, State::Promoting { .. } | State::Over { .. }) {
                return Err(Refusal::Forgotten);
            }
            self.life = hello.life;
            self.begins_again = true;
            (self.is_appointed, self.withdraws) = (false, false);
            self.link.begin(now_us);
            self.unprepare();
            Lane::ALL.into_iter().for_each(|lane| self.receivers.on(lane).begin(hello.life));
        }
        if self.link.greet(hello, now_us)? == link::Greeted::Replaces {
            self.forget_connections();
        }
        self.receivers.on(lane).connect(hello.connection);
        self.output.on(lane).clear();
        *self.welcomes.on(lane) = true;
        Ok(())
    }

    fn forget_connections(&mut self) {
        for lane in Lane::ALL {
            self.receivers.on(lane).connect(0);
            self.output.on(lane).clear();
            *self.welcomes.on(lane) = false;
            *self.acknowledged.on(lane) = 0;
            // A run that was applied in part stays at the front of its lane: it comes again, and its part is skipped.
        }
    }

    /// A lane is gone. The caller drops the other one as well. What is said of a lane of an older connection, while the newer
    /// one's has not come yet, changes nothing.
    pub fn disconnected(&mut self, lane: Lane, now_us: u64) {
        if self.link.is_connected(lane) {
            self.link.lost(now_us);
            self.forget_connections();
        }
    }

    /// Whether this hello proves that the source has given up this batch: it is of the same process, younger, and
    /// names one of the slots. The caller then says `superseded`.
    pub fn is_superseded_by(&self, hello: &Hello) -> bool {
        hello.batch.source == self.batch.source
            && hello.source_incarnation == self.source_incarnation
            && hello.batch.id != self.batch.id
            && hello.began_us > self.began_us
            && hello.batch.slots.iter().any(|slot| self.slots.has(*slot))
    }

    /// The source has given up this batch: drops what is here, at once.
    pub fn superseded(&mut self, shard: &mut Shard, now_us: u64) {
        self.link.lost(now_us);
        self.forget_connections();
        self.drop_slots("the source began another batch with these slots".to_owned());
        while matches!(self.state, State::Dropping { .. }) {
            self.step_slots(shard);
        }
    }

    /// Bytes came on a lane behind its hello, cut anywhere. They wait; `advance` deals with them. After an error the caller closes both lanes
    /// and says `disconnected`.
    pub fn receive(&mut self, lane: Lane, bytes: &[u8], now_us: u64) -> Result<(), FrameError> {
        let is_over = matches!(self.state, State::Dropping { .. } | State::Over { is_promoted: false });
        if bytes.is_empty() || !self.link.hears(lane, now_us) || is_over {
            return Ok(());
        }
        self.receivers.on(lane).receive(bytes)
    }

    /// Applies frames and acknowledges them, while there is time left.
    pub fn advance(
        &mut self,
        shard: &mut Shard,
        now_us: u64,
        is_time_left: &mut dyn FnMut() -> bool,
    ) -> Advance {
        self.tend(shard, now_us);
        loop {
            let worked = self.step(shard, now_us);
            if !worked || self.bytes_applied - self.bytes_acknowledged >= ACKNOWLEDGE_BYTES {
                self.acknowledge();
            }
            if !worked {
                return self.due();
            }
            if !is_time_left() {
                self.acknowledge();
                return Advance::Now;
            }
        }
    }

    fn tend(&mut self, shard: &mut Shard, now_us: u64) {
        if matches!(self.state, State::Over { .. }) {
            return self.welcome();
        }
        if std::mem::take(&mut self.begins_again) {
            self.begin_again(shard);
        }
        if self.link.is_silent(now_us) {
            self.actions.push_back(IncomingAction::Disconnect);
            self.link.lost(now_us);
            self.forget_connections();
        }
        self.welcome();
        self.tend_prepared(now_us);
        if matches!(self.state, State::Receiving)
            && self.link.times_out_at_us().is_some_and(|at_us| now_us >= at_us)
        {
            self.drop_slots("no link for migration-link-timeout".to_owned());
        }
    }

    /// Nothing of an older life stays.
    fn begin_again(&mut self, shard: &mut Shard) {
        self.batch.slots.iter().for_each(|slot| shard.flush_slot(*slot));
        self.slots = slots::SlotCopies::new(&self.batch.slots);
        self.digests = PerLane::default();
        self.parts = PerLane::default();
    }

    fn step(&mut self, shard: &mut Shard, now_us: u64) -> bool {
        self.step_slots(shard) || self.step_apply(shard, now_us)
    }

    fn due(&self) -> Advance {
        let at = |at_us: Option<u64>| at_us.map_or(Advance::Idle, Advance::At);
        let silent = at(self.link.silent_at_us());
        match self.state {
            State::Over { .. } => Advance::Idle,
            State::Prepared { is_held: false, .. } => at(self.asks_at_us()).or(silent),
            _ => at(self.asks_at_us()).or(silent).or(at(self.link.times_out_at_us())),
        }
    }

    /// Answers hellos: where to go on.
    fn welcome(&mut self) {
        for lane in Lane::ALL {
            if !std::mem::take(self.welcomes.on(lane)) {
                continue;
            }
            let expected = self.receivers.on(lane).expected();
            let bytes_per_second = self.settings.bytes_per_second;
            let incarnation = self.settings.incarnation;
            self.put(lane, &Frame::Welcome(Welcome { incarnation, expected, bytes_per_second }));
            *self.acknowledged.on(lane) = expected;
            if let State::Prepared { attempt, .. } = self.state
                && lane == Lane::Delta
            {
                self.put(lane, &Frame::Sealed { attempt });
            }
        }
    }

    fn acknowledge(&mut self) {
        self.bytes_acknowledged = self.bytes_applied;
        for lane in Lane::ALL {
            let expected = self.receivers.on(lane).expected();
            let acknowledged = self.acknowledged.on(lane);
            if *acknowledged == 0 || *acknowledged == expected {
                continue;
            }
            if self.output.on(lane).len() < OUTPUT_BYTES_MAX {
                *self.acknowledged.on(lane) = expected;
                self.put(lane, &Frame::Ack { expected });
            }
        }
    }

    /// Puts a frame out if the lane is connected.
    fn put(&mut self, lane: Lane, frame: &Frame<'_>) {
        let connection = self.receivers.on(lane).connection();
        if connection > 0 {
            frame.encode(Envelope { number: 0, life: self.life, connection }, self.output.on(lane));
        }
    }

    /// Bytes of whole frames that wait on a lane. Above a mark the caller stops reading that lane, never the other one because
    /// of it.
    pub fn inbox_bytes(&self, lane: Lane) -> usize {
        match lane {
            Lane::Delta => self.receivers.delta.inbox_bytes(),
            Lane::Snapshot => self.receivers.snapshot.inbox_bytes(),
        }
    }

    /// Bytes to be sent on a lane; the caller takes what is there.
    pub fn output(&mut self, lane: Lane) -> &mut Vec<u8> {
        self.output.on(lane)
    }

    /// What a map says of the batch.
    pub fn map_changed(&mut self, news: MapNews) {
        match self.state {
            State::Prepared { .. } if news.owner_is_me => self.state = State::Promoting { next: 0 },
            State::Receiving if news.source_is_gone && !news.owner_is_me => {
                self.drop_slots("the source is gone".to_owned());
            }
            State::Prepared { .. } if news.is_no_heir => {
                self.drop_slots("the map does not name the target as heir any more".to_owned());
            }
            State::Prepared { .. } if news.source_is_gone => {
                self.withdraws = true;
                self.actions.push_back(IncomingAction::Withdraw);
            }
            _ => {}
        }
    }

    /// Tells the source another allowance; 0 sets no limit.
    pub fn set_rate_max(&mut self, bytes_per_second: u64) {
        if self.settings.bytes_per_second != bytes_per_second {
            self.settings.bytes_per_second = bytes_per_second;
            self.put(Lane::Delta, &Frame::Rate { bytes_per_second });
        }
    }

    /// Drops everything, at the operator's word; `false` and without effect if it is prepared or over.
    pub fn cancel(&mut self, reason: String, shard: &mut Shard, now_us: u64) -> bool {
        let _ = (shard, now_us);
        let is_receiving = matches!(self.state, State::Receiving);
        if is_receiving {
            self.give_up(reason);
        }
        is_receiving
    }

    /// What is asked of the caller next; to be called until there is nothing.
    pub fn action(&mut self) -> Option<IncomingAction> {
        self.actions.pop_front()
    }

    /// How far it has come.
    pub fn progress(&self) -> IncomingProgress {
        IncomingProgress {
            is_prepared: matches!(self.state, State::Prepared { .. }),
            slots_done: self.slots.complete() as u64,
            slots_total: self.batch.slots.len() as u64,
            bytes_applied: self.bytes_applied,
            effects_applied: self.effects_applied,
            inbox_bytes: (self.receivers.delta.inbox_bytes() + self.receivers.snapshot.inbox_bytes()) as u64,
        }
    }
}
