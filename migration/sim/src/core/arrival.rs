//! The target's side of a batch at a core.

use std::rc::Rc;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::topology::HeirId;
use whimbrel_migration::{
    Advance, BatchId, FrameError, Greeting, Hello, Incarnation, Incoming, IncomingAction, Lane, MapNews,
    Refusal,
};

use super::{Core, Route, node_id};
use crate::env::Env;
use crate::event::{Event, Order};
use crate::mutation::Mutation;
use crate::network::{ConnectionId, End};
use crate::process::Process;
use crate::store::{SlotMap, View};

/// The target's side of a batch at a core.
#[derive(Debug)]
pub struct Arrival {
    pub machine: Incoming,
    /// The source, and the registration of its process.
    pub source: usize,
    source_incarnation: u64,
    slots: Rc<[SlotId]>,
    connections: [Option<ConnectionId>; 2],
    /// Whether commands for the slots wait here.
    pub holds: bool,
}

impl Arrival {
    /// Whether a slot is one of its.
    pub fn has(&self, slot: SlotId) -> bool {
        self.slots.contains(&slot)
    }

    /// Whether what this heir is to have is here, or is coming, and it may obey a word.
    pub fn keeps(&self, heir: HeirId) -> bool {
        self.machine.heir() == heir && self.machine.is_kept() && !self.machine.withdraws()
    }

    /// Whether all of it is here: it was sealed.
    pub fn has_all(&self) -> bool {
        self.machine.progress().is_prepared || self.machine.is_promoted()
    }

    /// A deliberate fault: it serves before it may.
    pub fn serves_already(&self, env: &Env) -> bool {
        self.holds && env.has(Mutation::ServesWhenPrepared)
    }
}

impl Core {
    /// Bytes of a connection that nobody knows yet.
    pub(super) fn greet(&mut self, connection: ConnectionId, bytes: &[u8], process: &Process, env: &mut Env) {
        let greeting = self.greetings.entry(connection).or_default();
        match greeting.receive(bytes) {
            Ok(None) => {}
            Ok(Some((hello, rest))) => {
                self.greetings.remove(&connection);
                if let Err(refusal) = self.welcome(connection, &hello, process, env) {
                    env.tell(&hello.batch.slots, || {
                        format!("core {} refuses {}: {refusal}", self.index, hello.batch.id)
                    });
                    let bytes = Greeting::refuse(&hello, refusal);
                    env.network.send(connection, End::Acceptor, &bytes, &mut env.agenda);
                    return self.close(connection, End::Acceptor, env);
                }
                self.receive_at_arrival(hello.batch.id, hello.lane, &rest, process, env);
            }
            Err(_) => self.close(connection, End::Acceptor, env),
        }
    }

    /// A hello has come: to a batch that is known, or to a new one.
    fn welcome(
        &mut self,
        connection: ConnectionId,
        hello: &Hello,
        process: &Process,
        env: &mut Env,
    ) -> Result<(), Refusal> {
        let (batch, lane, local_us) = (hello.batch.id, hello.lane, process.local_us(env));
        let Some(registration) = process.registration else { return Err(Refusal::Busy) };
        if hello.batch.target != self.id {
            return Err(Refusal::UnknownTarget);
        }
        let source = (0..env.scenario.cores()).find(|core| node_id(*core) == hello.batch.source);
        let source = source.ok_or(Refusal::UnknownTarget)?;
        for older in self.arrivals.keys().copied().collect::<Vec<_>>() {
            let arrival = self.arrivals.get_mut(&older).expect("it was just seen");
            if older != batch && arrival.machine.is_superseded_by(hello) {
                arrival.machine.superseded(&mut self.shard, local_us);
                self.obey_arrival(older, process, env);
            }
        }
        if env.has(Mutation::ForgetsProgressOnReconnect) && hello.connection > 2 {
            self.forget_arrival(batch, process, env);
        }
        if !self.arrivals.contains_key(&batch) {
            self.begin_arrival(hello, source, registration, process, env)?;
        }
        let arrival = self.arrivals.get_mut(&batch).expect("it was just seen to be there");
        arrival.machine.connected(lane, hello, local_us)?;
        if let Some(older) = arrival.connections[lane.index()].replace(connection) {
            self.close(older, End::Acceptor, env);
        }
        self.routes.insert(connection, Route::Arrival(batch, lane));
        Ok(())
    }

