//! The source's side of a batch.
//!
//! ```text
//! Moving ──► Pausing ──► Given ──► Committed ──► Ended
//!  │ ▲  ◄──────┘ given up  │ refused
//!  │ └── Restarting        ▼
//!  └────────────────► Aborting ──► Ended
//! ```
//!
//! One state says what ownership hangs on; the link, each slot and each lane have states of their own, so that a cut is the
//! same thing everywhere. `advance` does one bounded step after the other; what arrives only changes states.

mod action;
mod answers;
mod copying;
mod ending;
mod link;
mod pausing;
mod report;
mod settings;
mod slots;
mod streaming;

use std::collections::VecDeque;

use whimbrel_engine::shard::Shard;
use whimbrel_engine::topology::HeirId;

pub use action::{Action, Hold, Outcome};
pub use settings::OutgoingSettings;

use crate::advance::Advance;
use crate::batch::{Batch, Incarnation};
use crate::frame::{FrameError, Refusal};
use crate::handover::{Drain, Pauses};
use crate::lane::{Lane, LaneReceiver, LaneSender, PerLane};
use crate::progress::{Phase, Progress};

/// Bytes of a lane that wait to be sent; beyond, no more are made until the caller takes them.
pub const OUTPUT_BYTES_MAX: usize = 256 * 1024;

/// While slots are watched, their queues are looked at this often.
const WATCH_US: u64 = 1_000;

/// What ownership hangs on.
#[derive(Debug)]
enum State {
    /// Slots are copied, deltas are sent.
    Moving,
    /// Writes wait.
    Pausing(pausing::Pause),
    /// The target was given the word: nothing of the slots is served here, and all of them are kept until the map tells.
    Given {
        /// The frame that is the word.
        number: u64,
        /// Whether the target has answered that it knows nothing of the batch.
        is_heard: bool,
    },
    /// The map says that the slots are the target's. They are dropped here; the target is told, or reads the map.
    Committed {
        /// The frame that is the word.
        number: u64,
        /// How long it is tried.
        until_us: u64,
        /// Whether the target needs not be told any more.
        is_heard: bool,
    },
    /// The source owns the slots. The target is told.
    Aborting {
        /// The frame that tells it.
        number: u64,
        /// How long it is tried.
        until_us: u64,
        /// Whether the target needs not be told.
        is_heard: bool,
    },
    /// Slots are let go of to begin from zero.
    Restarting,
    /// Nothing is left to do.
    Ended,
}

/// Whether the map names the target as the heir of the slots, in this life of the batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Appointment {
    /// It was not asked to.
    No,
    /// It was asked to.
    Asked,
    /// It does. The frame of this number shows it to the target.
    Known(u64),
}

/// The source's side of a batch.
#[derive(Debug)]
pub struct Outgoing {
    batch: Batch,
    settings: OutgoingSettings,
    began_us: u64,
    state: State,
    link: link::Link,
    senders: PerLane<LaneSender>,
    receivers: PerLane<LaneReceiver>,
    slots: slots::Slots,
    round: streaming::Round,
    /// Slots that are being let go of, whatever the state is.
    release: Option<ending::Release>,
    drain: Drain,
    pauses: Pauses,
    /// Since when commands wait.
    held_since_us: Option<u64>,
    /// The last seal; each has another number, over all lives.
    attempt: u32,
    appointment: Appointment,
    /// Bytes of the last pause that may still go out whatever the pacer has left.
    urgent_bytes_left: usize,
    /// How often the batch began anew. `lives <= restarts_max`.
    lives: u32,
    /// The process that answered in this life.
    target: Option<Incarnation>,
    /// Whether the target has dropped everything by itself.
    target_failed: bool,
    rate_max: Option<u64>,
    /// Why the target would not have the batch last.
    refusal: Option<Refusal>,
    /// Why the batch is to fail at the next step.
    failure: Option<String>,
    /// Why the batch is to begin from zero at the next step.
    lost: Option<&'static str>,
    actions: VecDeque<Action>,
    progress: Progress,
    /// Bytes of copies that began anew.
    bytes_for_nothing: u64,
    throughput: report::Throughput,
}

impl Outgoing {
    /// Begins a batch. The first thing it asks for is a connection.
    pub fn new(batch: Batch, settings: OutgoingSettings, now_us: u64) -> Self {
        assert!(!batch.slots.is_empty(), "a batch has slots");
        let mut progress = Progress::new(batch.slots.len());
        progress.phase = Phase::Connecting;
        let mut outgoing = Outgoing {
            began_us: now_us,
            state: State::Moving,
            link: link::Link::new(settings.link_timeout_us, now_us),
            senders: PerLane::of(|_| LaneSender::new(1)),
            receivers: PerLane::of(|_| LaneReceiver::new(1, false)),
            slots: slots::Slots::new(&batch.slots),
            round: streaming::Round::default(),
            release: None,
            drain: Drain::default(),
            pauses: Pauses::new(settings.pause_target_us, settings.pause_max_us),
            held_since_us: None,
            attempt: 0,
            appointment: Appointment::No,
            urgent_bytes_left: 0,
            lives: 0,
            target: None,
            target_failed: false,
            rate_max: None,
            refusal: None,
            failure: None,
            lost: None,
            actions: VecDeque::new(),
            progress,
            bytes_for_nothing: 0,
            throughput: report::Throughput::default(),
            batch,
            settings,
        };
        outgoing.tend_link(now_us);
        outgoing
    }

