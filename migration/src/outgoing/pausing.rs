//! Pausing and hand-over: writes wait, the rest drains, both sides agree, everything waits, the word is given.
//!
//! ```text
//! Writes ──held──► Draining ──► Sealing ──sealed──► Everything ──held──► Draining ──nothing was left──► Giving
//!                     ▲                                                     │ reads had removed what expired
//!                     └────────────────── another seal ◄────────────────────┘
//! ```
//!
//! No pause begins before it is known that the map names the target as heir, and before the target goes by that map: taking
//! one over is long work beside a pause. Up to the word the pause can be given up, at its deadline or with the link: writes go
//! on, and the next attempt has another number. The word ends the pause, and cannot be taken back.

use whimbrel_engine::shard::Shard;

use super::streaming::LOOKS_MAX;
use super::{Action, Appointment, Hold, Outgoing, State};
use crate::frame::{Frame, PAYLOAD_BYTES_MAX, Seal};
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
    /// The caller's leave to give the word.
    Giving,
}

impl Outgoing {
    /// Begins a pause if the rest is going to drain soon enough; whether it did.
    pub(super) fn step_pause(&mut self, shard: &Shard, now_us: u64) -> bool {
        if !self.may_pause() {
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

    /// Whether a pause could begin, if the rest were short.
    pub(super) fn may_pause(&self) -> bool {
        let Appointment::Known(shown) = self.appointment else { return false };
        self.link.is_up() && self.slots.are_all_streaming() && self.senders.delta.acknowledged() > shown
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
            return self.ask_to_give();
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
            Step::Sealing { .. } | Step::Everything | Step::Giving => false,
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

    /// All watches were empty when they were looked at: the word is due if the target has confirmed everything, a seal
    /// otherwise.
    fn seal(&mut self, is_all: bool, is_confirmed: bool, shard: &Shard) -> bool {
        if is_all && is_confirmed {
            self.ask_to_give();
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
        true
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
            self.senders.delta.push(&Frame::Resume { attempt: self.attempt });
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

    /// Asks for the target to be named as heir once most slots stream, one time in a life of the batch; whether it did. The store and the
    /// target take their time for it while the rest is copied.
    pub(super) fn ask_for_heir(&mut self) -> bool {
        let is_due =
            self.appointment == Appointment::No && self.link.is_up() && self.slots.are_mostly_streaming();
        let Some(target) = self.target.filter(|_| is_due) else { return false };
        self.appointment = Appointment::Asked;
        self.actions.push_back(Action::Appoint { target });
        true
    }

    /// The map names the heir: the target is shown the map, so that it can go by the word at once.
    pub(super) fn note_appointed(&mut self, map: &[u8]) {
        // Without the map, the target reads it where it is kept.
        let map = if map.len() <= PAYLOAD_BYTES_MAX { map } else { &[] };
        self.appointment = Appointment::Known(self.senders.delta.push(&Frame::Appointed { map }));
    }

    fn ask_to_give(&mut self) {
        let State::Pausing(pause) = &mut self.state else { return };
        pause.step = Step::Giving;
        self.progress.phase = Phase::HandingOver;
        self.actions.push_back(Action::Give);
    }

    /// Gives the word if nothing has come in between.
    pub(super) fn give_word(&mut self, now_us: u64) -> bool {
        let is_asked = matches!(self.state, State::Pausing(Pause { step: Step::Giving, .. }));
        if !is_asked || self.failure.is_some() || self.lost.is_some() {
            return false;
        }
        let is_named = matches!(self.appointment, Appointment::Known(_));
        assert!(is_named, "no pause begins before the map names the heir");
        let number = self.senders.delta.push(&Frame::Yours { attempt: self.attempt });
        self.state = State::Given { number, is_heard: false };
        self.end_pause(now_us);
        true
    }
}