    fn begin_arrival(
        &mut self,
        hello: &Hello,
        source: usize,
        registration: u64,
        process: &Process,
        env: &mut Env,
    ) -> Result<(), Refusal> {
        if let Some(slot) = hello.batch.slots.iter().find(|slot| self.map.owner(**slot) == Some(self.index)) {
            return Err(Refusal::Owned { slot: *slot });
        }
        let settings = env.scenario.incoming_settings(Incarnation(registration));
        let machine = Incoming::new(hello, settings, &mut self.shard, process.local_us(env))?;
        env.tell(&hello.batch.slots, || {
            format!("core {} stages the slots of {}", self.index, hello.batch.id)
        });
        let arrival = Arrival {
            machine,
            source,
            source_incarnation: hello.source_incarnation.0,
            slots: hello.batch.slots.clone().into(),
            connections: [None; 2],
            holds: false,
        };
        self.arrivals.insert(hello.batch.id, arrival);
        Ok(())
    }

    /// A deliberate fault: a batch is forgotten, and its slots emptied.
    fn forget_arrival(&mut self, batch: BatchId, process: &Process, env: &mut Env) {
        self.disconnect_arrival(batch, env);
        let _ = process;
        if let Some(arrival) = self.arrivals.remove(&batch) {
            for slot in arrival.slots.iter() {
                self.shard.discard(*slot);
            }
        }
    }

    /// Reads what has come for an arrival, unless too much waits already.
    pub(super) fn read_arrival(
        &mut self,
        batch: BatchId,
        lane: Lane,
        mark: usize,
        process: &Process,
        env: &mut Env,
    ) {
        let Some(arrival) = self.arrivals.get_mut(&batch) else { return };
        let Some(connection) = arrival.connections[lane.index()] else { return };
        if arrival.machine.inbox_bytes(lane) >= mark && !env.has(Mutation::ReadsWithoutMark) {
            return;
        }
        let mut bytes = Vec::new();
        env.network.take(connection, End::Acceptor, env.now_us(), &mut bytes);
        if !bytes.is_empty() {
            self.receive_at_arrival(batch, lane, &bytes, process, env);
        }
    }

    fn receive_at_arrival(
        &mut self,
        batch: BatchId,
        lane: Lane,
        bytes: &[u8],
        process: &Process,
        env: &mut Env,
    ) {
        let Some(arrival) = self.arrivals.get_mut(&batch) else { return };
        let local_us = process.local_us(env);
        if let Err(error) = arrival.machine.receive(lane, bytes, local_us) {
            self.arrival_unreadable(batch, lane, error, process, env);
        }
    }

    fn arrival_unreadable(
        &mut self,
        batch: BatchId,
        lane: Lane,
        error: FrameError,
        process: &Process,
        env: &mut Env,
    ) {
        let slots = Rc::clone(&self.arrivals[&batch].slots);
        env.tell(&slots, || format!("core {} cannot read the {lane:?} lane of {batch}: {error}", self.index));
        self.arrival_lost(batch, lane, process, env);
    }

    /// A lane of an arrival is gone: the other one goes with it.
    pub(super) fn arrival_lost(&mut self, batch: BatchId, lane: Lane, process: &Process, env: &mut Env) {
        self.disconnect_arrival(batch, env);
        let local_us = process.local_us(env);
        let Some(arrival) = self.arrivals.get_mut(&batch) else { return };
        let slots = Rc::clone(&arrival.slots);
        env.tell(&slots, || format!("core {} has lost the {lane:?} lane of {batch}", self.index));
        if env.has(Mutation::DropsPreparedOnCut) {
            return self.forget_arrival(batch, process, env);
        }
        for lane in Lane::ALL {
            arrival.machine.disconnected(lane, local_us);
        }
    }

    fn disconnect_arrival(&mut self, batch: BatchId, env: &mut Env) {
        let Some(arrival) = self.arrivals.get_mut(&batch) else { return };
        for connection in std::mem::take(&mut arrival.connections).into_iter().flatten() {
            self.close(connection, End::Acceptor, env);
        }
    }

    /// Gives an arrival a slice of time.
    pub(super) fn advance_arrival(&mut self, batch: BatchId, process: &Process, env: &mut Env) -> Advance {
        let mark = env.scenario.inbox_mark_bytes;
        for lane in Lane::ALL {
            self.read_arrival(batch, lane, mark, process, env);
        }
        let Some(arrival) = self.arrivals.get_mut(&batch) else { return Advance::Idle };
        let is_full = Lane::ALL.into_iter().any(|lane| arrival.machine.inbox_bytes(lane) >= mark);
        let local_us = process.local_us(env);
        let mut steps = env.scenario.slice_steps(self.index, &mut env.dice);
        let mut is_time_left = || {
            steps = steps.saturating_sub(1);
            steps > 0
        };
        let next = arrival.machine.advance(&mut self.shard, local_us, &mut is_time_left);
        self.check_target_ceilings(batch, env);
        self.obey_arrival(batch, process, env);
        let Some(arrival) = self.arrivals.get_mut(&batch) else { return Advance::Idle };
        for lane in Lane::ALL {
            let Some(connection) = arrival.connections[lane.index()] else { continue };
            let bytes = std::mem::take(arrival.machine.output(lane));
            env.network.send(connection, End::Acceptor, &bytes, &mut env.agenda);
        }
        // What was not read because too much waited is read when less does.
        if is_full { Advance::Now } else { next }
    }