    /// The batch.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// A lane is connected.
    pub fn connected(&mut self, lane: Lane, now_us: u64) {
        if self.link.connected(lane, now_us) {
            self.greet(lane);
        }
    }

    /// A lane is not connected any more, or could not be. The caller drops the other one as well; `Action::Connect` asks for
    /// both anew.
    pub fn disconnected(&mut self, lane: Lane, now_us: u64) {
        let _ = lane;
        self.link_lost(now_us);
    }

    /// Bytes came on a lane, cut anywhere. After an error the caller drops both lanes and says `disconnected`.
    pub fn receive(&mut self, lane: Lane, bytes: &[u8], now_us: u64) -> Result<(), FrameError> {
        if bytes.is_empty() || !self.link.hears(lane, now_us) {
            return Ok(());
        }
        self.receivers.on(lane).receive(bytes)?;
        self.hear(lane, now_us)
    }

    /// What `Action::Hold` asked to wait, waits.
    pub fn held(&mut self, hold: Hold, now_us: u64) {
        let _ = now_us;
        self.pause_held(hold);
    }

    /// The name under which the map is to name the target as heir, or does, in this life of the batch.
    pub fn heir(&self) -> HeirId {
        self.batch.id.heir(self.lives + 1)
    }

    /// Whether the map is to go on naming the heir: it was asked to, and the batch was not given up since.
    pub fn has_heir(&self) -> bool {
        let may_stand = matches!(self.state, State::Moving | State::Pausing(_) | State::Given { .. });
        may_stand && self.appointment != Appointment::No
    }

    /// What `Action::Appoint` came to: the map that names the heir, as the store keeps it, or why there is none.
    pub fn appointed(&mut self, map: Result<&[u8], String>) {
        if self.appointment != Appointment::Asked || !self.is_revocable() {
            return;
        }
        match map {
            Ok(map) => self.note_appointed(map),
            Err(reason) => self.fail(reason),
        }
    }

    /// The map does not name the heir any more, and no word was given: the target has dropped what it had.
    pub fn withdrawn(&mut self) {
        if matches!(self.appointment, Appointment::Known(_)) && !self.is_given() {
            self.forgotten();
        }
    }

    /// Gives the target the word, as `Action::Give` asks: from here on the slots are the target's. `false`, and without
    /// effect, if the pause was given up meanwhile. The caller has seen to it that nothing of the slots is served here.
    pub fn give(&mut self, now_us: u64) -> bool {
        self.give_word(now_us)
    }

    /// Whether the word was given, and the map has not said yet what came of it.
    pub fn is_given(&self) -> bool {
        matches!(self.state, State::Given { .. })
    }

    /// What the map says that came of the word. What it leads to is done by `advance`, in steps.
    pub fn outcome(&mut self, outcome: Outcome, now_us: u64) {
        self.settle(outcome, now_us);
    }

    /// Gives up; `false`, and without effect, once the word was given.
    pub fn cancel(&mut self, reason: String, shard: &mut Shard, now_us: u64) -> bool {
        let _ = shard;
        let is_revocable = self.is_revocable();
        if is_revocable {
            self.abort(Phase::Cancelled, reason, now_us);
        }
        is_revocable
    }

    /// Goes on in bounded steps while there is time left. Puts out at most `bytes_max` bytes of baseline and deltas, those
    /// that nobody has taken from `output` yet included. What `output` holds more than that (a few small frames, and up to
    /// `urgent_bytes` of a pause) counts as well: the caller's pacer is told what was taken.
    pub fn advance(
        &mut self,
        shard: &mut Shard,
        now_us: u64,
        bytes_max: usize,
        is_time_left: &mut dyn FnMut() -> bool,
    ) -> Advance {
        let waiting: usize = Lane::ALL.into_iter().map(|lane| self.senders.on(lane).output().len()).sum();
        let mut bytes_left = bytes_max.saturating_sub(waiting);
        self.begin_round(shard);
        self.tend(shard, now_us);
        loop {
            let worked = self.step(shard, now_us);
            bytes_left = bytes_left.saturating_sub(self.flush(bytes_left, now_us));
            if !worked {
                let is_starved = bytes_left == 0 && waiting == 0;
                return self.due(is_starved, shard, now_us);
            }
            if !is_time_left() {
                return Advance::Now;
            }
        }
    }

