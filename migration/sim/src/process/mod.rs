//! A process: its life, its clock, its lease, and the housekeeping that talks with the map store.

mod hand_over;
mod lease;

use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;

use whimbrel_engine::topology::HeirId;
use whimbrel_migration::BatchId;

use crate::clock::Clock;
use crate::env::Env;
use crate::event::{Event, Input, Order};
use crate::store::{Ask, AskId, SlotMap, Told, View};

/// What a question to the store was for.
#[derive(Clone, Debug)]
enum Question {
    /// A registration, asked for at this local time.
    Register { asked_us: u64 },
    /// A longer lease, asked for at this local time.
    Keep { asked_us: u64 },
    /// What has changed since.
    LookAround,
    /// The map, for a batch of a core.
    ReadMap { core: usize, batch: BatchId },
    /// Something that is wanted of the map, or what there is before it is asked for.
    Want(HeirId),
}

/// A process.
#[derive(Debug)]
pub struct Process {
    pub index: usize,
    /// Counts its lives.
    pub life: u64,
    pub is_up: bool,
    pub clock: Clock,
    /// Its cores.
    pub cores: Range<usize>,
    /// Nothing of it moves before then.
    pub frozen_until_us: u64,
    /// Its registration, as far as it knows.
    pub registration: Option<u64>,
    /// Its first registration in this life.
    pub first_registration: Option<u64>,
    /// Local time until which it may serve.
    pub serve_until_us: u64,
    /// What it knows of the store.
    pub view: View,
    questions: BTreeMap<AskId, Question>,
    /// What is wanted of the map, by heir; each is tried until it is so.
    wants: BTreeMap<HeirId, hand_over::Want>,
}

impl Process {
    /// A process that has not begun.
    pub fn new(index: usize, cores: Range<usize>, clock: Clock) -> Process {
        Process {
            index,
            life: 0,
            is_up: false,
            clock,
            cores,
            frozen_until_us: 0,
            registration: None,
            first_registration: None,
            serve_until_us: 0,
            view: View { revision: 0, map: Rc::new(SlotMap::default()), registrations: BTreeMap::new() },
            questions: BTreeMap::new(),
            wants: BTreeMap::new(),
        }
    }

    /// Begins a life, knowing nothing.
    pub fn begin(&mut self, env: &mut Env) {
        self.life += 1;
        self.is_up = true;
        (self.registration, self.first_registration) = (None, None);
        self.serve_until_us = 0;
        self.view = View { revision: 0, map: Rc::new(SlotMap::default()), registrations: BTreeMap::new() };
        env.tell_all(|| format!("process {} begins its life {}", self.index, self.life));
        self.register(env);
        let keep_us = self.keep_after_us(env);
        env.agenda.after(keep_us, Event::Keep { process: self.index, life: self.life });
    }

    /// Ends a life.
    pub fn crash(&mut self, env: &mut Env) {
        self.is_up = false;
        self.life += 1;
        (self.registration, self.first_registration) = (None, None);
        self.serve_until_us = 0;
        self.questions.clear();
        self.wants.clear();
        env.tell_all(|| format!("process {} crashes", self.index));
    }

    /// What its clock shows.
    pub fn local_us(&self, env: &Env) -> u64 {
        self.clock.at(env.now_us())
    }

    fn ask(&mut self, question: Question, ask: Ask, env: &mut Env) {
        let id = env.ask(self.index, ask);
        self.questions.insert(id, question);
    }

    /// A core wants something.
    pub fn ordered(&mut self, core: usize, order: Order, env: &mut Env) {
        match order {
            Order::Appoint { id, heir } => self.want(id, hand_over::Wish::Appoint(heir), env),
            Order::Commit { id, .. } => self.want(id, hand_over::Wish::Commit { core }, env),
            Order::Withdraw { id } => self.want(id, hand_over::Wish::Withdraw, env),
            Order::ReadMap { batch } => self.ask(Question::ReadMap { core, batch }, Ask::Read, env),
        }
    }

    /// The store answers.
    pub fn answered(&mut self, id: AskId, told: Told, env: &mut Env) {
        let Some(question) = self.questions.remove(&id) else { return };
        match (question, told) {
            (Question::Register { asked_us }, Told::Registered { created, view }) => {
                self.registered(asked_us, created, view, env);
            }
            (Question::Keep { asked_us }, Told::Kept) => self.kept(asked_us, env),
            (Question::Keep { .. }, Told::Gone) => self.unregistered(env),
            (Question::LookAround, Told::Read(view)) => self.learn(view, env),
            (Question::ReadMap { core, batch }, Told::Read(view)) => {
                self.learn(view.clone(), env);
                env.tell_core(core, self.life, Input::MapRead { batch, view });
            }
            (Question::Want(id), told) => self.want_told(id, Some(told), env),
            (question, told) => unreachable!("{question:?} is never answered by {told:?}"),
        }
    }

    /// The store has not answered in time.
    pub fn unanswered(&mut self, id: AskId, env: &mut Env) {
        match self.questions.remove(&id) {
            None | Some(Question::Keep { .. } | Question::LookAround) => {}
            Some(Question::Register { .. }) => self.register(env),
            Some(Question::ReadMap { core, batch }) => {
                self.ask(Question::ReadMap { core, batch }, Ask::Read, env);
            }
            Some(Question::Want(id)) => self.want_told(id, None, env),
        }
    }

    /// What the store holds, or held: the newer of this and what was known counts.
    pub fn learn(&mut self, view: View, env: &mut Env) {
        if view.revision < self.view.revision {
            return;
        }
        self.view = view;
        for core in self.cores.clone() {
            env.tell_core(core, self.life, Input::Map(self.view.clone()));
        }
        self.try_waiting(env);
    }

    /// Whether a registration is one of this life.
    pub fn is_of_this_life(&self, incarnation: u64) -> bool {
        self.first_registration.is_some_and(|first| incarnation >= first)
    }
}
