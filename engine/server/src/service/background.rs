//! What a core does between commands: reclaim, expiry, memory given back, clients that overstay.

use std::time::Duration;
use whimbrel_net::{Io, Monotonic, Wake};

use super::CoreService;
use super::connection::Hold;
use super::message::Message;

/// How often clients are looked through.
const CLIENTS_EVERY: Duration = Duration::from_millis(100);

/// How often what has expired is looked for.
const SWEEP_EVERY: Duration = Duration::from_millis(100);

/// When which work is due next.
#[derive(Default)]
pub struct Background {
    clients_at: Monotonic,
    keys_at: Monotonic,
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
    /// Reclaim, expiry and returned memory, until the turn's time is up.
    fn work_on_keys(&mut self, io: &mut Io<Message>, now: Monotonic) -> Wake {
        /// Bounded pieces between two looks at the clock.
        const PIECES: usize = 4;
        let turn = Duration::from_micros(self.core.config.background_turn_us.into());
        let now_ms = self.now(io).unix_ms;
        let sweeps = now >= self.background.keys_at && self.core.shard.expiring_keys() > 0;
        let mut sweeping = sweeps;
        loop {
            let reclaiming = self.core.shard.reclaim(PIECES);
            sweeping = sweeping && self.core.shard.sweep_expired(now_ms, PIECES);
            if !reclaiming && !sweeping {
                break;
            }
            if Monotonic::now().since(now) >= turn {
                return Wake::Now;
            }
        }
        if sweeps {
            self.background.keys_at = now.after(SWEEP_EVERY);
        }
        if self.core.shard.expiring_keys() > 0 { Wake::At(self.background.keys_at) } else { Wake::Idle }
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
