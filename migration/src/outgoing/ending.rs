//! How a batch ends, or begins anew: what came of its word, giving up, and a target that has lost what it had.

use whimbrel_engine::shard::Shard;

use super::slots::Slots;
use super::{Action, Appointment, Outcome, Outgoing, State};
use crate::frame::Frame;
use crate::lane::{Lane, LaneSender};
use crate::progress::Phase;

/// Slots that are let go of in one step.
const RELEASES_MAX: usize = 32;

/// How long the target is given to hear that the batch was given up. One that does not hear of it learns from the map that it
/// is no heir any more, or drops what it has for want of a link.
const ABORT_US: u64 = 200_000;

/// Letting go of slots.
#[derive(Clone, Copy, Debug)]
pub struct Release {
    next: usize,
    /// Whether what they hold is dropped as well.
    drops: bool,
}

impl Outgoing {
    /// What the map says that came of the word.
    pub(super) fn settle(&mut self, outcome: Outcome, now_us: u64) {
        let State::Given { number, is_heard } = self.state else { return };
        match outcome {
            Outcome::Refused { reason } => self.abort(Phase::Failed, reason, now_us),
            Outcome::Committed => {
                let until_us = now_us + self.settings.link_timeout_us;
                self.state = State::Committed { number, until_us, is_heard };
                self.release = Some(Release { next: 0, drops: true });
            }
        }
    }

    /// Fails the batch at the next step.
    pub(super) fn fail(&mut self, reason: String) {
        if self.is_revocable() {
            self.failure.get_or_insert(reason);
        }
    }

    /// Whether the batch can still be given up.
    pub(super) fn is_revocable(&self) -> bool {
        matches!(self.state, State::Moving | State::Pausing(_) | State::Restarting)
    }

    /// Gives the batch up: the source owns the slots as before.
    pub(super) fn abort(&mut self, phase: Phase, reason: String, now_us: u64) {
        self.end_pause(now_us);
        self.progress.phase = phase;
        self.progress.reason = Some(reason.clone());
        self.failure = None;
        self.lost = None;
        let number = self.senders.delta.push(&Frame::Abort { reason });
        let is_heard = self.target.is_none() || self.target_failed;
        self.state = State::Aborting { number, until_us: now_us + ABORT_US, is_heard };
        self.release = Some(Release { next: 0, drops: false });
    }

    /// The target knows nothing of the batch any more.
    pub(super) fn forgotten(&mut self) {
        match &mut self.state {
            State::Moving | State::Pausing(_) => {
                self.lost.get_or_insert("the target lost what it had");
            }
            State::Given { is_heard, .. }
            | State::Committed { is_heard, .. }
            | State::Aborting { is_heard, .. } => *is_heard = true,
            State::Restarting | State::Ended => {}
        }
    }

    /// Begins the batch from zero.
    pub(super) fn begin_again(&mut self, reason: &str, now_us: u64) {
        self.give_up_pause(now_us);
        if self.lives >= self.settings.restarts_max {
            return self.abort(Phase::Failed, format!("{reason}, once too often"), now_us);
        }
        self.lives += 1;
        self.progress.restarts += 1;
        self.progress.reason = Some(reason.to_owned());
        self.progress.phase = Phase::Connecting;
        self.link.lost(now_us);
        self.bytes_for_nothing += self.slots.copied_bytes();
        for lane in Lane::ALL {
            self.senders.on(lane).begin(self.lives + 1);
            self.receivers.on(lane).begin(self.lives + 1);
        }
        self.target = None;
        self.appointment = Appointment::No;
        self.state = State::Restarting;
        self.release = Some(Release { next: 0, drops: false });
    }

    /// All slots are let go of: the next life begins.
    pub(super) fn live_again(&mut self) {
        self.slots = Slots::new(&self.batch.slots);
        self.progress.keys_done = 0;
        self.progress.bytes_done = 0;
        self.round = Default::default();
        self.state = State::Moving;
    }

    /// Lets go of some slots.
    pub(super) fn step_release(&mut self, release: Release, shard: &mut Shard) {
        let end = self.slots.len().min(release.next + RELEASES_MAX);
        for index in release.next..end {
            self.slots.release(index, shard);
            if release.drops {
                shard.flush_slot(self.slots.at(index).slot);
            }
        }
        self.release = (end < self.slots.len()).then_some(Release { next: end, ..release });
    }

    /// Whether the target has heard how it ended, or has had its time to.
    pub(super) fn step_end(&mut self, now_us: u64) -> bool {
        let acknowledged = LaneSender::acknowledged(&self.senders.delta);
        let is_lost = !self.link.is_up();
        let result = match &self.state {
            State::Committed { number, until_us, is_heard } => {
                if !is_heard && acknowledged <= *number && now_us < *until_us {
                    return false;
                }
                self.progress.phase = Phase::Done;
                Ok(())
            }
            State::Aborting { number, until_us, is_heard } => {
                if !is_heard && acknowledged <= *number && now_us < *until_us && !is_lost {
                    return false;
                }
                Err(self.progress.reason.clone().unwrap_or_default())
            }
            _ => return false,
        };
        self.state = State::Ended;
        self.progress.elapsed_us = now_us.saturating_sub(self.began_us);
        self.link.close();
        self.actions.push_back(Action::Ended(result));
        true
    }
}
