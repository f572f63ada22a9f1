//! How much of a core's time moves get: a share of it while clients want it too, all of it else, and what a pause needs.

use std::time::Duration;

use whimbrel_migration::Advance;
use whimbrel_net::{Io, Monotonic, Wake};

use super::super::CoreService;
use super::super::background::rest;
use super::super::message::Message;

/// A turn of move work while no client wants the core, or while clients wait for the move itself.
const TURN: Duration = Duration::from_micros(200);

/// A turn while moves rest, for changes alone: a source may be waiting for them with its writers.
const DELTA_TURN: Duration = Duration::from_micros(20);

/// For so long after its last command a core counts as wanted.
const WANTED: Duration = Duration::from_micros(500);

/// When moves had the core, and when they may have it again.
#[derive(Default)]
pub struct MoveTime {
    commands_seen: u64,
    wanted_until: Monotonic,
    rests_until: Monotonic,
}

impl CoreService {
    /// One turn of move work.
    pub(in super::super) fn drive_moves(&mut self, io: &mut Io<Message>, now: Monotonic) -> Wake {
        if self.moves.is_idle() {
            return Wake::Idle;
        }
        let commands = self.core.stats.commands_processed;
        let time = &mut self.moves.time;
        if std::mem::replace(&mut time.commands_seen, commands) != commands {
            time.wanted_until = now.after(WANTED);
        }
        let start = Monotonic::now();
        self.agree();
        self.look_after_settling();
        let is_pressing = self.moves.is_pressing();
        let is_wanted = now < self.moves.time.wanted_until;
        let rests = is_wanted && !is_pressing && now < self.moves.time.rests_until;
        if rests && !self.moves.arrivals.has_deltas() {
            return Wake::At(self.moves.time.rests_until);
        }
        let turn = if rests {
            DELTA_TURN
        } else if is_wanted && !is_pressing {
            Duration::from_micros(self.core.config.background_turn_us.into())
        } else {
            TURN
        };
        let half = if self.moves.arrivals.is_empty() { turn } else { turn / 2 };
        let departures = self.drive_departures(io, &mut || Monotonic::now().since(start) < half);
        let arrivals = self.drive_arrivals(io, &mut || Monotonic::now().since(start) < turn);
        let worked_until = Monotonic::now();
        let worked = worked_until.since(start);
        self.moves.tally.note_turn(self.background.clock.ran_of(worked).as_micros() as u64);
        match departures.or(arrivals) {
            Advance::Now if is_wanted && !self.moves.is_pressing() => {
                let rests_until = worked_until.after(rest(worked, self.core.config.migration_share));
                self.moves.time.rests_until = rests_until;
                Wake::At(rests_until)
            }
            Advance::Now => Wake::Now,
            Advance::At(at_us) => {
                let now_us = self.now(io).monotonic_us;
                Wake::At(now.after(Duration::from_micros(at_us.saturating_sub(now_us))))
            }
            Advance::Idle => Wake::Idle,
        }
    }
}
