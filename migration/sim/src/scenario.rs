//! What a run is like: everything that follows from its seed before it begins.

use whimbrel_migration::{Incarnation, IncomingSettings, OutgoingSettings};

use crate::clients::KeyspaceNature;
use crate::dice::Dice;
use crate::network::NetworkNature;
use crate::store::WireNature;

/// How clients reach cores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Port {
    /// Each core has its own (cluster mode): clients are sent to the right one.
    OfEachCore,
    /// All cores share one: commands are passed on, and wait at the core that holds the connection.
    Shared,
}

/// What a run is like.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub port: Port,
    pub processes: usize,
    pub cores_per_process: usize,
    pub clients: usize,
    /// Commands that a client has under way at once.
    pub pipeline: usize,
    /// Between two commands of a client, at most.
    pub think_us: u64,
    pub client_timeout_us: u64,
    pub client_delay_us: u64,
    /// Chances in a million, here and below.
    pub lost_replies: u64,
    pub keyspace: KeyspaceNature,
    /// Writes that fill the keyspace at the beginning, for each slot.
    pub filling: u64,
    /// Jobs that the operator asks for.
    pub jobs: u64,
    /// Between two deeds of the operator, at most.
    pub operate_us: u64,
    pub job_slots_max: usize,
    pub cancels: u64,
    pub network: NetworkNature,
    pub wire: WireNature,
    pub mailbox_delay_us: u64,
    /// Between two things that go wrong, at most; 0 for never.
    pub mischief_us: u64,
    pub crashes: bool,
    pub lease_us: u64,
    /// How slow each core is: the longest time between two turns.
    pub core_delay_us: Vec<u64>,
    /// The most steps of a slice of time, for each core.
    pub core_steps: Vec<u64>,
    pub background_per_million: u64,
    pub fork_retained_bytes_max: u64,
    /// Cap on a move, and on all moves of a core, in bytes a second; 0 for none.
    pub move_rate_max: u64,
    pub core_rate_max: u64,
    /// What targets allow; 0 for no limit.
    pub target_rate_max: u64,
    pub window_bytes: u64,
    pub inbox_mark_bytes: usize,
    pub delta_bytes_max: u64,
    pub link_timeout_us: u64,
    settings: OutgoingSettings,
}

