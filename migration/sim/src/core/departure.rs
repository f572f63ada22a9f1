//! The source's side of a batch at a core: its lanes, its holds, its commit, and its share of the caps.

use std::rc::Rc;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::topology::HeirId;
use whimbrel_migration::pacer::{PacedId, with_headers, without_headers};
use whimbrel_migration::{Action, Advance, BatchId, Hold, Incarnation, Lane, MoveId, Outcome, Outgoing};

use super::{Core, Route};
use crate::checks::Invariant;
use crate::checks::caps::LastSecond;
use crate::checks::resends::Resends;
use crate::env::Env;
use crate::event::Order;
use crate::mutation::Mutation;
use crate::network::{ConnectionId, End};
use crate::process::Process;
use crate::scenario::Port;
use crate::store::{Heir, SlotMap};

/// Without room in the network, a machine with bytes to make waits for so long.
const ROOM_US: u64 = 300;

/// The source's side of a batch at a core.
#[derive(Debug)]
pub struct Departure {
    pub machine: Outgoing,
    pub job: MoveId,
    pub target: usize,
    /// The life of the process that it began in, as registered.
    pub incarnation: u64,
    slots: Rc<[SlotId]>,
    connections: [Option<ConnectionId>; 2],
    /// What waits here on its behalf.
    pub hold: Hold,
    pub hold_number: u64,
    /// Cores of the process that have said that they hold.
    pub held_by: usize,
    /// Its place with the core's pacer.
    paced: PacedId,
    /// What the target allows, and since when that is known.
    allowed: Option<(u64, u64)>,
    last_second: LastSecond,
    pauses: LastSecond,
    pauses_seen: u32,
    pub resends: Resends,
    pub was_cancelled: bool,
    /// Whether it is known that the map names its heir, in this life of the batch.
    pub is_appointed: bool,
}

impl Departure {
    /// A batch that begins.
    pub fn new(machine: Outgoing, job: MoveId, target: usize, incarnation: u64, paced: PacedId) -> Departure {
        let slots = machine.batch().slots.clone().into();
        Departure {
            machine,
            job,
            target,
            incarnation,
            slots,
            connections: [None; 2],
            hold: Hold::None,
            hold_number: 0,
            held_by: 0,
            paced,
            allowed: None,
            last_second: LastSecond::default(),
            pauses: LastSecond::default(),
            pauses_seen: 0,
            resends: Resends::default(),
            was_cancelled: false,
            is_appointed: false,
        }
    }

    /// Its slots.
    pub fn slots(&self) -> Rc<[SlotId]> {
        Rc::clone(&self.slots)
    }

    /// Whether a slot is one of its.
    pub fn has(&self, slot: SlotId) -> bool {
        self.slots.contains(&slot)
    }
}

impl Core {
    /// Gives a departure a slice of time.
    pub(super) fn advance_departure(&mut self, batch: BatchId, process: &Process, env: &mut Env) -> Advance {
        let bytes_max = self.departure_allowance(batch, process, env);
        let Some(departure) = self.departures.get_mut(&batch) else { return Advance::Idle };
        let local_us = process.local_us(env);
        let mut steps = env.scenario.slice_steps(self.index, &mut env.dice);
        let mut is_time_left = || {
            steps = steps.saturating_sub(1);
            steps > 0
        };
        let next = departure.machine.advance(&mut self.shard, local_us, bytes_max, &mut is_time_left);
        self.obey(batch, process, env);
        self.send_departing(batch, env);
        self.check_source_ceilings(batch, env);
        let Some(departure) = self.departures.get(&batch) else { return Advance::Idle };
        match (next, self.pacer.granted_at_us(departure.paced)) {
            (Advance::Now, Some(at_us)) if bytes_max == 0 => Advance::At(at_us.max(local_us + ROOM_US)),
            (Advance::Now, None) if bytes_max == 0 => Advance::At(local_us + ROOM_US),
            _ => next,
        }
    }

