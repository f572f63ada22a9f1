//! What a core does between commands: reclaim, expiry, memory given back, clients that overstay.

use std::time::Duration;
use whimbrel_engine::shard::Background;
use whimbrel_net::{Io, Monotonic, Wake};

use super::CoreService;
use super::connection::Hold;
use super::message::Message;

/// How often clients are looked through.
const CLIENTS_EVERY: Duration = Duration::from_millis(100);

/// Items of a fork that are walked between two looks at the clock.
const WALK_ITEMS: usize = 32;

/// When which work is due next.
#[derive(Default)]
pub struct Due {
    clients_at: Monotonic,
    commands_seen: u64,
}

impl CoreService {
    /// One background turn: at most `background-turn-us`, and what is left over goes on in the next.
    pub(super) fn work(&mut self, io: &mut Io<Message>, now: Monotonic) -> Wake {
        if !self.held.is_empty() && !self.core.pause.is_active(self.now(io)) {
            self.release_held(Hold::Pause);
        }
        if !self.core.sessions.is_empty() && now >= self.background.clients_at {
            // Where nothing happens there is little to look at: an idle core costs next to nothing.
            let commands = self.core.stats.commands_processed;
            let is_idle = std::mem::replace(&mut self.background.commands_seen, commands) == commands;
            self.background.clients_at = now.after(if is_idle { CLIENTS_EVERY * 10 } else { CLIENTS_EVERY });
            self.check_clients(io);
            self.sample(io);
        }
        let mut wake = self.work_on_keys(io, now);
        if !self.core.sessions.is_empty() {
            wake = earlier(wake, Wake::At(self.background.clients_at));
        }
        wake
    }
}

impl CoreService {
    /// What the shard has to do, until the turn's time is up. A walk over forks has one half of the turn.
    fn work_on_keys(&mut self, io: &mut Io<Message>, now: Monotonic) -> Wake {
        let turn = Duration::from_micros(self.core.config.background_turn_us.into());
        let is_walking = self.core.fork_walk.is_some();
        let end = if is_walking { turn / 2 } else { turn };
        let now_ms = self.now(io).unix_ms;
        let wake = match self.core.shard.background(now_ms, &mut || Monotonic::now().since(now) < end) {
            Background::Now => Wake::Now,
            Background::At(at_ms) => Wake::At(now.after(Duration::from_millis(at_ms.saturating_sub(now_ms)))),
            Background::Idle => Wake::Idle,
        };
        if is_walking && self.walk_forks(now, turn) { Wake::Now } else { wake }
    }

    /// Walks forks until the turn's time is up, one step at least; whether there is more to walk.
    fn walk_forks(&mut self, now: Monotonic, turn: Duration) -> bool {
        while self.core.walk_forks(WALK_ITEMS) {
            if Monotonic::now().since(now) >= turn {
                return true;
            }
        }
        false
    }
}

/// The earlier of two wake-ups.
fn earlier(one: Wake, other: Wake) -> Wake {
    match (one, other) {
        (Wake::Now, _) | (_, Wake::Now) => Wake::Now,
        (Wake::Idle, wake) | (wake, Wake::Idle) => wake,
        (Wake::At(one), Wake::At(other)) => Wake::At(one.min(other)),
    }
}
