//! All state of one core: its sessions, its settings, what it counts, and what it asks of the process.

mod action;
mod foreknown;
mod fork_walk;
mod now;
mod pause;
mod random;
mod report;
mod settings;
mod slot_load;
mod stats;

use crate::config::Config;
use crate::info::Observed;
use crate::key::{SLOT_COUNT, SlotId};
use crate::latency::Monitor;
use crate::moves::Moves;
use crate::record::{Encoder, EncoderOptions};
use crate::session::Sessions;
use crate::shard::{Room, Shard, ShardLimits};
use crate::slowlog::Slowlog;
use crate::topology::Topology;

pub use action::Action;
pub use foreknown::Foreknown;
pub use fork_walk::ForkWalk;
pub use now::Now;
pub use pause::Pause;
pub use random::Random;
pub use slot_load::SlotLoad;
pub use stats::{CommandStats, Stats};

/// All state of one core. Nothing in it is shared with another core.
pub struct Core {
    /// The keys of this core's slots.
    pub shard: Shard,
    /// How many cores the process has.
    pub count: u16,
    /// Keys whose hashes were computed ahead.
    pub foreknown: Foreknown,
    /// Everybody who is connected to this core, but for the one whose command runs.
    pub sessions: Sessions,
    /// The settings; the same on all cores.
    pub config: Config,
    /// Who owns which slot.
    pub topology: Topology,
    /// Whether this core may serve what it owns. A node of a cluster may for as long as its lease surely runs; the
    /// process sets it.
    pub is_serving: bool,
    /// What happened so far.
    pub stats: Stats,
    /// Commands that took long.
    pub slowlog: Slowlog,
    /// Events that took long.
    pub latency: Monitor,
    /// What the process and the reactor tell this core for INFO.
    pub observed: Observed,
    /// What the process tells this core of moving slots.
    pub moves: Moves,
    /// A walk over forks of all slots that is under way (`DEBUG FORK-WALK`).
    pub fork_walk: Option<ForkWalk>,
    /// Whether commands wait (`CLIENT PAUSE`).
    pub pause: Pause,
    /// Writes records for DUMP.
    pub encoder: Encoder,
    /// Which slots commands go to.
    pub load: SlotLoad,
    /// Random numbers; the seed comes from outside.
    pub random: Random,
    /// What only the process can do, in the order in which commands asked for it.
    pub actions: Vec<Action>,
    /// When the process started.
    pub started: Now,
    /// Arguments from this one on do not appear in the slow log: a command that runs saw a password.
    pub redacted_from: Option<usize>,
}

/// What a core is made of.
pub struct CoreParts {
    /// Which core of the process it is.
    pub index: u16,
    /// How many cores the process has.
    pub count: u16,
    /// Its data.
    pub shard: Shard,
    /// The settings.
    pub config: Config,
    /// Who owns which slot, as this core sees it.
    pub topology: Topology,
    /// A random number, another for each core.
    pub seed: u64,
    /// When the process started.
    pub started: Now,
}

impl Core {
    /// A core without sessions.
    pub fn new(parts: CoreParts) -> Self {
        let mut core = Self {
            foreknown: Foreknown::default(),
            observed: Observed::new(parts.shard.used_bytes() + parts.shard.overhead_bytes()),
            shard: parts.shard,
            count: parts.count,
            sessions: Sessions::new(parts.index, parts.count),
            config: parts.config,
            topology: parts.topology,
            is_serving: true,
            stats: Stats::default(),
            slowlog: Slowlog::new(parts.index, parts.count),
            latency: Monitor::default(),
            moves: Moves::default(),
            fork_walk: None,
            pause: Pause::default(),
            encoder: Encoder::new(EncoderOptions::default()),
            load: SlotLoad::default(),
            random: Random::new(parts.seed),
            actions: Vec::new(),
            started: parts.started,
            redacted_from: None,
        };
        core.shard.set_limits(ShardLimits::of(&core.config, core.count));
        core
    }

    /// Bytes that this core's data may take: its even share of `maxmemory`, if that is set.
    pub fn memory_max(&self) -> Option<u64> {
        (self.config.maxmemory > 0).then(|| self.config.maxmemory / u64::from(self.count))
    }

    /// Whether the data takes more than it may although what may be evicted was, so that commands that need memory are
    /// refused. A command waits for a bounded number of evictions only; the rest is left to the background, unless the data
    /// has grown beyond its share by a quarter.
    #[inline]
    pub fn is_out_of_memory(&mut self, now_ms: u64) -> bool {
        /// Keys looked at for one command.
        const STEPS: usize = 16;
        /// Keys looked at for one command when the background does not keep up.
        const STEPS_BEHIND: usize = 512;
        let Some(max) = self.memory_max() else { return false };
        if self.shard.charged_bytes() <= max {
            return false;
        }
        match self.shard.make_room(max, STEPS, now_ms) {
            Room::Enough => false,
            Room::Full => true,
            Room::Over if self.shard.charged_bytes() <= max + max / 16 => false,
            Room::Over => {
                let room = self.shard.make_room(max, STEPS_BEHIND, now_ms);
                room == Room::Full || self.shard.charged_bytes() > max + max / 4
            }
        }
    }

    /// The slot before which a scan that goes on at slot `from` stops: behind the run of slots that this core owns there.
    /// In cluster mode a core speaks for itself alone, so nothing stops it.
    pub fn scan_end(&self, from: usize) -> usize {
        if self.config.cluster_enabled {
            return SLOT_COUNT;
        }
        // A slot that has just come is the core's own by the map, and shows nothing, until it is promoted.
        let shows = |slot: SlotId| self.topology.owns(slot) && !self.shard.is_staged(slot);
        let owns = |slot: usize| SlotId::new(slot).is_some_and(shows);
        (from..SLOT_COUNT).find(|slot| !owns(*slot)).unwrap_or(SLOT_COUNT)
    }

    /// Whether clients must give a password first.
    #[inline]
    pub fn needs_password(&self) -> bool {
        !self.config.requirepass.is_empty()
    }
}