impl Scenario {
    /// The scenario of a seed, with so many jobs, and much data if that is asked for.
    pub fn new(seed: u64, moves: u64, heavy: bool) -> Scenario {
        let mut dice = Dice::new(seed, 1);
        let dice = &mut dice;
        let is_shared = dice.happens(150_000);
        let (processes, cores_per_process) = match is_shared {
            true => (1, 2 + dice.index(2)),
            false if dice.happens(250_000) => (2, 2),
            false => (2 + dice.index(3), 1),
        };
        let cores = processes * cores_per_process;
        // One run in ten moves enough for caps, windows and marks to matter.
        let is_heavy = dice.happens(100_000) || heavy;
        // One run in five is healthy, so that plain success is seen too.
        let ill = if dice.happens(200_000) { 0 } else { 1 };
        let buffer_bytes = if is_heavy { 64 * 1024 } else { dice.skewed(2_048..128 * 1024) as usize };
        let has_caps = dice.happens(if is_heavy { 600_000 } else { 200_000 });
        let mut cap =
            |chance| if has_caps && dice.happens(chance) { dice.within(100_000..400_000) } else { 0 };
        let (move_rate_max, core_rate_max, target_rate_max) = (cap(700_000), cap(400_000), cap(400_000));
        let window_bytes = if is_heavy { 512 * 1024 } else { dice.skewed(16 * 1024..512 * 1024) };
        // At the cap a frame must get through within the silence after which a lane is taken for dead.
        let link_timeout_us = if has_caps { 3_000_000 } else { dice.within(300_000..3_000_000) };
        let retained = dice.skewed(64 * 1024..4 * 1024 * 1024);
        let delta_bytes_max = dice.skewed(64 * 1024..4 * 1024 * 1024);
        Scenario {
            port: if is_shared { Port::Shared } else { Port::OfEachCore },
            processes,
            cores_per_process,
            clients: 2 + dice.index(6),
            pipeline: if is_shared { 1 + dice.index(4) } else { 1 },
            think_us: dice.within(4_000..80_000) / if is_shared { 10 } else { 1 },
            client_timeout_us: dice.skewed(50_000..1_000_000),
            client_delay_us: dice.skewed(20..2_000),
            lost_replies: ill * dice.skewed(1..10_000),
            keyspace: KeyspaceNature {
                slots: 4 + dice.index(13),
                keys_per_slot: if is_heavy { 200 } else { 3 + dice.skewed(1..40) },
                value_bytes_max: if is_heavy { dice.within(5_000..10_000) } else { dice.skewed(8..4_000) },
                large_per_million: if dice.happens(100_000) { 5_000 } else { 0 },
                large_bytes: dice.within(20_000..600_000),
                writes_per_million: dice.within(300_000..900_000),
            },
            filling: if is_heavy { dice.within(200..600) } else { dice.skewed(5..400) },
            jobs: moves,
            operate_us: dice.skewed(20_000..400_000),
            job_slots_max: 1 + dice.index(6),
            cancels: dice.below(300_000),
            network: NetworkNature {
                delay_us: dice.skewed(20..5_000),
                jitter_us: dice.skewed(1..10_000),
                bandwidth_min: if is_heavy { 2_000_000 } else { dice.skewed(100_000..10_000_000) },
                buffer_bytes,
                cuts: ill * dice.below(400_000),
                cut_behind_max: dice.skewed(1_000..500_000),
                spoils: ill * dice.below(100_000),
                refusals: ill * dice.below(150_000),
                half_opens: ill * dice.below(200_000),
                half_open_us: 1_000_000,
            },
            wire: WireNature {
                delay_us: dice.skewed(100..20_000),
                losses: ill * dice.below(80_000),
                lost_answers: ill * dice.below(80_000),
                late: ill * dice.below(100_000),
                late_us: dice.within(100_000..4_000_000),
                timeout_us: dice.within(50_000..500_000),
            },
            mailbox_delay_us: if is_shared { dice.within(100..3_000) } else { dice.skewed(5..500) },
            mischief_us: ill * dice.skewed(200_000..6_000_000),
            crashes: dice.happens(700_000),
            lease_us: dice.within(500_000..2_000_000),
            core_delay_us: (0..cores).map(|_| dice.skewed(5..2_000)).collect(),
            core_steps: (0..cores).map(|_| dice.skewed(2..200)).collect(),
            background_per_million: dice.below(500_000),
            fork_retained_bytes_max: retained,
            move_rate_max,
            core_rate_max,
            target_rate_max,
            window_bytes,
            inbox_mark_bytes: 1024 + dice.skewed(1..32 * 1024) as usize,
            delta_bytes_max,
            link_timeout_us,
            settings: OutgoingSettings {
                incarnation: Incarnation(0),
                slots_concurrent_max: 1 + dice.index(4),
                delta_bytes_max: delta_bytes_max as usize,
                snapshot_window_bytes: window_bytes as usize,
                delta_window_bytes: window_bytes as usize,
                run_bytes: dice.skewed(256..16 * 1024) as usize,
                pause_target_us: dice.skewed(200..20_000),
                pause_max_us: dice.skewed(1_000..100_000),
                urgent_bytes: 64 * 1024,
                pauses_max: 3 + dice.below(15) as u32,
                link_timeout_us,
                restarts_max: dice.below(5) as u32,
            },
        }
    }

    /// Cores in all.
    pub fn cores(&self) -> usize {
        self.processes * self.cores_per_process
    }

    /// The process of a core.
    pub fn process_of(&self, core: usize) -> usize {
        core / self.cores_per_process
    }

    /// Time until a core's next turn.
    pub fn turn_delay_us(&self, core: usize, dice: &mut Dice) -> u64 {
        dice.skewed(1..self.core_delay_us[core] + 2)
    }

    /// Steps of a slice of time that a core gives a machine.
    pub fn slice_steps(&self, core: usize, dice: &mut Dice) -> u64 {
        1 + dice.skewed(1..self.core_steps[core] + 2)
    }

    /// The settings of a source in this life of its process.
    pub fn outgoing_settings(&self, incarnation: Incarnation) -> OutgoingSettings {
        OutgoingSettings { incarnation, ..self.settings }
    }

    /// The settings of a target in this life of its process.
    pub fn incoming_settings(&self, incarnation: Incarnation) -> IncomingSettings {
        IncomingSettings {
            incarnation,
            link_timeout_us: self.link_timeout_us,
            bytes_per_second: self.target_rate_max,
        }
    }
}
