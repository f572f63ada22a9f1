//! Hand-overs at the store: one compare-and-swap, and when its outcome is unknown, a fence.
//!
//! A transaction that timed out may be executed at any later time. It compares the revision of the map. So a change of the
//! map at that very revision, even one that changes no owner, keeps it from ever taking effect; once that is in, or the map
//! has gone beyond that revision, reading the owner says what became of it.

use whimbrel_engine::key::SlotId;
use whimbrel_migration::{BatchId, Outcome};

use super::{Process, Question};
use crate::env::Env;
use crate::event::Input;
use crate::mutation::Mutation;
use crate::store::{Ask, Purpose, SlotMap, Swap, Told, View};

/// How far a commit has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// The transaction is under way, comparing this revision.
    Trying { expected: u64 },
    /// It timed out; it may still take effect at this revision.
    Unknown { expected: u64 },
    /// The map is being read to find out.
    Reading { expected: u64 },
    /// A fence is under way.
    Fencing { expected: u64 },
}

/// A commit under way.
#[derive(Clone, Debug)]
pub struct Commit {
    slots: Vec<SlotId>,
    target: usize,
    /// The incarnation of the target's process that holds the slots.
    incarnation: u64,
    /// The incarnation of this process in which the batch began.
    source_incarnation: u64,
    stage: Stage,
}

impl Commit {
    /// A commit that was not tried yet.
    pub fn new(slots: Vec<SlotId>, target: usize, incarnation: u64, source_incarnation: u64) -> Commit {
        Commit { slots, target, incarnation, source_incarnation, stage: Stage::Trying { expected: 0 } }
    }
}

impl Process {
    /// Tries a commit at the revision that is known.
    pub(super) fn commit(&mut self, core: usize, batch: BatchId, commit: Commit, env: &mut Env) {
        let map = &self.view.map;
        if !map.owns_all(core, &commit.slots) {
            return self.settle(core, batch, refused("the source does not own the slots any more"), env);
        }
        let target_process = env.scenario.process_of(commit.target);
        let mut registrations = Vec::new();
        if !env.has(Mutation::ForgetsSourceIncarnation) {
            registrations.push((self.index, Some(commit.source_incarnation)));
        }
        if !env.has(Mutation::ForgetsTargetIncarnation) {
            registrations.push((target_process, Some(commit.incarnation)));
        }
        let expected = self.view.revision;
        let swap = Swap {
            expected,
            registrations,
            map: map.with(&commit.slots, commit.target),
            purpose: Purpose::HandOver {
                slots: commit.slots.clone(),
                source: core,
                target: commit.target,
                incarnation: commit.incarnation,
            },
        };
        env.tell(&commit.slots, || format!("core {core} asks the store for {batch}, at revision {expected}"));
        self.commits.insert((core, batch), Commit { stage: Stage::Trying { expected }, ..commit });
        self.ask(Question::Commit { core, batch }, Ask::Swap(swap), env);
    }

    /// The machine wants to know what became of a commit.
    pub(super) fn resolve(&mut self, core: usize, batch: BatchId, env: &mut Env) {
        let Some(commit) = self.commits.get_mut(&(core, batch)) else { return };
        if let Stage::Unknown { expected } = commit.stage {
            commit.stage = Stage::Reading { expected };
            self.ask(Question::Commit { core, batch }, Ask::Read, env);
        }
    }

