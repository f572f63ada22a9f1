//! Jobs at their source: batches one after another, and what must be true when one ends.

use std::collections::VecDeque;

use whimbrel_engine::key::SlotId;
use whimbrel_migration::{Batch, BatchId, Incarnation, MoveId, Outgoing};

use super::{Core, Departure, node_id};
use crate::checks::Invariant;
use crate::checks::model::{difference, served_content};
use crate::clock::wall_ms;
use crate::env::Env;
use crate::event::Job;
use crate::mutation::Mutation;
use crate::process::Process;

/// A job under way.
#[derive(Debug)]
pub struct JobUnderWay {
    job: Job,
    batches: VecDeque<Vec<SlotId>>,
    next_number: u32,
}

impl Core {
    /// Begins a job, if all of its slots are here and none is on its way already.
    pub(super) fn begin_job(&mut self, job: Job, process: &Process, env: &mut Env) {
        let is_busy = |slot: &SlotId| {
            self.departures.values().any(|departure| departure.has(*slot))
                || self.jobs.values().any(|other| other.batches.iter().flatten().any(|taken| taken == slot))
        };
        let has_heir = |slot: &SlotId| self.map.heir_of(*slot).is_some();
        let may = process.registration.is_some()
            && !job.slots.iter().any(has_heir)
            && job.target != self.index
            && self.map.owns_all(self.index, &job.slots)
            && !job.slots.iter().any(|slot| is_busy(slot) || self.shard.is_staged(*slot));
        if !may {
            return;
        }
        env.totals.jobs += 1;
        env.tell(&job.slots, || format!("core {} begins job {} to core {}", self.index, job.id, job.target));
        let batches = job.slots.chunks(job.batch_slots.max(1)).map(<[SlotId]>::to_vec).collect();
        let id = job.id;
        self.jobs.insert(id, JobUnderWay { job, batches, next_number: 0 });
        self.next_batch(id, process, env);
    }

    fn next_batch(&mut self, id: MoveId, process: &Process, env: &mut Env) {
        let Some(under_way) = self.jobs.get_mut(&id) else { return };
        let (Some(slots), Some(registration)) = (under_way.batches.pop_front(), process.registration) else {
            self.jobs.remove(&id);
            return;
        };
        let batch = BatchId { job: id, number: under_way.next_number };
        under_way.next_number += 1;
        let target = under_way.job.target;
        if !self.map.owns_all(self.index, &slots) {
            self.jobs.remove(&id);
            return;
        }
        env.totals.moves += 1;
        env.tell(&slots, || format!("core {}: {batch} begins", self.index));
        let settings = env.scenario.outgoing_settings(Incarnation(registration));
        let batch = Batch { id: batch, source: self.id, target: node_id(target), slots };
        let machine = Outgoing::new(batch.clone(), settings, process.local_us(env));
        let rate = Some(env.scenario.move_rate_max).filter(|rate| *rate > 0);
        let paced = self.pacer.join(rate, process.local_us(env));
        let departure = Departure::new(machine, id, target, registration, paced);
        self.departures.insert(batch.id, departure);
        let delay_us = env.scenario.turn_delay_us(self.index, &mut env.dice);
        self.wake_at(env.now_us() + delay_us, env);
    }

    /// An operator has changed their mind about a job.
    pub(super) fn cancel_job(&mut self, id: MoveId, process: &Process, env: &mut Env) {
        if let Some(under_way) = self.jobs.get_mut(&id) {
            under_way.batches.clear();
        }
        let batches: Vec<BatchId> = self.departures.keys().filter(|batch| batch.job == id).copied().collect();
        for batch in batches {
            let local_us = process.local_us(env);
            let departure = self.departures.get_mut(&batch).expect("it was just seen");
            let reason = "the operator wants it so".to_owned();
            departure.was_cancelled = departure.machine.cancel(reason, &mut self.shard, local_us);
            let (slots, was_cancelled) = (departure.slots(), departure.was_cancelled);
            env.tell(&slots, || {
                let how = if was_cancelled { "is cancelled" } else { "is too far to be cancelled" };
                format!("core {}: {batch} {how}", self.index)
            });
            self.obey(batch, process, env);
        }
    }

    /// A batch is over.
    pub(super) fn departed(
        &mut self,
        batch: BatchId,
        result: Result<(), String>,
        process: &Process,
        env: &mut Env,
    ) {
        self.send_last(batch, env);
        let Some(departure) = self.departures.remove(&batch) else { return };
        let slots = departure.slots();
        let progress = departure.machine.progress();
        env.totals.pauses_again += u64::from(progress.pauses_tried.saturating_sub(1));
        env.totals.reconnects += u64::from(progress.reconnects);
        env.totals.restarts += u64::from(progress.restarts);
        env.totals.link_bytes_again += departure.resends.bytes_again();
        match result {
            Ok(()) => {
                env.totals.handed_over += 1;
                if env.has(Mutation::KeepsWhatItGave) {
                    self.put_back(&slots, env);
                }
                self.next_batch(departure.job, process, env);
            }
            Err(reason) => {
                env.tell(&slots, || format!("core {}: {batch} failed: {reason}", self.index));
                let count = match departure.was_cancelled {
                    true => &mut env.totals.cancelled,
                    false => &mut env.totals.failed,
                };
                *count += 1;
                self.jobs.remove(&departure.job);
                for slot in slots.iter().filter(|slot| self.map.owner(**slot) != Some(self.index)) {
                    self.shard.flush_slot(*slot);
                }
                self.leave_mutants(&slots, env);
                self.check_no_trace(&departure, process, env);
            }
        }
    }

    fn leave_mutants(&mut self, slots: &[SlotId], env: &Env) {
        if env.has(Mutation::LeavesFork) {
            self.shard.fork(slots[0]);
        }
    }

    /// I4: the source is as if nothing had been.
    fn check_no_trace(&mut self, departure: &Departure, process: &Process, env: &mut Env) {
        let slots = departure.slots();
        let index = self.index;
        if departure.hold != whimbrel_migration::Hold::None {
            let text = format!("core {index} still holds {:?} after a move that failed", departure.hold);
            env.violated(Invariant::NoTrace, &slots, text);
        }
        if self.departures.is_empty() {
            self.check_no_forks(&slots, env);
        }
        // What the map says at the store counts; the core serves only while it may.
        if !env.owners.owns_all(index, &slots) || !process.is_up {
            return;
        }
        let now_ms = wall_ms(env.now_us());
        for slot in slots.iter().filter(|slot| self.map.owner(**slot) == Some(index)) {
            env.totals.slots_compared += 1;
            let wanted = env.ledger.slot(*slot);
            if let Some(text) = difference(&served_content(&self.shard, *slot, now_ms), &wanted, now_ms) {
                let text = format!("core {index}, slot {} after a move that failed: {text}", slot.number());
                env.violated(Invariant::NoTrace, &[*slot], text);
            }
        }
    }

    /// No fork is open, nothing is retained, nothing is watched.
    pub fn check_no_forks(&mut self, slots: &[SlotId], env: &mut Env) {
        while self.shard.reclaim(64) {}
        let (forks, retained) = (self.shard.forks_open(), self.shard.retained_bytes());
        if forks > 0 || retained > 0 {
            let text = format!("core {}: {forks} forks are open, {retained} bytes retained", self.index);
            env.violated(Invariant::NoTrace, slots, text);
        }
    }
}