    /// Bytes that a departure may make now: what the network takes, the caps allow and the target allows.
    fn departure_allowance(&mut self, batch: BatchId, process: &Process, env: &mut Env) -> usize {
        let Some(departure) = self.departures.get_mut(&batch) else { return 0 };
        let local_us = process.local_us(env);
        let allowed = departure.machine.rate_max();
        if allowed != departure.allowed.map(|(rate, _)| rate) {
            departure.allowed = allowed.map(|rate| (rate, env.now_us()));
            let own = Some(env.scenario.move_rate_max).filter(|rate| *rate > 0);
            let theirs = allowed.filter(|_| !env.has(Mutation::IgnoresTargetRate));
            let rate = own.into_iter().chain(theirs).min();
            self.pacer.set_rate_of(departure.paced, rate, local_us);
        }
        let connections = departure.connections.iter().flatten();
        let room: usize = connections.map(|id| env.network.room(*id, End::Dialer)).sum();
        match env.has(Mutation::IgnoresPacer) {
            true => room,
            false => room.min(without_headers(self.pacer.grant(departure.paced, local_us))),
        }
    }

    /// Hands the machine's bytes to the network, as far as there is room.
    fn send_departing(&mut self, batch: BatchId, env: &mut Env) {
        let Some(departure) = self.departures.get_mut(&batch) else { return };
        let around = env.surroundings(departure.target);
        let (mut sent, mut on_the_link) = (0, 0);
        for lane in Lane::ALL {
            let Some(connection) = departure.connections[lane.index()] else { continue };
            let room = env.network.room(connection, End::Dialer);
            let output = departure.machine.output(lane);
            let bytes: Vec<u8> = output.drain(..output.len().min(room)).collect();
            departure.resends.sent(lane, connection, &bytes, around);
            sent += bytes.len() as u64;
            on_the_link += with_headers(bytes.len());
            env.network.send(connection, End::Dialer, &bytes, &mut env.agenda);
        }
        let slots = departure.slots();
        if let Some(text) = departure.resends.take_complaint() {
            env.violated(Invariant::Resumes, &slots, format!("{batch}: {text}"));
        }
        if sent > 0 {
            env.totals.link_bytes += sent;
            self.pacer.spend(departure.paced, on_the_link);
            self.check_caps(batch, on_the_link as u64, env);
        }
    }

    /// I7, headers included: the cap on the batch, the one that its target has set for more than a second, and the one on the core.
    fn check_caps(&mut self, batch: BatchId, sent: u64, env: &mut Env) {
        let (now_us, batches) = (env.now_us(), self.departures.len() as u64);
        let Some(departure) = self.departures.get_mut(&batch) else { return };
        let tried = departure.machine.progress().pauses_tried;
        let begun = tried - std::mem::replace(&mut departure.pauses_seen, tried);
        let pauses = departure.pauses.add(now_us, begun.into()).max(1);
        let of_batch = departure.last_second.add(now_us, sent);
        let of_core = self.last_second.add(now_us, sent);
        let told = departure.allowed.filter(|(_, since_us)| since_us + 1_000_000 < now_us);
        let caps = [
            (of_batch, env.scenario.move_rate_max, pauses),
            (of_batch, told.map_or(0, |(rate, _)| rate), pauses),
            (of_core, env.scenario.core_rate_max, batches * pauses.max(4)),
        ];
        let slots = departure.slots();
        for (bytes, cap, pauses) in caps {
            if cap > 0 && bytes > LastSecond::allowed(cap, pauses) {
                let text = format!("{batch}: {bytes} bytes went within a second under a cap of {cap}");
                env.violated(Invariant::Caps, &slots, text);
            }
        }
    }

    /// What the machine has left when it is over, whatever room there is.
    pub(super) fn send_last(&mut self, batch: BatchId, env: &mut Env) {
        let Some(departure) = self.departures.get_mut(&batch) else { return };
        for lane in Lane::ALL {
            let Some(connection) = departure.connections[lane.index()] else { continue };
            let bytes = std::mem::take(departure.machine.output(lane));
            env.network.send(connection, End::Dialer, &bytes, &mut env.agenda);
        }
        self.pacer.leave(departure.paced);
        self.disconnect_departure(batch, env);
    }

