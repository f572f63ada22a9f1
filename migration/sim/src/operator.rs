//! The operator: asks for moves, changes their mind, and gives slots of the dead to the living.

use whimbrel_engine::key::SlotId;
use whimbrel_migration::MoveId;

use crate::env::Env;
use crate::event::{Event, Input, Job};
use crate::mutation::Mutation;
use crate::process::Process;
use crate::store::{Ask, Purpose, Store, Swap};

/// The operator.
#[derive(Default, Debug)]
pub struct Operator {
    asked: u64,
    /// Jobs that were asked for, with the core that was asked.
    jobs: Vec<(MoveId, usize)>,
}

impl Operator {
    /// Does something.
    pub fn step(&mut self, processes: &[Process], store: &Store, env: &mut Env) {
        if env.is_calm {
            return;
        }
        if env.has(Mutation::TakesFromHeirs) {
            // The time in which it could do harm is short.
            self.take_over(processes, store, env);
        }
        if env.dice.happens(env.scenario.cancels) {
            self.cancel(env);
        } else if env.dice.happens(100_000) {
            self.take_over(processes, store, env);
        } else if self.asked < env.scenario.jobs {
            self.ask(store, env);
        }
        let delay_us = 1 + env.dice.skewed(1..env.scenario.operate_us + 2);
        env.agenda.after(delay_us, Event::Operate);
    }

    /// Whether every job that was to be asked for was.
    pub fn is_done(&self, env: &Env) -> bool {
        self.asked >= env.scenario.jobs
    }

    fn ask(&mut self, store: &Store, env: &mut Env) {
        let map = store.view().map;
        let source = env.dice.index(env.scenario.cores());
        let mut owned: Vec<SlotId> =
            map.owners.iter().filter(|(_, owner)| owner.core == source).map(|(slot, _)| *slot).collect();
        let target = env.dice.index(env.scenario.cores());
        if owned.is_empty() || target == source {
            return;
        }
        self.asked += 1;
        let wanted = 1 + env.dice.index(env.scenario.job_slots_max);
        let mut slots = Vec::new();
        while slots.len() < wanted && !owned.is_empty() {
            slots.push(owned.swap_remove(env.dice.index(owned.len())));
        }
        let id = MoveId(u128::from(self.asked));
        let batch_slots = 1 + env.dice.index(env.scenario.job_slots_max);
        env.tell(&slots, || {
            let numbers: Vec<usize> = slots.iter().map(|slot| slot.number()).collect();
            format!("the operator wants {numbers:?} to go from core {source} to core {target}, job {id}")
        });
        self.jobs.push((id, source));
        let life = env.lives[env.scenario.process_of(source)];
        env.tell_core(source, life, Input::Begin(Job { id, target, slots, batch_slots }));
    }

    fn cancel(&mut self, env: &mut Env) {
        /// Older jobs are most likely over.
        const RECENT: usize = 4;
        if self.jobs.is_empty() {
            return;
        }
        let from = self.jobs.len().saturating_sub(RECENT);
        let (id, core) = self.jobs[from + env.dice.index(self.jobs.len() - from)];
        let life = env.lives[env.scenario.process_of(core)];
        env.tell_core(core, life, Input::Cancel(id));
    }

    /// Gives slots whose owner is not registered to a core of a process that is.
    fn take_over(&mut self, processes: &[Process], store: &Store, env: &mut Env) {
        let view = store.view();
        let dead: Vec<usize> =
            (0..processes.len()).filter(|it| !view.registrations.contains_key(it)).collect();
        let living: Vec<usize> = view.registrations.keys().copied().collect();
        if dead.is_empty() || living.is_empty() {
            return;
        }
        let process = *env.dice.pick(&dead);
        // An heir that is there may have been given its slots by a word that the store has not heard of.
        let has_heir = |slot: SlotId| {
            let heir = view.map.heir_of(slot).map(|(_, heir)| heir);
            heir.is_some_and(|heir| {
                let target = env.scenario.process_of(heir.target);
                view.registrations.get(&target) == Some(&heir.target_incarnation)
            })
        };
        let ignores_heirs = env.has(Mutation::TakesFromHeirs);
        let slots: Vec<SlotId> = view
            .map
            .owners
            .iter()
            .filter(|(_, owner)| env.scenario.process_of(owner.core) == process)
            .map(|(slot, _)| *slot)
            .filter(|slot| ignores_heirs || !has_heir(*slot))
            .collect();
        if slots.is_empty() {
            return;
        }
        let other = &processes[*env.dice.pick(&living)];
        let target = other.cores.start + env.dice.index(other.cores.len());
        let swap = Swap {
            expected: view.revision,
            registrations: vec![(process, None)],
            map: view.map.with(&slots, target),
            purpose: Purpose::TakeOver { slots, target },
        };
        // The operator asks through the wire like everybody else, and does not wait for an answer.
        env.ask(usize::MAX, Ask::Swap(swap));
    }
}
