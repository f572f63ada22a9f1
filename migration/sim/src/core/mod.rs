//! A core: a real shard, the real machines, and what the process around them does for both.
//!
//! A core acts in turns. In a turn it takes what has come, gives each machine a slice of time, does what they ask for, and
//! hands their bytes to the network. How long it is until the next turn is the core's speed.

mod arrival;
mod departure;
mod heirs;
mod jobs;
mod origin;
mod serving;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::shard::Shard;
use whimbrel_engine::topology::{HeirId, NodeId};
use whimbrel_migration::pacer::Pacer;
use whimbrel_migration::{Advance, BatchId, Greeting, Hold, Lane, MoveId};

pub use arrival::Arrival;
pub use departure::Departure;
use origin::OriginHold;
pub use serving::Standing;

use crate::checks::caps::LastSecond;
use crate::clock::wall_ms;
use crate::env::Env;
use crate::event::{Event, Input, Request};
use crate::network::{ConnectionId, End};
use crate::process::Process;
use crate::store::{SlotMap, View};

/// Where the bytes of a connection belong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Route {
    Departure(BatchId, Lane),
    Arrival(BatchId, Lane),
}

/// A core.
#[derive(Debug)]
pub struct Core {
    pub index: usize,
    pub id: NodeId,
    pub shard: Shard,
    /// The map that it goes by.
    pub map: Rc<SlotMap>,
    /// Heirs that the map names and whose word is known here: given, obeyed, or heard of. Their slots are theirs.
    followed: BTreeSet<HeirId>,
    /// What came here by a word, as long as the map does not say so.
    obeyed: BTreeMap<HeirId, Rc<[SlotId]>>,
    /// The latest registration of its process that it has heard of together with a map. Under a later one it serves
    /// nothing: somebody else may have been given its slots in between.
    heard_of: Option<u64>,
    pub departures: BTreeMap<BatchId, Departure>,
    pub arrivals: BTreeMap<BatchId, Arrival>,
    jobs: BTreeMap<MoveId, jobs::JobUnderWay>,
    /// Commands that wait here.
    pub waiting: Vec<Request>,
    /// Whether what waits is being looked at once more.
    is_retrying: bool,
    /// What waits here because another core of the process, or this one, asked for it (shared port).
    origin_holds: BTreeMap<(usize, BatchId), OriginHold>,
    greetings: BTreeMap<ConnectionId, Greeting>,
    routes: BTreeMap<ConnectionId, Route>,
    inbox: VecDeque<Input>,
    /// The turn that is put down in the agenda: when, and its number.
    next_turn: Option<(u64, u64)>,
    turns: u64,
    pacer: Pacer,
    last_second: LastSecond,
    /// Commands that were served in this turn.
    pub served: Vec<SlotId>,
}

impl Core {
    /// A core with nothing.
    pub fn new(index: usize, shard: Shard, process: &Process, env: &Env) -> Core {
        let rate = Some(env.scenario.core_rate_max).filter(|rate| *rate > 0);
        let pacer = Pacer::new(rate, process.local_us(env));
        Core {
            index,
            id: node_id(index),
            shard,
            map: Rc::new(SlotMap::default()),
            followed: BTreeSet::new(),
            obeyed: BTreeMap::new(),
            heard_of: None,
            departures: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            jobs: BTreeMap::new(),
            waiting: Vec::new(),
            is_retrying: false,
            origin_holds: BTreeMap::new(),
            greetings: BTreeMap::new(),
            routes: BTreeMap::new(),
            inbox: VecDeque::new(),
            next_turn: None,
            turns: 0,
            pacer,
            last_second: LastSecond::default(),
            served: Vec::new(),
        }
    }

    /// Takes something into the inbox, to be looked at in the next turn.
    pub fn push(&mut self, input: Input, env: &mut Env) {
        self.inbox.push_back(input);
        let delay_us = env.scenario.turn_delay_us(self.index, &mut env.dice);
        self.wake_at(env.now_us() + delay_us, env);
    }

