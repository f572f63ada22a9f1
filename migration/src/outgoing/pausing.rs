//! Pausing and hand-over: writes wait, the rest drains, both sides agree, everything waits, the map decides.
//!
//! ```text
//! Writes ──held──► Draining ──► Sealing ──sealed──► Everything ──held──► Draining ──nothing was left──► commit
//!                     ▲                                                     │ reads had removed what expired
//!                     └────────────────── another seal ◄────────────────────┘
//! ```
//!
//! Up to the commit the pause can be given up, at its deadline or with the link: writes go on, and the next attempt has another
//! number. From the commit on it cannot: the batch waits until the outcome is known.

use whimbrel_engine::shard::Shard;

use super::streaming::LOOKS_MAX;
use super::{Action, Hold, Outgoing, State};
use crate::frame::{Frame, Seal};
use crate::progress::Phase;

/// A pause under way.
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    /// When writes were asked to wait.
    pub began_us: u64,
    /// What is waited for.
    pub step: Step,
    /// Whether a seal of this pause was sent.
    is_sealed: bool,
}

/// Whether the target may be prepared: then it drops nothing before it is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prepared {
    /// No seal was sent in this life.
    No,
    /// A seal was sent.
    Perhaps,
    /// Not any more once it has heard that the attempt was given up.
    Until {
        /// The frame that says so.
        resumed: u64,
    },
}

/// What a pause waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// That no write is under way.
    Writes,
    /// That all watches are empty.
    Draining {
        /// The next one to be looked at.
        next: usize,
        /// Whether all commands wait, not writes alone.
        is_all: bool,
        /// Whether the target has confirmed everything that was sent.
        is_confirmed: bool,
    },
    /// The target's word that it holds the same.
    Sealing {
        /// Whether all commands wait, not writes alone.
        is_all: bool,
    },
    /// That no command is under way.
    Everything,
}

impl Outgoing {
    /// Begins a pause if the rest is going to drain soon enough; whether it did.
    pub(super) fn step_pause(&mut self, shard: &Shard, now_us: u64) -> bool {
        if !self.link.is_up() || !self.slots.are_all_streaming() {
            return false;
        }
        let drain_us = self.drain.predicted_us(self.lag_bytes(shard)).unwrap_or(0);
        let round_trip_us = self.drain.round_trip_us().unwrap_or(0);
        if !self.pauses.may_begin(drain_us, round_trip_us, now_us) {
            return false;
        }
        if self.pauses.tried() >= self.settings.pauses_max {
            let tried = self.pauses.tried();
            self.fail(format!("the rest did not drain within pause-max in {tried} pauses"));
            return true;
        }
        self.pauses.begin();
        self.urgent_bytes_left = self.settings.urgent_bytes;
        self.state = State::Pausing(Pause { began_us: now_us, step: Step::Writes, is_sealed: false });
        self.progress.phase = Phase::Pausing;
        self.hold(Hold::Writes);
        true
    }

    /// Bytes of deltas that the target has not applied.
    pub(super) fn lag_bytes(&self, shard: &Shard) -> u64 {
        (self.slots.queued_bytes(shard) + self.senders.delta.window_bytes()) as u64
    }

    /// What was asked to wait, waits.
    pub(super) fn pause_held(&mut self, hold: Hold) {
        let State::Pausing(pause) = &mut self.state else { return };
        pause.step = match (pause.step, hold) {
            (Step::Writes, Hold::Writes) => Step::Draining { next: 0, is_all: false, is_confirmed: false },
            (Step::Everything, Hold::All) => Step::Draining { next: 0, is_all: true, is_confirmed: true },
            (step, _) => step,
        };
    }

    /// The target holds the same as the seal of this attempt.
    pub(super) fn pause_sealed(&mut self, attempt: u32) {
        let (mine, is_up) = (self.attempt, self.link.is_up());
        let State::Pausing(pause) = &mut self.state else { return };
        let Step::Sealing { is_all } = pause.step else { return };
        if attempt != mine || !is_up {
            return;
        }
        if is_all {
            // Nothing could be read or written since; what background work removed meanwhile, nobody has seen gone.
            return self.commit();
        }
        pause.step = Step::Everything;
        self.progress.phase = Phase::HandingOver;
        self.hold(Hold::All);
    }