    /// What the store said of a commit; nothing if it said nothing in time.
    pub(super) fn commit_told(&mut self, core: usize, batch: BatchId, told: Option<Told>, env: &mut Env) {
        let Some(commit) = self.commits.get(&(core, batch)).cloned() else { return };
        match (commit.stage, told) {
            (Stage::Trying { .. }, Some(Told::Swapped(view))) => {
                let outcome = committed(&view.map);
                self.learn(view, env);
                self.settle(core, batch, outcome, env);
            }
            (Stage::Trying { .. }, Some(Told::Unswapped(view))) => {
                self.try_again(core, batch, commit, view, env)
            }
            (Stage::Trying { expected }, None) => {
                env.totals.unknown += 1;
                env.tell(&commit.slots, || format!("core {core} does not know what became of {batch}"));
                self.commits.insert((core, batch), Commit { stage: Stage::Unknown { expected }, ..commit });
                let input = Input::Outcome { batch, outcome: Outcome::Unknown };
                env.tell_core(core, self.life, input);
            }
            (Stage::Reading { expected }, Some(Told::Read(view)))
            | (Stage::Fencing { expected }, Some(Told::Unswapped(view) | Told::Swapped(view))) => {
                self.look(core, batch, commit, expected, view, env);
            }
            (Stage::Reading { expected } | Stage::Fencing { expected }, None) => {
                // A fence that took effect late does no harm: whatever it changed, it changed no owner.
                self.commits.insert((core, batch), Commit { stage: Stage::Reading { expected }, ..commit });
                self.ask(Question::Commit { core, batch }, Ask::Read, env);
            }
            (stage, told) => unreachable!("a commit that is {stage:?} is never told {told:?}"),
        }
    }

    /// The transaction surely did nothing: again at the revision there is now, if only the revision was in the way.
    fn try_again(&mut self, core: usize, batch: BatchId, commit: Commit, view: View, env: &mut Env) {
        let target_process = env.scenario.process_of(commit.target);
        let target_is_same = view.registrations.get(&target_process) == Some(&commit.incarnation)
            || env.has(Mutation::ForgetsTargetIncarnation);
        let source_is_same = view.registrations.get(&self.index) == Some(&commit.source_incarnation)
            || env.has(Mutation::ForgetsSourceIncarnation);
        self.learn(view, env);
        if !target_is_same {
            self.settle(core, batch, refused("the target's process is not what it was"), env);
        } else if !source_is_same {
            self.settle(core, batch, refused("the source's registration has run out"), env);
        } else {
            self.commit(core, batch, commit, env);
        }
    }

    /// Looks what became of a transaction that compared the revision `expected`.
    fn look(
        &mut self,
        core: usize,
        batch: BatchId,
        commit: Commit,
        expected: u64,
        view: View,
        env: &mut Env,
    ) {
        let (revision, map) = (view.revision, view.map.clone());
        self.learn(view, env);
        if map.owns_all(commit.target, &commit.slots) {
            self.settle(core, batch, committed(&map), env);
        } else if revision > expected || env.has(Mutation::ResolvesWithoutFence) {
            self.settle(core, batch, refused("the store did not take it"), env);
        } else {
            let next = SlotMap { epoch: map.epoch + 1, owners: map.owners.clone() };
            let swap = Swap { expected, registrations: Vec::new(), map: next, purpose: Purpose::Fence };
            env.tell(&commit.slots, || format!("core {core} fences {batch} at revision {expected}"));
            self.commits.insert((core, batch), Commit { stage: Stage::Fencing { expected }, ..commit });
            self.ask(Question::Commit { core, batch }, Ask::Swap(swap), env);
        }
    }

    fn settle(&mut self, core: usize, batch: BatchId, outcome: Outcome, env: &mut Env) {
        if let Some(commit) = self.commits.remove(&(core, batch)) {
            env.tell(&commit.slots, || match &outcome {
                Outcome::Committed { .. } => format!("{batch} is committed"),
                Outcome::Refused { reason } => format!("{batch} is refused: {reason}"),
                Outcome::Unknown => format!("{batch} is unknown"),
            });
        }
        env.tell_core(core, self.life, Input::Outcome { batch, outcome });
    }
}

fn committed(map: &SlotMap) -> Outcome {
    Outcome::Committed { map: map.encode() }
}

fn refused(reason: &str) -> Outcome {
    Outcome::Refused { reason: reason.to_owned() }
}
