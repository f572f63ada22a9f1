//! What goes wrong beside what the network and the wire do by themselves: crashes, freezes, partitions, outages.

use crate::event::Event;
use crate::world::World;

/// Something goes wrong.
pub fn happen(world: &mut World) {
    if world.env.is_calm {
        return;
    }
    let processes = world.processes.len();
    let index = world.env.dice.index(processes);
    match world.env.dice.below(10) {
        0..3 if world.env.scenario.crashes => crash(world, index),
        3..6 => freeze(world, index),
        6..9 if processes > 1 => part(world, index),
        _ => interrupt(world),
    }
    let longest_us = world.env.scenario.mischief_us;
    let delay_us = world.env.dice.within(longest_us / 10..longest_us + 1);
    world.env.agenda.after(delay_us, Event::Mischief);
}

/// An heir is about to be named, or was given its slots: that is when a crash of either side, a link that is gone together with
/// a lease, or the way to the store matter most.
pub fn aim(world: &mut World, source: usize, target: usize) {
    /// Chance in a million that something is aimed at a commit.
    const AIMED: u64 = 150_000;
    let env = &mut world.env;
    if env.is_calm || env.scenario.mischief_us == 0 || !env.dice.happens(AIMED) {
        return;
    }
    let target = env.scenario.process_of(target);
    let process = if env.dice.happens(500_000) { source } else { target };
    let after_us = env.dice.skewed(1..env.scenario.wire.delay_us * 2 + 2);
    if env.dice.happens(300_000) && target != source {
        let until_us = env.agenda.now_us() + after_us + env.dice.below(2 * env.scenario.lease_us + 1);
        env.agenda.after(after_us, Event::Strand { source, target, until_us });
    } else if env.scenario.crashes && env.dice.happens(700_000) {
        if process == source && env.dice.happens(300_000) {
            // Nobody hears of a word before its giver's lease is about to run out.
            let lease_us = env.scenario.lease_us;
            let until_us =
                env.agenda.now_us() + after_us + env.dice.within(lease_us * 7 / 10..lease_us * 21 / 20);
            env.wire.interrupt(until_us);
        }
        env.wire.delay_next();
        env.agenda.after(after_us, Event::Crash { process, life: env.lives[process] });
    } else {
        env.totals.faults.store_outages += 1;
        let until_us = env.agenda.now_us() + after_us + env.dice.skewed(1..1_000_000);
        env.tell_all(|| format!("nobody can reach the store for {after_us} µs from a commit on"));
        env.wire.interrupt(until_us);
    }
}

/// A process crashes, and begins again some time.
pub fn crash(world: &mut World, index: usize) {
    if world.processes[index].is_up {
        world.env.totals.faults.crashes += 1;
        world.crash(index);
        let after_us = 1_000 + world.env.dice.skewed(1..3_000_000);
        world.env.agenda.after(after_us, Event::Restart { process: index });
    }
}

fn freeze(world: &mut World, index: usize) {
    world.env.totals.faults.freezes += 1;
    let us = world.env.dice.skewed(100..4_000_000);
    world.env.tell_all(|| format!("process {index} stands still for {us} µs"));
    let process = &mut world.processes[index];
    process.frozen_until_us = process.frozen_until_us.max(world.env.agenda.now_us() + us);
}

/// A process stands still, and what it has sent to another one is lost.
pub fn strand(world: &mut World, source: usize, target: usize, until_us: u64) {
    if world.env.is_calm {
        return;
    }
    world.env.totals.faults.freezes += 1;
    part_two(world, source, target, until_us.saturating_sub(world.env.now_us()).max(1));
    let process = &mut world.processes[source];
    process.frozen_until_us = process.frozen_until_us.max(until_us);
}

fn part(world: &mut World, index: usize) {
    let other = (index + 1 + world.env.dice.index(world.processes.len() - 1)) % world.processes.len();
    let us = world.env.dice.skewed(1_000..3_000_000);
    part_two(world, index, other, us);
}

fn part_two(world: &mut World, index: usize, other: usize, us: u64) {
    world.env.totals.faults.partitions += 1;
    world.env.tell_all(|| format!("processes {index} and {other} cannot reach each other for {us} µs"));
    let cores = |index: usize| world.processes[index].cores.clone().collect::<Vec<_>>();
    let (one, two) = (cores(index), cores(other));
    world.env.network.part([&one, &two], [index, other], us, &mut world.env.agenda);
}

fn interrupt(world: &mut World) {
    world.env.totals.faults.store_outages += 1;
    let us = world.env.dice.skewed(1_000..2_000_000);
    world.env.tell_all(|| format!("nobody can reach the store for {us} µs"));
    world.env.wire.interrupt(world.env.agenda.now_us() + us);
}