    /// Does what the machine asks for.
    pub(super) fn obey(&mut self, batch: BatchId, process: &Process, env: &mut Env) {
        while let Some(departure) = self.departures.get_mut(&batch) {
            let Some(action) = departure.machine.action() else { return };
            let slots = departure.slots();
            env.tell(&slots, || format!("core {}: {batch} asks for {action:?}", self.index));
            match action {
                Action::Connect => self.connect(batch, process, env),
                Action::Disconnect => self.disconnect_departure(batch, env),
                Action::Hold(hold) => self.hold(batch, hold, process, env),
                Action::Appoint { target } => self.order_appointment(batch, target, process, env),
                Action::Give => self.give(batch, process, env),
                Action::Ended(result) => return self.departed(batch, result, process, env),
            }
        }
    }

    fn order_appointment(&mut self, batch: BatchId, target: Incarnation, process: &Process, env: &mut Env) {
        let departure = self.departures.get_mut(&batch).expect("the machine has just asked");
        departure.is_appointed = false;
        let (id, slots) = (departure.machine.heir(), departure.slots());
        let heir = Heir {
            source: self.index,
            source_incarnation: departure.incarnation,
            target: departure.target,
            target_incarnation: target.0,
            slots: slots.to_vec(),
        };
        if env.has(Mutation::GivesBeforeAppointed) {
            let named = self.map.with_heir(id, heir.clone());
            departure.machine.appointed(Ok(&named.encode()));
        }
        self.order(process, Order::Appoint { id, heir }, env);
    }

    /// The map names an heir, or does not.
    pub(super) fn appointed(
        &mut self,
        heir: HeirId,
        map: Result<Rc<SlotMap>, String>,
        process: &Process,
        env: &mut Env,
    ) {
        if let Ok(map) = &map {
            self.adopt(Rc::clone(map), env);
        }
        let is_it = |departure: &&mut Departure| departure.machine.heir() == heir;
        let Some(departure) = self.departures.values_mut().find(is_it) else { return };
        let batch = departure.machine.batch().id;
        departure.is_appointed = map.is_ok();
        match map {
            Ok(map) => departure.machine.appointed(Ok(&map.encode())),
            Err(reason) => departure.machine.appointed(Err(reason)),
        }
        self.obey(batch, process, env);
    }

    /// The word is due: it is given if the lease runs and the map names the heir.
    fn give(&mut self, batch: BatchId, process: &Process, env: &mut Env) {
        let departure = self.departures.get_mut(&batch).expect("the machine has just asked");
        let (id, slots, target) = (departure.machine.heir(), departure.slots(), departure.target);
        let local_us = process.local_us(env);
        let runs = local_us < process.serve_until_us
            && process.registration == Some(departure.incarnation)
            && self.heard_of == process.registration;
        let is_named = self.map.heirs.contains_key(&id) || env.has(Mutation::GivesBeforeAppointed);
        if !runs || !is_named {
            let reason = "the lease has run out, or the target is no heir any more".to_owned();
            departure.machine.cancel(reason, &mut self.shard, local_us);
            return;
        }
        self.followed.insert(id);
        if !departure.machine.give(local_us) {
            self.followed.remove(&id);
            return;
        }
        if env.has(Mutation::FlushesAtWord) {
            slots.iter().for_each(|slot| self.shard.flush_slot(*slot));
        }
        env.aim_at_word(process.index, env.scenario.process_of(target));
        self.order(process, Order::Commit { id, source: self.index, target }, env);
    }

    fn hold(&mut self, batch: BatchId, hold: Hold, process: &Process, env: &mut Env) {
        let departure = self.departures.get_mut(&batch).expect("the machine has just asked");
        let is_over = departure.machine.progress().phase.is_over();
        if hold == Hold::None && is_over && env.has(Mutation::KeepsHoldAfterFailure) {
            return;
        }
        if hold == Hold::None && departure.machine.is_given() && env.scenario.port == Port::Shared {
            // The cores of the process go on waiting until the target serves the slots: their order must not change.
            return;
        }
        departure.hold = hold;
        match env.scenario.port {
            Port::OfEachCore if hold == Hold::None => {}
            Port::OfEachCore => departure.machine.held(hold, process.local_us(env)),
            Port::Shared => self.ask_origins(batch, hold, process, env),
        }
    }

