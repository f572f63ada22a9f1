//! What the target's frames mean to the source.

use super::Outgoing;
use super::link::Wish;
use crate::frame::{Frame, FrameError, Hello, Refusal};
use crate::lane::{Acknowledged, Lane};
use crate::outgoing::{Action, State};

impl Outgoing {
    /// Opens, drops or asks, as the link wishes at this time.
    pub(super) fn tend_link(&mut self, now_us: u64) {
        if matches!(self.state, State::Restarting) {
            return;
        }
        while let Some(wish) = self.link.wish(now_us) {
            match wish {
                Wish::Open => {
                    let connection = self.link.connection();
                    if connection > 1 {
                        self.progress.reconnects += 1;
                    }
                    for lane in Lane::ALL {
                        self.senders.on(lane).close();
                        self.receivers.on(lane).connect(connection);
                    }
                    self.actions.push_back(Action::Connect);
                }
                Wish::Drop => {
                    self.actions.push_back(Action::Disconnect);
                    self.link_lost(now_us);
                }
                Wish::Ping(lane) => self.senders.on(lane).put_control(&Frame::Ping { echo: now_us }),
            }
        }
    }

    /// Both lanes are gone.
    pub(super) fn link_lost(&mut self, now_us: u64) {
        if !self.link.lost(now_us) {
            return;
        }
        Lane::ALL.into_iter().for_each(|lane| self.senders.on(lane).close());
        self.give_up_pause(now_us);
    }

    /// A lane is connected: the target is told which.
    pub(super) fn greet(&mut self, lane: Lane) {
        let hello = Hello {
            batch: self.batch.clone(),
            lane,
            life: self.lives + 1,
            connection: self.link.connection(),
            was_welcome: self.target.is_some(),
            source_incarnation: self.settings.incarnation,
            began_us: self.began_us,
        };
        self.senders.on(lane).greet(hello.connection, &Frame::Hello(hello));
    }

    /// Deals with what came on a lane.
    pub(super) fn hear(&mut self, lane: Lane, now_us: u64) -> Result<(), FrameError> {
        while let Some(arrival) = self.receivers.on(lane).first() {
            let kind = arrival.header.kind;
            let answer = Frame::read(kind, arrival.payload)?.into_answer();
            self.receivers.on(lane).done();
            self.answer(lane, answer.ok_or(FrameError::Unexpected { kind })?, now_us)?;
            if !self.link.is_connected(lane) {
                break;
            }
        }
        Ok(())
    }

    fn answer(&mut self, lane: Lane, answer: Frame<'_>, now_us: u64) -> Result<(), FrameError> {
        match answer {
            Frame::Welcome(welcome) => {
                self.rate_max = Some(welcome.bytes_per_second).filter(|rate| *rate > 0);
                if self.target.is_some_and(|target| target != welcome.incarnation) {
                    self.forgotten();
                    return Ok(());
                }
                self.target = Some(welcome.incarnation);
                match self.senders.on(lane).open(welcome.expected) {
                    Ok(acknowledged) => self.acknowledged(lane, acknowledged, now_us),
                    Err(_) => self.forgotten(),
                }
                self.link.welcomed(lane);
            }
            Frame::Refused(refusal) => self.refused(refusal, now_us),
            Frame::Ack { expected } => {
                let acknowledged = self.senders.on(lane).acknowledge(expected)?;
                self.acknowledged(lane, acknowledged, now_us);
            }
            Frame::Rate { bytes_per_second } => {
                self.rate_max = Some(bytes_per_second).filter(|rate| *rate > 0);
            }
            Frame::Pong { echo } if echo <= now_us => self.drain.answered(echo, now_us),
            Frame::Sealed { attempt } => self.pause_sealed(attempt),
            Frame::Failed { reason } if self.is_revocable() => {
                self.target_failed = true;
                self.fail(format!("the target gave up: {reason}"));
            }
            _ => {}
        }
        Ok(())
    }

    fn acknowledged(&mut self, lane: Lane, acknowledged: Acknowledged, now_us: u64) {
        self.drain.acknowledged(acknowledged, now_us);
        if lane == Lane::Snapshot {
            self.progress.bytes_done += acknowledged.bytes;
            self.slots.acknowledged(self.senders.snapshot.acknowledged());
        }
    }

    fn refused(&mut self, refusal: Refusal, now_us: u64) {
        match refusal {
            Refusal::Forgotten => self.forgotten(),
            // The map has told it before the source could.
            Refusal::Owned { .. } if matches!(self.state, State::Given { .. } | State::Committed { .. }) => {
                self.forgotten()
            }
            Refusal::UnknownTarget => self.fail(refusal.to_string()),
            // Another time, perhaps: until the link times out.
            _ => self.refusal = Some(refusal),
        }
        if !matches!(self.state, State::Ended) {
            self.actions.push_back(Action::Disconnect);
            self.link_lost(now_us);
        }
    }
}
