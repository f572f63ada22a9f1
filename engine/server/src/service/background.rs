//! What a core does between commands: reclaim, expiry, memory given back, clients that overstay.

use std::time::Duration;
use whimbrel_engine::shard::{Background, Work};
use whimbrel_net::{Io, Monotonic, Wake};

use super::CoreService;
use super::connection::Hold;
use super::core_clock::CoreClock;
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
    /// Commands that had run when background work was last asked for.
    commands_worked: u64,
    /// Until when it leaves the core to the clients, if there are any.
    rests_until: Monotonic,
    /// Where the time of this core's turns went.
    pub spent: Spent,
    pub clock: CoreClock,
    /// How often statistics began anew when the longest times did.
    resets_seen: u32,
}

/// Where the time of a core's turns went, since the start.
#[derive(Clone, Copy, Default)]
pub struct Spent {
    /// Turns altogether, without the system call at their end.
    pub turns: Duration,
    /// The longest turn since statistics began anew.
    pub turn_max: Duration,
    /// The most that the thread itself ran for one turn since then, the system call at its end included.
    pub ran_max: Duration,
    /// The most that it ran for a turn of background work in which something was freed.
    pub reclaim_max: Duration,
    /// Work on keys in the background.
    pub background: Duration,
    /// The part of it that looked for expired keys.
    pub expiry: Duration,
}

impl Spent {
    fn turn(&mut self, took: Duration) {
        self.turns += took;
        self.turn_max = self.turn_max.max(took);
    }

    fn reset_longest(&mut self) {
        (self.turn_max, self.ran_max, self.reclaim_max) = Default::default();
    }
}

impl CoreService {
    /// A loop has begun: notes what the last one took of the thread's own time.
    pub(super) fn note_loop(&mut self, now: Monotonic) {
        self.forget_longest();
        let ran = self.background.clock.look(now);
        self.background.spent.ran_max = self.background.spent.ran_max.max(ran);
    }

    /// Longest times count from the last CONFIG RESETSTAT.
    pub(super) fn forget_longest(&mut self) {
        let resets = self.core.observed.resets();
        if std::mem::replace(&mut self.background.resets_seen, resets) != resets {
            self.background.spent.reset_longest();
            self.moves.forget_longest();
        }
    }
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
        if self.shared.memory.is_there() {
            while let Some(backing) = self.core.shard.take_backing() {
                self.shared.memory.back(backing);
            }
        }
        // What commands had to free to make room is not this turn's work either.
        self.give_memory_back();
        let mut wake = self.work_on_keys(io, now);
        if !self.core.sessions.is_empty() {
            wake = earlier(wake, Wake::At(self.background.clients_at));
        }
        wake
    }
}

impl CoreService {
    /// What the shard has to do, until the turn's time is up. A walk over forks has one half of the turn, and so has freeing.
    ///
    /// While clients want the core too, or slots leave it, background work takes `background-share` of it at most: work that is
    /// left over rests for as long as makes up that share. Time counts from here, not from the loop's start, so that long loops
    /// do not starve it.
    fn work_on_keys(&mut self, io: &mut Io<Message>, now: Monotonic) -> Wake {
        let commands = self.core.stats.commands_processed;
        let is_busy = std::mem::replace(&mut self.background.commands_worked, commands) != commands
            || self.moves.has_departures();
        if is_busy && now < self.background.rests_until {
            self.background.spent.turn(Monotonic::now().since(now));
            return Wake::At(self.background.rests_until);
        }
        let start = Monotonic::now();
        let turn = Duration::from_micros(self.core.config.background_turn_us.into());
        let is_walking = self.core.fork_walk.is_some();
        let reclaim = self.core.shard.is_reclaiming().then(CoreClock::default);
        // A step of freeing may meet memory that nothing has touched for long and take several times as long as others.
        let end = if is_walking || reclaim.is_some() { turn / 2 } else { turn };
        let now_ms = self.now(io).unix_ms;
        self.core.shard.set_defragment(!self.moves.has_departures());
        let (mut looked_at, mut expiry, mut longest) = (start, Duration::ZERO, Duration::ZERO);
        let mut is_reclaiming = false;
        let mut may_go_on = |work| {
            is_reclaiming |= work == Work::Reclaim;
            let step_start = std::mem::replace(&mut looked_at, Monotonic::now());
            let took = looked_at.since(step_start);
            if work == Work::Expire {
                expiry += took;
            }
            // A step that would end too late, if it were as long as the longest so far, is left to the next turn. Beside
            // freeing, one that calls the kernel or moves keys is the last.
            longest = longest.max(took);
            let is_last = reclaim.is_some() && matches!(work, Work::Release | Work::Defragment);
            !is_last && looked_at.since(start) + longest <= end
        };
        let wake = match self.core.shard.background(now_ms, &mut may_go_on) {
            Background::Now => Wake::Now,
            Background::At(at_ms) => Wake::At(now.after(Duration::from_millis(at_ms.saturating_sub(now_ms)))),
            Background::Idle => Wake::Idle,
        };
        self.give_memory_back();
        let wake = if is_walking && self.walk_forks(start, turn) { Wake::Now } else { wake };
        let mut worked_until = looked_at;
        if wake == Wake::Now {
            worked_until = Monotonic::now();
            let rest = rest(worked_until.since(start), self.core.config.background_share);
            self.background.rests_until = worked_until.after(rest);
        }
        let spent = &mut self.background.spent;
        spent.turn(worked_until.since(now));
        if let Some(clock) = reclaim.filter(|_| is_reclaiming) {
            spent.reclaim_max = spent.reclaim_max.max(clock.ran());
        }
        spent.background += worked_until.since(start);
        spent.expiry += expiry;
        wake
    }

    /// Has the memory thread give back to the kernel what was freed.
    fn give_memory_back(&mut self) {
        for returned in self.core.shard.take_returned() {
            self.shared.memory.give_back(returned);
        }
    }

    /// Walks forks until the turn's time is up, one step at least; whether there is more to walk.
    fn walk_forks(&mut self, start: Monotonic, turn: Duration) -> bool {
        while self.core.walk_forks(WALK_ITEMS) {
            if Monotonic::now().since(start) >= turn {
                return true;
            }
        }
        false
    }
}

/// How long background work rests after it took `worked`, to take `share_percent` of the time altogether.
pub(super) fn rest(worked: Duration, share_percent: u8) -> Duration {
    worked * u32::from(100 - share_percent) / u32::from(share_percent)
}

/// The earlier of two wake-ups.
pub(super) fn earlier(one: Wake, other: Wake) -> Wake {
    match (one, other) {
        (Wake::Now, _) | (_, Wake::Now) => Wake::Now,
        (Wake::Idle, wake) | (wake, Wake::Idle) => wake,
        (Wake::At(one), Wake::At(other)) => Wake::At(one.min(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_makes_up_the_share() {
        let worked = Duration::from_micros(50);
        assert_eq!(rest(worked, 10), Duration::from_micros(450));
        assert_eq!(rest(worked, 50), worked);
        assert_eq!(rest(worked, 1), Duration::from_micros(4950));
    }
}