    /// Does what the machine asks for.
    fn obey_arrival(&mut self, batch: BatchId, process: &Process, env: &mut Env) {
        while let Some(arrival) = self.arrivals.get_mut(&batch) {
            let Some(action) = arrival.machine.action() else { return };
            let slots = Rc::clone(&arrival.slots);
            env.tell(&slots, || format!("core {}: {batch} at its target: {}", self.index, shown(&action)));
            match action {
                IncomingAction::Hold => arrival.holds = true,
                IncomingAction::Release => arrival.holds = false,
                IncomingAction::Withdraw => {
                    let id = arrival.machine.heir();
                    env.dropped[self.index] += 1;
                    self.order(process, Order::Withdraw { id }, env);
                }
                IncomingAction::Disconnect => self.disconnect_arrival(batch, env),
                IncomingAction::AskMap => {
                    let order = Order::ReadMap { batch };
                    let delay_us = env.dice.skewed(1..env.scenario.mailbox_delay_us + 2);
                    env.agenda
                        .after(delay_us, Event::Ordered { core: self.index, life: process.life, order });
                }
                IncomingAction::Adopt { map } => {
                    if let Some(map) = SlotMap::decode(&map)
                        && !env.has(Mutation::GivesBeforeAppointed)
                    {
                        self.adopt(Rc::new(map), env);
                    }
                }
                IncomingAction::Promote => {
                    let heir = arrival.machine.heir();
                    self.arrival_over(batch, env);
                    self.obey_word(heir, &slots, process, env);
                }
                IncomingAction::Dropped { .. } => {
                    env.dropped[self.index] += 1;
                    self.arrival_over(batch, env);
                    if env.has(Mutation::LeavesStaging) {
                        self.shard.stage(slots[0]);
                    }
                }
            }
        }
    }

    fn arrival_over(&mut self, batch: BatchId, env: &mut Env) {
        if let Some(arrival) = self.arrivals.get_mut(&batch) {
            for lane in Lane::ALL {
                let Some(connection) = arrival.connections[lane.index()] else { continue };
                let bytes = std::mem::take(arrival.machine.output(lane));
                env.network.send(connection, End::Acceptor, &bytes, &mut env.agenda);
            }
        }
        self.disconnect_arrival(batch, env);
        self.arrivals.remove(&batch);
    }

    /// The core goes by a map in which slots of the batch are its own. That they are not proves nothing: news may be old.
    pub(super) fn tell_arrival_of_owner(&mut self, batch: BatchId, process: &Process, env: &mut Env) {
        let Some(arrival) = self.arrivals.get_mut(&batch) else { return };
        if self.map.owns_any(self.index, &arrival.slots) {
            arrival.machine.map_changed(MapNews { owner_is_me: true, ..MapNews::default() });
            self.obey_arrival(batch, process, env);
        }
    }

    /// What the store held when the batch asked for it, or what is newer.
    pub(super) fn tell_arrival_of_read(
        &mut self,
        batch: BatchId,
        view: &View,
        process: &Process,
        env: &mut Env,
    ) {
        let Some(arrival) = self.arrivals.get_mut(&batch) else { return };
        let source_process = env.scenario.process_of(arrival.source);
        let is_registered = view.registrations.get(&source_process) == Some(&arrival.source_incarnation);
        let heir = arrival.machine.heir();
        let news = MapNews {
            owner_is_me: self.map.owns_any(self.index, &arrival.slots),
            source_is_gone: !is_registered || !self.map.owns_all(arrival.source, &arrival.slots),
            is_no_heir: !self.map.heirs.contains_key(&heir),
        };
        if env.has(Mutation::ObeysWithdrawnWord) && news.source_is_gone && !news.owner_is_me {
            return self.order(process, Order::Withdraw { id: heir }, env);
        }
        arrival.machine.map_changed(news);
        self.obey_arrival(batch, process, env);
    }
}

fn shown(action: &IncomingAction) -> String {
    match action {
        IncomingAction::Adopt { .. } => "hears that it is the heir".to_owned(),
        other => format!("{other:?}"),
    }
}
