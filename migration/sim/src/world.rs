//! A run: everything there is, and what happens to it, event by event.

use std::rc::Rc;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::topology::HeirId;

use crate::agenda::Agenda;
use crate::checks::Invariant;
use crate::checks::ledger::Ledger;
use crate::checks::orders::Orders;
use crate::clients::{Client, Keyspace};
use crate::clock::{Clock, DRIFT_MAX_PPM, wall_ms};
use crate::core::{Core, Standing};
use crate::dice::Dice;
use crate::env::{Env, Lines};
use crate::event::{Event, Input, Order};
use crate::mischief;
use crate::mutation::Mutation;
use crate::network::{ConnectionId, End, Network};
use crate::operator::Operator;
use crate::process::Process;
use crate::scenario::Scenario;
use crate::shards::new_shard;
use crate::store::{Ask, Heir, Purpose, SlotMap, Store, Swap, Told, Wire};
use crate::story::Story;
use crate::totals::Totals;

/// Everything there is.
#[derive(Debug)]
pub struct World {
    pub env: Env,
    pub store: Store,
    pub store_clock: Clock,
    pub processes: Vec<Process>,
    pub cores: Vec<Core>,
    pub clients: Vec<Client>,
    keyspace: Keyspace,
    operator: Operator,
    /// When nothing goes wrong any more.
    pub calm_us: Option<u64>,
    pub is_settled: bool,
    /// Of all events so far.
    pub digest: u64,
}

/// After the calm, everything must have settled within this.
const SETTLE_US: u64 = 40_000_000;

/// However little the operator gets done, a run is calm by then.
const CALM_US_MAX: u64 = 120_000_000;

/// Clients go on for so long after the calm.
const HUSH_AFTER_US: u64 = 1_500_000;

/// How often it is looked whether everything has settled.
const LOOK_US: u64 = 100_000;