    /// Sees to it that there is a turn no later than this.
    fn wake_at(&mut self, at_us: u64, env: &mut Env) {
        if self.next_turn.is_none_or(|(next_us, _)| at_us < next_us) {
            self.turns += 1;
            self.next_turn = Some((at_us, self.turns));
            env.agenda.at(at_us, Event::Turn { core: self.index, number: self.turns });
        }
    }

    /// Whether a turn that comes up is the one that was meant.
    pub fn is_turn(&mut self, number: u64) -> bool {
        let is_it = self.next_turn.is_some_and(|(_, next)| next == number);
        if is_it {
            self.next_turn = None;
        }
        is_it
    }

    /// A turn.
    pub fn turn(&mut self, process: &Process, env: &mut Env) {
        if env.now_us() < process.frozen_until_us {
            return self.wake_at(process.frozen_until_us, env);
        }
        while let Some(input) = self.inbox.pop_front() {
            self.take(input, process, env);
        }
        let mut next = Advance::Idle;
        for batch in self.departures.keys().copied().collect::<Vec<_>>() {
            next = next.or(self.advance_departure(batch, process, env));
        }
        for batch in self.arrivals.keys().copied().collect::<Vec<_>>() {
            next = next.or(self.advance_arrival(batch, process, env));
        }
        self.retry_waiting(process, env);
        if env.dice.happens(env.scenario.background_per_million) {
            let mut steps = env.dice.below(20);
            self.shard.background(wall_ms(env.now_us()), &mut |_| {
                steps = steps.saturating_sub(1);
                steps > 0
            });
        }
        match next {
            Advance::Idle => {}
            Advance::Now => {
                let delay_us = env.scenario.turn_delay_us(self.index, &mut env.dice);
                self.wake_at(env.now_us() + delay_us, env);
            }
            Advance::At(local_us) => self.wake_at(process.clock.when(local_us).max(env.now_us() + 1), env),
        }
    }

    fn take(&mut self, input: Input, process: &Process, env: &mut Env) {
        match input {
            Input::Request(request) => self.asked(request, process, env),
            Input::Forwarded(request) => self.forwarded(request, process, env),
            Input::Forget { client, number } => {
                self.waiting.retain(|request| (request.client, request.number) != (client, number));
            }
            Input::Dialled { connection, refused } => self.dialled(connection, refused, process, env),
            Input::Bytes(connection, end) => self.read(connection, end, process, env),
            Input::Lost(connection, end) => self.lost(connection, end, process, env),
            Input::Map(view) => self.hear(&view, process, env),
            Input::MapRead { batch, view } => {
                self.hear(&view, process, env);
                self.tell_arrival_of_read(batch, &view, process, env);
            }
            Input::Appointed { heir, map } => self.appointed(heir, map, process, env),
            Input::TakeBack(heir) => self.take_back(heir, process, env),
            Input::Settled(heir) => self.settled(heir, process, env),
            Input::Begin(job) => self.begin_job(job, process, env),
            Input::Cancel(job) => self.cancel_job(job, process, env),
            Input::HoldAtOrigin { source, batch, number, hold, slots, map, given } => {
                self.adopt(map, env);
                self.followed.extend(given.filter(|heir| self.map.heirs.contains_key(heir)));
                self.hold_at_origin(source, batch, number, OriginHold { hold, slots }, process, env);
            }
            Input::HeldAtOrigin { batch, number } => self.held_at_origin(batch, number, process, env),
        }
    }

    /// The process has learnt what the store holds.
    fn hear(&mut self, view: &View, process: &Process, env: &mut Env) {
        self.adopt(Rc::clone(&view.map), env);
        self.heard_of = self.heard_of.max(view.registrations.get(&process.index).copied());
        self.give_up_lost_departures(process, env);
        self.tend_heirs(view, process, env);
        for batch in self.arrivals.keys().copied().collect::<Vec<_>>() {
            self.tell_arrival_of_owner(batch, process, env);
        }
    }