    /// Goes on with a pause; whether there was something to do.
    pub(super) fn step_pausing(&mut self, pause: Pause, shard: &mut Shard) -> bool {
        match pause.step {
            Step::Writes => self.step_deltas(shard),
            Step::Draining { next, is_all, is_confirmed } => {
                self.step_drain(next, is_all, is_confirmed, shard)
            }
            Step::Sealing { .. } | Step::Everything => false,
        }
    }

    fn step_drain(
        &mut self,
        mut next: usize,
        is_all: bool,
        mut is_confirmed: bool,
        shard: &mut Shard,
    ) -> bool {
        let end = self.slots.len().min(next + LOOKS_MAX);
        let begin = next;
        let mut is_blocked = false;
        while next < end {
            let Some(bytes) = self.look(next, shard) else { return true };
            if bytes == 0 {
                next += 1;
                continue;
            }
            if !self.may_put_deltas() {
                is_blocked = true;
                break;
            }
            is_confirmed = false;
            self.put_deltas(next, shard);
            // One run a step; the slot is looked at again.
            break;
        }
        if next == self.slots.len() {
            return self.seal(is_all, is_confirmed, shard);
        }
        let State::Pausing(pause) = &mut self.state else { return true };
        pause.step = Step::Draining { next, is_all, is_confirmed };
        !is_blocked || next > begin
    }

    /// All watches were empty when they were looked at: commits if the target has confirmed everything, seals otherwise.
    fn seal(&mut self, is_all: bool, is_confirmed: bool, shard: &Shard) -> bool {
        if is_all && is_confirmed {
            self.commit();
            return true;
        }
        let digest = self.slots.digest(shard);
        let State::Pausing(pause) = &mut self.state else { return true };
        let Some(digest) = digest else {
            // Something expired meanwhile. Once more.
            pause.step = Step::Draining { next: 0, is_all, is_confirmed: false };
            return true;
        };
        pause.step = Step::Sealing { is_all };
        pause.is_sealed = true;
        self.attempt += 1;
        let (keys, deltas, slots_digest) = digest.value();
        let seal = Seal {
            attempt: self.attempt,
            keys,
            deltas,
            slots_digest,
            snapshot_digest: self.senders.snapshot.digest(),
            delta_digest: self.senders.delta.digest(),
        };
        self.senders.delta.push(&Frame::Seal(seal));
        self.prepared = Prepared::Perhaps;
        true
    }

    /// Whether the target may be prepared.
    pub(super) fn may_be_prepared(&self) -> bool {
        match self.prepared {
            Prepared::No => false,
            Prepared::Perhaps => true,
            Prepared::Until { resumed } => self.senders.delta.acknowledged() <= resumed,
        }
    }

    /// When the pause is given up, if there is one that can be.
    pub(super) fn pause_ends_at_us(&self) -> Option<u64> {
        match &self.state {
            State::Pausing(pause) => Some(pause.began_us + self.settings.pause_max_us),
            _ => None,
        }
    }

    /// Lets writes go on; another pause is tried later.
    pub(super) fn give_up_pause(&mut self, now_us: u64) {
        let State::Pausing(pause) = self.state else { return };
        self.end_pause(now_us);
        self.pauses.give_up(now_us);
        self.state = State::Moving;
        self.progress.phase = Phase::Streaming;
        if pause.is_sealed {
            let resumed = self.senders.delta.push(&Frame::Resume { attempt: self.attempt });
            self.prepared = Prepared::Until { resumed };
        }
    }

    /// What waited goes on.
    pub(super) fn end_pause(&mut self, now_us: u64) {
        if let Some(began_us) = self.held_since_us.take() {
            self.progress.pauses.add(now_us.saturating_sub(began_us));
            self.actions.push_back(Action::Hold(Hold::None));
        }
    }

    fn hold(&mut self, hold: Hold) {
        if let State::Pausing(pause) = &self.state {
            self.held_since_us.get_or_insert(pause.began_us);
        }
        self.actions.push_back(Action::Hold(hold));
    }

    fn commit(&mut self) {
        if self.failure.is_some() || self.lost.is_some() {
            // The next step gives the batch up, which it may as long as nothing was asked for.
            return;
        }
        let target = self.target.expect("a target that has sealed was welcomed before");
        self.state = State::Committing { resolve_at_us: None, resolves: 0 };
        self.progress.phase = Phase::HandingOver;
        self.actions.push_back(Action::Commit { target });
    }
}