    fn connect(&mut self, batch: BatchId, process: &Process, env: &mut Env) {
        self.disconnect_departure(batch, env);
        let departure = self.departures.get_mut(&batch).expect("the machine has just asked");
        let to = departure.target;
        for lane in Lane::ALL {
            let processes = [process.index, env.scenario.process_of(to)];
            let connection = env.network.dial([self.index, to], processes, &mut env.agenda, &mut env.totals);
            departure.connections[lane.index()] = Some(connection);
            self.routes.insert(connection, Route::Departure(batch, lane));
        }
    }

    fn disconnect_departure(&mut self, batch: BatchId, env: &mut Env) {
        let Some(departure) = self.departures.get_mut(&batch) else { return };
        for connection in std::mem::take(&mut departure.connections).into_iter().flatten() {
            self.close(connection, End::Dialer, env);
        }
    }

    /// A connection was made, or was not.
    pub(super) fn dialled(
        &mut self,
        connection: ConnectionId,
        refused: bool,
        process: &Process,
        env: &mut Env,
    ) {
        let Some(Route::Departure(batch, lane)) = self.routes.get(&connection).copied() else { return };
        if refused {
            self.routes.remove(&connection);
            env.network.lost(connection, End::Dialer);
            env.network.lost(connection, End::Acceptor);
            return self.departure_lost(batch, lane, process, env);
        }
        if let Some(departure) = self.departures.get_mut(&batch) {
            departure.machine.connected(lane, process.local_us(env));
        }
    }

    pub(super) fn receive_at_departure(
        &mut self,
        batch: BatchId,
        lane: Lane,
        bytes: &[u8],
        process: &Process,
        env: &mut Env,
    ) {
        let Some(departure) = self.departures.get_mut(&batch) else { return };
        departure.resends.heard(lane, bytes);
        let local_us = process.local_us(env);
        if let Err(error) = departure.machine.receive(lane, bytes, local_us) {
            let slots = departure.slots();
            env.tell(&slots, || {
                format!("core {}: {batch} cannot read its {lane:?} lane: {error}", self.index)
            });
            self.departure_lost(batch, lane, process, env);
        }
        self.obey(batch, process, env);
    }

    /// A lane of a departure is gone: the other one goes with it.
    pub(super) fn departure_lost(&mut self, batch: BatchId, lane: Lane, process: &Process, env: &mut Env) {
        self.disconnect_departure(batch, env);
        if let Some(departure) = self.departures.get_mut(&batch) {
            departure.machine.disconnected(lane, process.local_us(env));
            let slots = departure.slots();
            env.tell(&slots, || format!("core {}: {batch} has lost its {lane:?} lane", self.index));
        }
    }

    /// What the map says that came of a word.
    pub(super) fn outcome(&mut self, batch: BatchId, outcome: Outcome, process: &Process, env: &mut Env) {
        let Some(departure) = self.departures.get_mut(&batch) else { return };
        let slots = departure.slots();
        env.tell(&slots, || format!("core {}: the word of {batch} is {outcome:?}", self.index));
        departure.machine.outcome(outcome, process.local_us(env));
        if departure.hold != Hold::None {
            self.hold(batch, Hold::None, process, env);
        }
        self.obey(batch, process, env);
    }

    /// The target serves what it was given: the cores of the process go on.
    pub(super) fn settled(&mut self, heir: HeirId, process: &Process, env: &mut Env) {
        let is_it = |(_, departure): &(&BatchId, &Departure)| departure.machine.heir() == heir;
        let Some((batch, departure)) = self.departures.iter().find(is_it) else { return };
        let batch = *batch;
        if departure.machine.is_given() && departure.hold != Hold::None {
            self.departures.get_mut(&batch).expect("it was just seen").hold = Hold::None;
            self.ask_origins(batch, Hold::None, process, env);
        }
    }

    /// A deliberate fault: keys of slots that were given away stand here again.
    pub(super) fn put_back(&mut self, slots: &[SlotId], env: &Env) {
        for slot in slots {
            for key in env.ledger.slot(*slot).into_keys() {
                let key = self.shard.key(&key);
                // If there is no memory for the fault, there is no fault.
                let _ = self.shard.write(&key, 0).set(b"left behind", whimbrel_engine::shard::Expiry::Clear);
            }
        }
    }
}