impl World {
    /// The world of a seed, before anything has happened.
    pub fn new(seed: u64, moves: u64, heavy: bool, mutation: Option<Mutation>, is_told: bool) -> Self {
        let scenario = Scenario::new(seed, moves, heavy);
        let mut dice = Dice::new(seed, 2);
        let keyspace = Keyspace::new(scenario.keyspace);
        let (processes_count, per_process) = (scenario.processes, scenario.cores_per_process);
        let mut map = SlotMap::default();
        for slot in keyspace.slots() {
            map = map.with(&[slot], dice.index(scenario.cores()));
        }
        let drift = |dice: &mut Dice| dice.below(2 * DRIFT_MAX_PPM + 1) as i64 - DRIFT_MAX_PPM as i64;
        let store_clock = Clock::new(dice.below(1_000_000_000), drift(&mut dice));
        let processes: Vec<Process> = (0..processes_count)
            .map(|index| {
                let clock = Clock::new(dice.below(1_000_000_000), drift(&mut dice));
                Process::new(index, index * per_process..(index + 1) * per_process, clock)
            })
            .collect();
        let clients =
            (0..scenario.clients).map(|index| Client::new(index, index % scenario.cores())).collect();
        let env = Env {
            network: Network::new(scenario.network.clone(), Dice::new(seed, 3)),
            wire: Wire::new(scenario.wire.clone(), Dice::new(seed, 4)),
            agenda: Agenda::default(),
            dice,
            ledger: Ledger::default(),
            totals: Totals::default(),
            story: Story::new(is_told),
            mutation,
            violation: None,
            is_calm: false,
            owners: Rc::new(map.clone()),
            lives: vec![0; processes_count],
            dropped: vec![0; scenario.cores()],
            orders: Orders::default(),
            mailboxes: Lines::default(),
            client_lines: Lines::default(),
            scenario,
        };
        let mut world = World {
            store: Store::new(map),
            store_clock,
            processes,
            cores: Vec::new(),
            clients,
            keyspace,
            operator: Operator::default(),
            calm_us: None,
            is_settled: false,
            digest: 0,
            env,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        let scenario = self.env.scenario.clone();
        self.env.tell_all(|| format!("{scenario:#?}"));
        for index in 0..self.processes.len() {
            for core in self.processes[index].cores.clone() {
                let shard = new_shard(&self.env.scenario);
                self.cores.push(Core::new(core, shard, &self.processes[index], &self.env));
            }
        }
        self.fill();
        for index in 0..self.processes.len() {
            self.begin_process(index);
        }
        for client in 0..self.clients.len() {
            self.env.agenda.after(1_000 + client as u64, Event::Client { client });
        }
        self.env.agenda.after(50_000, Event::Operate);
        self.env.agenda.after(1_000, Event::Leases);
        if self.env.scenario.mischief_us > 0 {
            self.env.agenda.after(100_000, Event::Mischief);
        }
        self.env.agenda.after(LOOK_US, Event::Look);
    }

    /// Fills the slots at their owners, as if it had been long ago.
    fn fill(&mut self) {
        let now_ms = wall_ms(0);
        for core in &mut self.cores {
            core.map = Rc::clone(&self.env.owners);
        }
        for place in 0..self.env.scenario.keyspace.slots {
            for _ in 0..self.env.scenario.filling {
                let command = self.keyspace.filling(place, &mut self.env.dice);
                let owner = self.env.owners.owner(command.slot).expect("every slot in use has an owner");
                let answer = command.serve(&mut self.cores[owner].shard, now_ms).expect("there is room");
                assert_eq!(
                    answer,
                    self.env.ledger.serve(&command, now_ms),
                    "the model is right of {command}"
                );
            }
        }
    }

    /// Begins a life of a process.
    pub fn begin_process(&mut self, index: usize) {
        let process = &mut self.processes[index];
        process.begin(&mut self.env);
        self.env.lives[index] = process.life;
    }

    /// Runs until something does not hold or everything has settled.
    pub fn run(&mut self) {
        while self.env.violation.is_none() && !self.is_settled {
            let Some(event) = self.env.agenda.next() else { break };
            self.env.totals.events += 1;
            self.note(&event);
            self.happen(event);
        }
        self.env.totals.virtual_us = self.env.now_us();
        self.env.totals.seeds = 1;
    }

    /// Two runs with one digest are most likely the same.
    fn note(&mut self, event: &Event) {
        /// Spreads what differs over all bits.
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let sum =
            self.env.now_us() ^ event.kind().rotate_left(48) ^ self.env.totals.link_bytes.rotate_left(24);
        self.digest = (self.digest.rotate_left(5) ^ sum).wrapping_mul(SPREAD);
    }

    fn happen(&mut self, event: Event) {
        let env = &mut self.env;
        match event {
            Event::Turn { core, number } => self.turn(core, number),
            Event::Tell { core, life, input } => {
                if env.lives[env.scenario.process_of(core)] == life {
                    self.push(core, input);
                }
            }
            Event::Dialled { connection, refused } => {
                let refused = refused || !self.is_up_at(connection, End::Acceptor);
                if let Some(core) = self.env.network.core(connection, End::Dialer) {
                    self.push(core, Input::Dialled { connection, refused });
                }
            }
            Event::Arrived { connection, end } => {
                if let Some(core) = env.network.core(connection, end)
                    && env.network.is_open(connection, end)
                {
                    self.push(core, Input::Bytes(connection, end));
                }
            }
            Event::Lost { connection, end } => {
                if let Some(core) = env.network.core(connection, end)
                    && env.network.is_open(connection, end)
                {
                    self.push(core, Input::Lost(connection, end));
                }
            }
            Event::Asked { process, id, ask } => self.asked_store(process, id, &ask),
            Event::Answered { process, id, told } => {
                if self.thawed(process, Event::Answered { process, id, told: told.clone() }) {
                    self.processes[process].answered(id, told, &mut self.env);
                }
            }
            Event::Unanswered { process, id } => {
                if process < self.processes.len() && self.thawed(process, Event::Unanswered { process, id }) {
                    self.processes[process].unanswered(id, &mut self.env);
                }
            }
            Event::News { process, life, view } => {
                if env.lives[process] == life
                    && self.processes[process].is_up
                    && self.thawed(process, Event::News { process, life, view: view.clone() })
                {
                    self.processes[process].learn(view, &mut self.env);
                }
            }
            Event::Ordered { core, life, order } => {
                let process = env.scenario.process_of(core);
                if env.lives[process] == life
                    && self.thawed(process, Event::Ordered { core, life, order: order.clone() })
                {
                    match &order {
                        Order::Appoint { heir, .. } => mischief::aim(self, process, heir.target),
                        Order::Commit { source, target, .. } => {
                            mischief::aim(self, self.env.scenario.process_of(*source), *target);
                        }
                        _ => {}
                    }
                    self.processes[process].ordered(core, order, &mut self.env);
                }
            }
            Event::Keep { process, life } => {
                if env.lives[process] == life && self.thawed(process, Event::Keep { process, life }) {
                    self.processes[process].keep(&mut self.env);
                }
            }
            Event::Leases => self.expire_leases(),
            Event::Client { client } => self.clients[client].step(&mut self.keyspace, env),
            Event::Reply { client, number, reply } => self.clients[client].replied(number, reply, env),
            Event::GiveUp { client, number } => self.clients[client].give_up(number, env),
            Event::Operate => self.operator.step(&self.processes, &self.store, env),
            Event::Mischief => mischief::happen(self),
            Event::Crash { process, life } => {
                if env.lives[process] == life && !env.is_calm {
                    mischief::crash(self, process);
                }
            }
            Event::Strand { source, target, until_us } => mischief::strand(self, source, target, until_us),
            Event::Restart { process } => self.begin_process(process),
            Event::Look => self.look(),
        }
    }

    /// Puts something into a core's inbox, if its process lives.
    fn push(&mut self, core: usize, input: Input) {
        if self.processes[self.env.scenario.process_of(core)].is_up {
            self.cores[core].push(input, &mut self.env);
        }
    }

    fn is_up_at(&self, connection: ConnectionId, end: End) -> bool {
        let core = self.env.network.core(connection, end);
        core.is_some_and(|core| self.processes[self.env.scenario.process_of(core)].is_up)
    }

    /// Whether a process is not frozen; if it is, the event is put off until it is not.
    fn thawed(&mut self, process: usize, event: Event) -> bool {
        let until_us = self.processes[process].frozen_until_us;
        let is_thawed = self.env.now_us() >= until_us;
        if !is_thawed {
            self.env.agenda.at(until_us, event);
        }
        is_thawed
    }

    fn turn(&mut self, core: usize, number: u64) {
        let process = self.env.scenario.process_of(core);
        if !self.cores[core].is_turn(number) || !self.processes[process].is_up {
            return;
        }
        self.cores[core].turn(&self.processes[process], &mut self.env);
        for slot in std::mem::take(&mut self.cores[core].served) {
            self.check_one_owner(core, slot);
        }
    }

    /// I2: whoever has just served a slot, no other core would at this instant.
    fn check_one_owner(&mut self, core: usize, slot: SlotId) {
        for other in 0..self.cores.len() {
            let process = &self.processes[self.env.scenario.process_of(other)];
            if other != core
                && self.cores[other].standing(slot, false, process, &self.env) == Standing::Serves
            {
                let text = format!("cores {core} and {other} both serve slot {}", slot.number());
                self.env.violated(Invariant::OneOwner, &[slot], text);
            }
        }
    }

    fn asked_store(&mut self, process: usize, id: crate::store::AskId, ask: &Ask) {
        let store_us = self.store_clock.at(self.env.now_us());
        if let Ask::Swap(swap) = ask
            && self.is_staged_at_heir(swap)
        {
            return;
        }
        let told = self.store.execute(ask, store_us);
        match (ask, &told) {
            (Ask::Swap(swap), Told::Swapped(_)) => self.swapped(swap),
            (Ask::Register { process, .. }, _) => {
                let (owners, scenario) = (Rc::clone(&self.env.owners), &self.env.scenario);
                let of_process = |owner: usize| scenario.process_of(owner) == *process;
                // Whoever is named as heir may still obey a word.
                let slots: Vec<SlotId> = owners
                    .owners
                    .iter()
                    .filter(|(slot, owner)| of_process(owner.core) && owners.heir_of(**slot).is_none())
                    .map(|(slot, _)| *slot)
                    .collect();
                self.env.ledger.registered(slots.into_iter());
            }
            _ => {}
        }
        if process < self.processes.len()
            && let Some(delay_us) =
                self.env.wire.answer_delay_us(self.env.agenda.now_us(), &mut self.env.totals)
        {
            self.env.agenda.after(delay_us, Event::Answered { process, id, told });
        }
    }

    /// Operators do not give slots of a dead process to a core that is just being brought the same slots: whoever looks at
    /// the map could not tell that from a hand-over.
    fn is_staged_at_heir(&self, swap: &Swap) -> bool {
        let Purpose::TakeOver { slots, target } = &swap.purpose else { return false };
        let heir = &self.cores[*target];
        slots.iter().any(|slot| heir.has_come(*slot))
    }

    /// The map has changed: what must be where changes with it, at this very instant.
    fn swapped(&mut self, swap: &Swap) {
        let before = std::mem::replace(&mut self.env.owners, Rc::new(swap.map.clone()));
        match &swap.purpose {
            Purpose::Appoint(id) => {
                let slots = swap.map.heirs[id].slots.clone();
                self.env.tell(&slots, || format!("the store names the heir {id:?}"));
            }
            Purpose::TakeOver { slots, target } => {
                self.env.totals.taken_over += slots.len() as u64;
                self.env.tell(slots, || format!("the store gives slots of the dead to core {target}"));
                self.env.ledger.lost(slots);
                self.env.ledger.settled(slots);
            }
            Purpose::Commit(id) => self.committed(*id, &before.heirs[id]),
            Purpose::Withdraw(id) => self.withdrawn(*id, &before.heirs[id]),
        }
        self.spread_news();
    }

    /// I3: at the instant at which the map says so, the target has all of it, if it lives.
    fn committed(&mut self, id: HeirId, heir: &Heir) {
        let Heir { source, target, slots, .. } = heir;
        self.env.tell(slots, || format!("the store gives slots of core {source} to core {target}"));
        let is_there = self.cores[*target].has_come_as(id);
        let lives =
            self.processes[self.env.scenario.process_of(*target)].is_of_this_life(heir.target_incarnation);
        for slot in slots {
            if self.env.ledger.taken_by(*slot) != Some(*target) {
                // It has the word still before it, or has died since it was prepared.
                match is_there {
                    true => self.env.ledger.handed_over(&[*slot]),
                    false if lives => {
                        let text = format!("core {target} is given slots that it has dropped");
                        self.env.violated(Invariant::NothingLost, slots, text);
                    }
                    false => self.env.ledger.lost(&[*slot]),
                }
            }
        }
        self.env.ledger.settled(slots);
        if is_there {
            self.env.check_handed_over(&mut self.cores[*target], slots);
        }
    }

    /// An heir that the map names no more has nothing that anybody may serve.
    fn withdrawn(&mut self, id: HeirId, heir: &Heir) {
        let slots = &heir.slots;
        self.env.tell(slots, || format!("the store does not name the heir {id:?} any more"));
        self.env.ledger.withdrawn(slots);
        let taken: Vec<SlotId> =
            slots.iter().copied().filter(|slot| self.env.ledger.taken_by(*slot).is_some()).collect();
        if taken.is_empty() {
            return;
        }
        let target = self.env.scenario.process_of(heir.target);
        if self.store.view().registrations.get(&target) == Some(&heir.target_incarnation) {
            let text = format!("core {} is no heir any more of what it serves", heir.target);
            self.env.violated(Invariant::NothingLost, &taken, text);
        }
        // Both are gone, and the source has begun again: its slots are its own, and empty.
        self.env.ledger.lost(&taken);
        self.env.ledger.settled(&taken);
    }

    fn spread_news(&mut self) {
        for process in 0..self.processes.len() {
            let now_us = self.env.agenda.now_us();
            if let Some(delay_us) = self.env.wire.news_delay_us(now_us, &mut self.env.totals) {
                let event = Event::News { process, life: self.env.lives[process], view: self.store.view() };
                self.env.agenda.after(delay_us, event);
            }
        }
    }

    fn expire_leases(&mut self) {
        let gone = self.store.expire(self.store_clock.at(self.env.now_us()));
        for process in &gone {
            self.env.totals.faults.leases_expired += 1;
            self.env.tell_all(|| format!("the lease of process {process} has run out"));
        }
        if !gone.is_empty() {
            self.spread_news();
        }
        self.env.agenda.after(20_000, Event::Leases);
    }

    /// Ends a life of a process: all that its cores had is gone.
    pub fn crash(&mut self, index: usize) {
        self.processes[index].crash(&mut self.env);
        self.env.lives[index] = self.processes[index].life;
        let mut lost = Vec::new();
        for core in self.processes[index].cores.clone() {
            self.env.network.core_gone(core, &mut self.env.agenda);
            self.env.totals.crashed += self.cores[core].departures.len() as u64;
            let shard = new_shard(&self.env.scenario);
            let fresh = Core::new(core, shard, &self.processes[index], &self.env);
            self.cores[core] = fresh;
            let env = &self.env;
            let holder = |slot: &SlotId| env.ledger.taken_by(*slot).or(env.owners.owner(*slot));
            lost.extend(env.owners.owners.keys().copied().filter(|slot| holder(slot) == Some(core)));
        }
        self.env.tell(&lost, || format!("what process {index} had of {} slots is lost", lost.len()));
        let (taken, owned): (Vec<SlotId>, Vec<SlotId>) =
            lost.into_iter().partition(|slot| self.env.ledger.taken_by(*slot).is_some());
        self.env.ledger.lost(&taken);
        self.env.ledger.settled(&taken);
        self.env.ledger.owner_died(owned.into_iter());
    }

    /// Looks whether it is time for the calm, for the hush, and whether everything has settled.
    fn look(&mut self) {
        let now_us = self.env.now_us();
        match self.calm_us {
            None => {
                if self.operator.is_done(&self.env) && self.are_moves_over() || now_us > CALM_US_MAX {
                    self.calm();
                }
            }
            Some(calm_us) => {
                if now_us > calm_us + HUSH_AFTER_US {
                    self.clients.iter_mut().for_each(Client::hush);
                }
                match self.unsettled() {
                    None => self.is_settled = true,
                    Some((slots, text)) if now_us > calm_us + SETTLE_US => {
                        self.env.violated(Invariant::Settles, &slots, text);
                    }
                    Some(_) => {}
                }
            }
        }
        self.env.agenda.after(LOOK_US, Event::Look);
    }

    fn are_moves_over(&self) -> bool {
        self.cores.iter().all(|core| core.departures.is_empty())
    }

    /// From now on nothing goes wrong.
    fn calm(&mut self) {
        self.env.tell_all(|| "nothing goes wrong from here on".to_owned());
        self.calm_us = Some(self.env.now_us());
        self.env.is_calm = true;
        self.env.network.calm();
        self.env.wire.calm();
    }
}