    /// A batch whose slots were given to a third core has nothing to move.
    fn give_up_lost_departures(&mut self, process: &Process, env: &mut Env) {
        for batch in self.departures.keys().copied().collect::<Vec<_>>() {
            let departure = self.departures.get_mut(&batch).expect("it was just seen");
            let is_named = self.map.heirs.contains_key(&departure.machine.heir());
            if departure.machine.is_given() {
                if !is_named {
                    self.word_settled(batch, process, env);
                }
            } else if !self.map.owns_all(self.index, &departure.slots()) {
                let reason = "the slots were given to another core".to_owned();
                departure.machine.cancel(reason, &mut self.shard, process.local_us(env));
            } else if departure.is_appointed && !is_named {
                departure.machine.withdrawn();
            }
            self.obey(batch, process, env);
        }
    }

    /// Goes by another map if it is newer. What the core had of slots that it lost, or got anew, is worth nothing: only what
    /// a batch that is over at this map has brought is.
    fn adopt(&mut self, map: Rc<SlotMap>, env: &mut Env) {
        if map.epoch <= self.map.epoch {
            return;
        }
        let old = std::mem::replace(&mut self.map, map);
        for (slot, owner) in &self.map.owners {
            let before = old.owners.get(slot);
            if before == Some(owner) || self.shard.is_staged(*slot) {
                continue;
            }
            let departs = |departure: &Departure| {
                departure.target == owner.core && departure.has(*slot) && departure.machine.is_given()
            };
            let has_come = owner.core == self.index && self.has_obeyed(*slot);
            if !self.departures.values().any(departs)
                && !has_come
                && (owner.core == self.index || before.is_some_and(|old| old.core == self.index))
            {
                env.tell(&[*slot], || {
                    format!("core {} empties slot {}: another epoch", self.index, slot.number())
                });
                self.shard.flush_slot(*slot);
            }
        }
        self.forget_heirs(env);
    }

    /// Bytes have come on a connection.
    fn read(&mut self, connection: ConnectionId, end: End, process: &Process, env: &mut Env) {
        match self.routes.get(&connection) {
            Some(Route::Departure(batch, lane)) => {
                let (batch, lane) = (*batch, *lane);
                let mut bytes = Vec::new();
                env.network.take(connection, end, env.now_us(), &mut bytes);
                self.receive_at_departure(batch, lane, &bytes, process, env);
            }
            // Arrivals read when they have room.
            Some(Route::Arrival(..)) => {}
            None if end == End::Acceptor && env.network.is_open(connection, end) => {
                let mut bytes = Vec::new();
                env.network.take(connection, end, env.now_us(), &mut bytes);
                self.greet(connection, &bytes, process, env);
            }
            None => {}
        }
    }

    /// A connection is gone; whatever had come before is read first.
    fn lost(&mut self, connection: ConnectionId, end: End, process: &Process, env: &mut Env) {
        if let Some(Route::Arrival(batch, lane)) = self.routes.get(&connection).copied() {
            self.read_arrival(batch, lane, usize::MAX, process, env);
        }
        env.network.lost(connection, end);
        self.greetings.remove(&connection);
        match self.routes.remove(&connection) {
            Some(Route::Departure(batch, lane)) => self.departure_lost(batch, lane, process, env),
            Some(Route::Arrival(batch, lane)) => self.arrival_lost(batch, lane, process, env),
            None => {}
        }
    }

    /// Closes a connection that this core knows of.
    fn close(&mut self, connection: ConnectionId, end: End, env: &mut Env) {
        self.routes.remove(&connection);
        self.greetings.remove(&connection);
        env.network.close(connection, end, &mut env.agenda);
    }

    /// How long commands on a slot wait here because of departures.
    fn hold_on(&self, slot: SlotId) -> Hold {
        let holds = self.departures.values().filter(|departure| departure.has(slot));
        holds.map(|departure| departure.hold).max().unwrap_or(Hold::None)
    }

    /// Whether nothing of any move is here.
    pub fn is_at_rest(&self) -> bool {
        self.departures.is_empty()
            && self.arrivals.is_empty()
            && self.jobs.is_empty()
            && self.origin_holds.is_empty()
            && self.waiting.is_empty()
            && self.inbox.is_empty()
    }
}

/// The node id of a core.
pub fn node_id(core: usize) -> NodeId {
    const SEED: u64 = 7;
    NodeId::derived(SEED, core as u16)
}