    /// Deals with what is due by the clock.
    fn tend(&mut self, shard: &Shard, now_us: u64) {
        self.note(shard, now_us);
        if matches!(self.state, State::Ended) {
            return;
        }
        if self.pause_ends_at_us().is_some_and(|at_us| now_us >= at_us) {
            self.give_up_pause(now_us);
        }
        if self.is_revocable() && self.link.times_out_at_us().is_some_and(|at_us| now_us >= at_us) {
            let why = self.refusal.map_or_else(|| "no link".to_owned(), |refusal| refusal.to_string());
            self.fail(format!("the target could not be reached for migration-link-timeout: {why}"));
        }
        self.tend_link(now_us);
    }

    /// One bounded step; whether there was something to do.
    fn step(&mut self, shard: &mut Shard, now_us: u64) -> bool {
        if let Some(reason) = self.failure.take() {
            assert!(self.is_revocable(), "a batch whose word was given does not fail by itself");
            self.abort(Phase::Failed, reason, now_us);
            return true;
        }
        if let Some(reason) = self.lost.take() {
            assert!(self.is_revocable(), "a batch whose word was given does not begin again");
            self.begin_again(reason, now_us);
            return true;
        }
        if let Some(release) = self.release {
            self.step_release(release, shard);
            return true;
        }
        match &self.state {
            State::Moving => {
                let deltas = self.step_deltas(shard);
                let copied = self.step_copy(shard);
                let asked = self.ask_for_heir();
                deltas || copied || asked || self.step_pause(shard, now_us)
            }
            State::Pausing(pause) => {
                let pause = *pause;
                self.step_pausing(pause, shard)
            }
            State::Given { .. } => false,
            State::Committed { .. } | State::Aborting { .. } => self.step_end(now_us),
            State::Restarting => {
                self.live_again();
                self.tend_link(now_us);
                true
            }
            State::Ended => false,
        }
    }

    /// Puts out what was made: urgent things first, and those of them that cannot wait whatever is left of the bytes.
    fn flush(&mut self, bytes_max: usize, now_us: u64) -> usize {
        let delivered = self.drain.delivered();
        let mut bytes_left = bytes_max;
        let mut bytes = 0;
        for lane in Lane::ALL {
            let is_urgent = lane == Lane::Delta
                && matches!(
                    self.state,
                    State::Pausing(_)
                        | State::Given { .. }
                        | State::Committed { .. }
                        | State::Aborting { .. }
                );
            let urgent = if is_urgent { self.urgent_bytes_left } else { 0 };
            let sender = self.senders.on(lane);
            let room = OUTPUT_BYTES_MAX.saturating_sub(sender.output().len());
            let made = sender.flush(bytes_left.max(urgent).min(room), now_us, delivered);
            if is_urgent {
                self.urgent_bytes_left = urgent.saturating_sub(made.saturating_sub(bytes_left));
            }
            bytes_left = bytes_left.saturating_sub(made);
            bytes += made;
        }
        bytes
    }

    /// When there is something to do, now that nothing is left to be done.
    fn due(&self, is_starved: bool, shard: &Shard, now_us: u64) -> Advance {
        let unsent = |sender: &LaneSender| sender.is_open() && sender.unsent_bytes() > 0;
        if is_starved && (unsent(&self.senders.delta) || unsent(&self.senders.snapshot)) {
            return Advance::Now;
        }
        let at = |at_us: Option<u64>| at_us.map_or(Advance::Idle, Advance::At);
        let mut due = match &self.state {
            State::Ended => return Advance::Idle,
            State::Committed { until_us, .. } | State::Aborting { until_us, .. } => Advance::At(*until_us),
            State::Pausing(_) => at(self.pause_ends_at_us()),
            State::Moving if self.may_pause() => {
                Advance::At(self.pauses.next_us(now_us).min(now_us + WATCH_US))
            }
            State::Moving | State::Restarting | State::Given { .. } => Advance::Idle,
        };
        if self.is_revocable() {
            due = due.or(at(self.link.times_out_at_us()));
            let is_watching = self.slots.streaming() > 0 || shard.all_queued_delta_bytes() > 0;
            if self.link.is_up() && is_watching {
                due = due.or(Advance::At(now_us + WATCH_US));
            }
        }
        due.or(self.link.due())
    }

    /// Bytes to be sent on a lane; the caller takes what is there. Beyond `OUTPUT_BYTES_MAX` no more are made.
    pub fn output(&mut self, lane: Lane) -> &mut Vec<u8> {
        self.senders.on(lane).output()
    }

    /// What is asked of the caller next; to be called until there is nothing.
    pub fn action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The bytes a second that the target allows; none if it sets no limit.
    pub fn rate_max(&self) -> Option<u64> {
        self.rate_max
    }

    /// Whether commands for the batch's slots must not be served here as far as this batch is concerned.
    pub fn is_held(&self) -> bool {
        self.held_since_us.is_some()
    }
}
