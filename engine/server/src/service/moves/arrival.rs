//! The target's side: batches that come to this core.

use std::collections::VecDeque;
use std::sync::Arc;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::moves::{MoveReport, Operation};
use whimbrel_engine::topology::{HeirId, ranges_of};
use whimbrel_migration::{
    Advance, BatchId, Greeting, Hello, Incarnation, Incoming, IncomingAction, IncomingSettings, Lane,
    MapNews, Phase, Refusal,
};
use whimbrel_net::{ConnectionId, Io};

use super::super::CoreService;
use super::super::connection;
use super::super::message::Message;
use super::holds::Level;
use super::wire::{End, Part, Wire, Wires};
use crate::control::change::Conclusion;
use crate::control::codec;
use crate::log;

/// Arrivals that are over and still shown.
const ENDED_MAX: usize = 128;

/// How long a batch that is over waits for its source to hear of it.
const FAREWELL_US: u64 = 1_000_000;

/// Batches that may come to this core at the same time.
const BATCHES_MAX: usize = 64;

/// A batch that comes.
struct Arrival {
    machine: Incoming,
    slots: Arc<[SlotId]>,
    source_incarnation: Incarnation,
    wires: Wires,
    /// The life and the connection that the wires belong to.
    link: (u32, u32),
    report: MoveReport,
    /// Whether it comes from another node, and what it may bring a second; 0 sets no limit.
    is_remote: bool,
    allowance: u64,
    /// Whether it was given the slots, and no map that names it has come yet.
    waits_for_map: bool,
    /// When its last word was said. It stays a little while, until the source has heard it.
    over_us: Option<u64>,
}

impl Arrival {
    fn id(&self) -> BatchId {
        self.machine.batch().id
    }
}

/// A wire that came from a source, and what it is.
enum Accepted {
    /// Not known yet.
    New(Box<Greeting>),
    /// A lane of a batch.
    Lane(BatchId, Lane),
}

/// Everything that comes to this core.
#[derive(Default)]
pub struct Arrivals {
    wires: Vec<(Wire, Accepted)>,
    batches: Vec<Arrival>,
    /// The latest first.
    ended: VecDeque<MoveReport>,
}

impl Arrivals {
    /// Whether nothing comes.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Whether changes wait to be applied, or the word that they were the last. A source may be waiting for them with
    /// its writers.
    pub fn has_deltas(&self) -> bool {
        self.batches.iter().any(|arrival| arrival.machine.inbox_bytes(Lane::Delta) > 0)
    }

    /// Batches that come.
    pub fn count(&self) -> usize {
        self.batches.iter().filter(|arrival| arrival.over_us.is_none()).count()
    }

    /// What comes, and what has come.
    pub fn reports(&self) -> Vec<MoveReport> {
        let mut reports: Vec<MoveReport> = Vec::new();
        for arrival in &self.batches {
            let progress = arrival.machine.progress();
            let mut report = arrival.report.clone();
            if arrival.over_us.is_none() {
                let phase = if progress.is_prepared { Phase::HandingOver } else { Phase::Snapshot };
                report.phase = phase.name().to_owned();
            }
            report.bytes_done = progress.bytes_applied;
            report.lag_bytes = progress.inbox_bytes;
            reports.push(report);
        }
        reports.extend(self.ended.iter().cloned());
        merge_jobs(reports)
    }

    /// Whether what this heir is to have is here, or is coming, and it may obey a word.
    pub fn keep(&self, heir: &HeirId) -> bool {
        let is_kept = |arrival: &Arrival| {
            arrival.machine.heir() == *heir && arrival.machine.is_kept() && !arrival.machine.withdraws()
        };
        self.batches.iter().any(is_kept)
    }

    /// The connections of lanes, with what waits to be applied.
    pub fn sockets(&self) -> Vec<(ConnectionId, usize)> {
        let mut sockets = Vec::new();
        for (arrival, lane) in self.batches.iter().flat_map(|arrival| Lane::ALL.map(|lane| (arrival, lane))) {
            if let Some(Wire::Socket(id)) = arrival.wires.get(lane) {
                sockets.push((id, arrival.machine.inbox_bytes(lane)));
            }
        }
        sockets
    }

    fn place(&self, id: BatchId) -> Option<usize> {
        self.batches.iter().position(|arrival| arrival.id() == id)
    }

    fn forget(&mut self, wire: Wire) -> Option<Accepted> {
        let place = self.wires.iter().position(|(known, _)| *known == wire)?;
        Some(self.wires.swap_remove(place).1)
    }
}

/// One report a job: its batches come one after another. The first report of a job is of its latest batch.
fn merge_jobs(reports: Vec<MoveReport>) -> Vec<MoveReport> {
    let mut jobs: Vec<MoveReport> = Vec::new();
    for report in reports {
        let Some(job) = jobs.iter_mut().find(|job| job.name == report.name) else {
            jobs.push(report);
            continue;
        };
        job.slots_done += report.slots_done;
        job.slots_total += report.slots_total;
        job.bytes_done += report.bytes_done;
        job.created_ms = job.created_ms.min(report.created_ms);
        let slots: Vec<SlotId> =
            job.ranges.iter().chain(&report.ranges).flat_map(|range| range.slots()).collect();
        job.ranges = ranges_of(&slots);
    }
    jobs
}

impl CoreService {
    /// Something came on a wire that this core is the target of.
    pub(super) fn take_arrival(&mut self, io: &mut Io<Message>, wire: Wire, part: Part) {
        match part {
            Part::Open => self.take_arrival_wire(wire),
            Part::Bytes(bytes) => {
                self.read_wire(io, wire, &bytes);
                self.return_buffer(wire, bytes);
            }
            Part::Spent(_) => {}
            Part::Close => self.lose_wire(io, wire),
        }
    }

    /// A wire that will say what it is.
    pub(super) fn take_arrival_wire(&mut self, wire: Wire) {
        self.moves.arrivals.wires.push((wire, Accepted::New(Box::default())));
    }

    /// Bytes of a source.
    pub(super) fn read_wire(&mut self, io: &mut Io<Message>, wire: Wire, bytes: &[u8]) {
        let Some((_, accepted)) = self.moves.arrivals.wires.iter_mut().find(|(known, _)| *known == wire)
        else {
            return;
        };
        match accepted {
            Accepted::Lane(id, lane) => {
                let (id, lane) = (*id, *lane);
                self.read_lane(io, id, lane, bytes);
            }
            Accepted::New(greeting) => match greeting.receive(bytes) {
                Ok(None) => {}
                Ok(Some((hello, rest))) => self.welcome(io, wire, &hello, &rest),
                Err(error) => {
                    log::warning(format_args!("A link of a move is closed: {error}"));
                    self.moves.arrivals.forget(wire);
                    self.close_wire(io, End::Target, wire);
                }
            },
        }
    }

    fn read_lane(&mut self, io: &mut Io<Message>, id: BatchId, lane: Lane, bytes: &[u8]) {
        let now_us = self.now(io).monotonic_us;
        let Some(place) = self.moves.arrivals.place(id) else { return };
        let machine = &mut self.moves.arrivals.batches[place].machine;
        if let Err(error) = machine.receive(lane, bytes, now_us) {
            log::warning(format_args!("Move {id}: its link is closed: {error}"));
            self.drop_wires(io, place);
        }
    }

    /// Closes both lanes of a batch, for cause.
    fn drop_wires(&mut self, io: &mut Io<Message>, place: usize) {
        let now_us = self.now(io).monotonic_us;
        let arrival = &mut self.moves.arrivals.batches[place];
        let mut lost = Vec::new();
        for lane in Lane::ALL {
            if let Some(wire) = arrival.wires.get(lane) {
                arrival.wires.forget(lane);
                arrival.machine.disconnected(lane, now_us);
                lost.push(wire);
            }
        }
        for wire in lost {
            self.moves.arrivals.forget(wire);
            self.close_wire(io, End::Target, wire);
        }
    }

    /// The other end has closed a wire, or it broke.
    pub(super) fn lose_wire(&mut self, io: &mut Io<Message>, wire: Wire) {
        let Some(Accepted::Lane(id, lane)) = self.moves.arrivals.forget(wire) else { return };
        let Some(place) = self.moves.arrivals.place(id) else { return };
        if self.moves.arrivals.batches[place].wires.get(lane) == Some(wire) {
            // The other lane is of no use without it.
            self.drop_wires(io, place);
        }
    }

    /// A wire has said which lane of which batch it is.
    fn welcome(&mut self, io: &mut Io<Message>, wire: Wire, hello: &Hello, rest: &[u8]) {
        let now_us = self.now(io).monotonic_us;
        let id = hello.batch.id;
        let place = match self.moves.arrivals.place(id) {
            Some(place) => Ok(place),
            None => self.receive_batch(io, hello),
        };
        let connected = place.and_then(|place| {
            let machine = &mut self.moves.arrivals.batches[place].machine;
            machine.connected(hello.lane, hello, now_us).map(|()| place)
        });
        let place = match connected {
            Ok(place) => place,
            Err(refusal) => {
                log::notice(format_args!("Move {id} is refused: {refusal}"));
                self.moves.arrivals.forget(wire);
                self.send_on_wire(io, End::Target, wire, Greeting::refuse(hello, refusal));
                return self.close_wire(io, End::Target, wire);
            }
        };
        if let Some((_, accepted)) = self.moves.arrivals.wires.iter_mut().find(|(known, _)| *known == wire) {
            *accepted = Accepted::Lane(id, hello.lane);
        }
        let arrival = &mut self.moves.arrivals.batches[place];
        let link = (hello.life, hello.connection);
        let is_newer = std::mem::replace(&mut arrival.link, link) != link;
        // A lane of a newer connection replaces both of the older one.
        let older: Vec<Wire> = if is_newer { arrival.wires.take().collect() } else { Vec::new() };
        let replaced = arrival.wires.put(hello.lane, wire);
        for wire in older.into_iter().chain(replaced) {
            self.moves.arrivals.forget(wire);
            self.close_wire(io, End::Target, wire);
        }
        self.read_lane(io, id, hello.lane, rest);
    }

    /// A batch that this core has not heard of.
    fn receive_batch(&mut self, io: &mut Io<Message>, hello: &Hello) -> Result<usize, Refusal> {
        let now = self.now(io);
        let topology = &self.core.topology;
        if hello.batch.target != topology.node(topology.myself()).id {
            return Err(Refusal::UnknownTarget);
        }
        if hello.was_welcome {
            return Err(Refusal::Forgotten);
        }
        if let Some(slot) = hello.batch.slots.iter().find(|slot| topology.owns(**slot)) {
            return Err(Refusal::Owned { slot: *slot });
        }
        if self.moves.arrivals.batches.len() >= BATCHES_MAX || self.core.is_out_of_memory(now.unix_ms) {
            return Err(Refusal::Busy);
        }
        for place in 0..self.moves.arrivals.batches.len() {
            let arrival = &mut self.moves.arrivals.batches[place];
            if arrival.machine.is_superseded_by(hello) {
                arrival.machine.superseded(&mut self.core.shard, now.monotonic_us);
            }
        }
        self.obey_arrivals(io);
        let topology = &self.core.topology;
        let is_remote =
            topology.find(&hello.batch.source).is_none_or(|source| topology.node(source).core.is_none());
        if is_remote {
            self.shared.links.begin_incoming();
        }
        let allowance =
            if is_remote { self.shared.links.incoming_share(self.core.config.link_rate_max) } else { 0 };
        let settings = IncomingSettings {
            incarnation: Incarnation(topology.node(topology.myself()).incarnation),
            link_timeout_us: u64::from(self.core.config.migration_link_timeout) * 1_000_000,
            bytes_per_second: allowance,
        };
        let machine =
            Incoming::new(hello, settings, &mut self.core.shard, now.monotonic_us).inspect_err(|_| {
                if is_remote {
                    self.shared.links.end_incoming();
                }
            })?;
        let batch = &hello.batch;
        let ranges = ranges_of(&batch.slots);
        let mut report =
            MoveReport::new(batch.id.job.to_string(), Operation::Import, ranges, batch.source, batch.target);
        (report.created_ms, report.updated_s) = (now.unix_ms, now.unix_s());
        report.slots_total = batch.slots.len() as u64;
        self.moves.arrivals.batches.push(Arrival {
            machine,
            slots: batch.slots.clone().into(),
            source_incarnation: hello.source_incarnation,
            wires: Wires::default(),
            link: (0, 0),
            report,
            is_remote,
            allowance,
            waits_for_map: false,
            over_us: None,
        });
        Ok(self.moves.arrivals.batches.len() - 1)
    }

    /// Applies what has come.
    pub(super) fn drive_arrivals(
        &mut self,
        io: &mut Io<Message>,
        is_time_left: &mut dyn FnMut() -> bool,
    ) -> Advance {
        let now = self.now(io);
        let mut advance = Advance::Idle;
        for place in 0..self.moves.arrivals.batches.len() {
            let machine = &mut self.moves.arrivals.batches[place].machine;
            advance = advance.or(machine.advance(&mut self.core.shard, now.monotonic_us, is_time_left));
        }
        if !self.moves.arrivals.is_empty() && self.core.is_out_of_memory(now.unix_ms) {
            self.give_up_arrivals(now.monotonic_us);
        }
        self.obey_arrivals(io);
        self.allow_arrivals();
        self.send_acknowledgements(io);
        self.hold_back(io);
        let farewells = self.moves.arrivals.batches.iter().filter_map(|arrival| arrival.over_us);
        farewells.fold(advance, |advance, over_us| advance.or(Advance::At(over_us + FAREWELL_US)))
    }

    /// Tells the sources of other nodes what they may send.
    fn allow_arrivals(&mut self) {
        let allowance = self.shared.links.incoming_share(self.core.config.link_rate_max);
        for arrival in self.moves.arrivals.batches.iter_mut().filter(|arrival| arrival.is_remote) {
            if std::mem::replace(&mut arrival.allowance, allowance) != allowance {
                arrival.machine.set_rate_max(allowance);
            }
        }
    }

    /// The target's memory is full: what comes is turned away, the sources keep what they have.
    fn give_up_arrivals(&mut self, now_us: u64) {
        const REASON: &str = "maxmemory is reached at the target";
        for arrival in &mut self.moves.arrivals.batches {
            arrival.machine.cancel(REASON.to_owned(), &mut self.core.shard, now_us);
        }
    }

    fn send_acknowledgements(&mut self, io: &mut Io<Message>) {
        for place in 0..self.moves.arrivals.batches.len() {
            for lane in Lane::ALL {
                let arrival = &mut self.moves.arrivals.batches[place];
                let (wire, output) = (arrival.wires.get(lane), arrival.machine.output(lane));
                if let Some(wire) = wire
                    && !output.is_empty()
                {
                    let bytes = std::mem::take(output);
                    self.send_on_wire(io, End::Target, wire, bytes);
                }
            }
        }
    }

    /// Does what the machines ask for, and forgets those that are done.
    fn obey_arrivals(&mut self, io: &mut Io<Message>) {
        let now = self.now(io);
        for place in 0..self.moves.arrivals.batches.len() {
            while let Some(action) = self.moves.arrivals.batches[place].machine.action() {
                self.obey_arrival(io, place, action);
            }
        }
        let is_gone = |arrival: &mut Arrival| {
            let is_heard = Lane::ALL.into_iter().all(|lane| arrival.wires.get(lane).is_none());
            arrival.over_us.is_some_and(|over_us| is_heard || over_us + FAREWELL_US <= now.monotonic_us)
        };
        for mut over in self.moves.arrivals.batches.extract_if(.., is_gone).collect::<Vec<_>>() {
            for wire in over.wires.take() {
                self.moves.arrivals.forget(wire);
                self.close_wire(io, End::Target, wire);
            }
            if over.is_remote {
                self.shared.links.end_incoming();
            }
            over.report.updated_s = now.unix_s();
            let bytes = over.machine.progress().bytes_applied;
            self.moves.tally.note_arrival(bytes, over.report.slots_done as usize);
            self.moves.arrivals.ended.push_front(over.report);
            self.moves.arrivals.ended.truncate(ENDED_MAX);
        }
    }

    fn obey_arrival(&mut self, io: &mut Io<Message>, place: usize, action: IncomingAction) {
        let now_us = self.now(io).monotonic_us;
        let arrival = &mut self.moves.arrivals.batches[place];
        let (id, slots) = (arrival.id(), Arc::clone(&arrival.slots));
        match action {
            IncomingAction::Hold => self.moves.arriving.set(&slots, Level::All),
            IncomingAction::Release => self.let_arrivals_go(&slots),
            IncomingAction::Adopt { map } if map.is_empty() => {
                self.outbox.message(self.count, Message::ReadMap);
            }
            IncomingAction::Adopt { map } => match codec::decode(&map) {
                Ok(map) => self.adopt(&map),
                // The keeper's own word comes too.
                Err(error) => log::warning(format_args!("Move {id}: its map cannot be read: {error}")),
            },
            IncomingAction::Promote => {
                let bytes = arrival.machine.progress().bytes_applied;
                arrival.report.bytes_done = bytes;
                arrival.report.slots_done = slots.len() as u64;
                if !self.serve_arrival(place, now_us) {
                    self.moves.arrivals.batches[place].waits_for_map = true;
                    self.outbox.message(self.count, Message::ReadMap);
                }
            }
            IncomingAction::Dropped { reason } => {
                log::notice(format_args!("Move {id} is given up: {reason}"));
                arrival.report.phase = Phase::Failed.name().to_owned();
                arrival.report.reason = reason;
                arrival.over_us = Some(now_us);
                self.let_arrivals_go(&slots);
                self.tend_heirs();
            }
            IncomingAction::Disconnect => {
                for wire in std::mem::take(&mut arrival.wires).take() {
                    self.moves.arrivals.forget(wire);
                    self.close_wire(io, End::Target, wire);
                }
            }
            IncomingAction::Withdraw => {
                let heir = arrival.machine.heir();
                self.outbox.message(self.count, Message::Conclude(heir, Conclusion::Withdraw));
            }
            IncomingAction::AskMap => self.outbox.message(self.count, Message::ReadMap),
        }
    }

    /// Serves what came, by the map or as its heir; `false` if neither the one nor the other is known yet.
    fn serve_arrival(&mut self, place: usize, now_us: u64) -> bool {
        let arrival = &self.moves.arrivals.batches[place];
        let (id, heir, source) = (arrival.id(), arrival.machine.heir(), arrival.machine.batch().source);
        let slots = Arc::clone(&arrival.slots);
        let topology = &mut self.core.topology;
        let is_heir = topology.follow(&heir);
        if !is_heir && !slots.iter().any(|slot| topology.owns(*slot)) {
            return false;
        }
        let source = topology.find(&source).and_then(|node| topology.node(node).core);
        if is_heir {
            self.outbox.message(self.count, Message::Conclude(heir, Conclusion::Commit));
        }
        self.end_arrival(place, Phase::Done, now_us);
        log::notice(format_args!("Move {id}: {} slots are here", slots.len()));
        if let Some(core) = source.filter(|_| !self.core.config.cluster_enabled) {
            self.outbox.message(usize::from(core), Message::Settled(heir));
        }
        true
    }

    /// A batch is over at this core: commands for its slots are answered by the map.
    fn end_arrival(&mut self, place: usize, phase: Phase, now_us: u64) {
        let arrival = &mut self.moves.arrivals.batches[place];
        arrival.report.phase = phase.name().to_owned();
        arrival.over_us = Some(now_us);
        arrival.waits_for_map = false;
        let slots = Arc::clone(&arrival.slots);
        self.empty_lost_slots(&slots);
        self.let_arrivals_go(&slots);
    }

    /// Commands for slots that came, or did not, are answered by the map.
    fn let_arrivals_go(&mut self, slots: &[SlotId]) {
        self.moves.arriving.set(slots, Level::Nothing);
        self.release_held(connection::Hold::Move);
    }

    /// A map has come: batches that wait for an outcome may learn theirs from it. That slots of theirs are this core's, every map
    /// may tell; that they never will be, only one that is as new as the question (`is_read`): an older one may not know
    /// the source yet.
    pub(in super::super) fn tell_arrivals_of_map(&mut self, io: &mut Io<Message>, is_read: bool) {
        let now_us = self.now(io).monotonic_us;
        for place in 0..self.moves.arrivals.batches.len() {
            let arrival = &mut self.moves.arrivals.batches[place];
            if arrival.over_us.is_some() {
                continue;
            }
            if arrival.waits_for_map {
                if !self.serve_arrival(place, now_us) && is_read {
                    self.moves.arrivals.batches[place].report.reason =
                        "the map gives its slots to others".to_owned();
                    self.end_arrival(place, Phase::Failed, now_us);
                }
                continue;
            }
            let topology = &self.core.topology;
            let batch = arrival.machine.batch();
            let owner_is_me = batch.slots.iter().any(|slot| topology.owns(*slot));
            if owner_is_me {
                // Until they are promoted.
                self.moves.arriving.set(&arrival.slots, Level::All);
            }
            let source = topology.find(&batch.source).map(|source| topology.node(source));
            let is_there = source.is_some_and(|source| source.incarnation == arrival.source_incarnation.0);
            let is_elsewhere = batch.slots.iter().any(|slot| {
                let owner = topology.owner(*slot).map(|owner| topology.node(owner).id);
                !topology.owns(*slot) && owner != Some(batch.source)
            });
            let source_is_gone = is_read && (!is_there || is_elsewhere);
            let is_no_heir = is_read && topology.heir(&arrival.machine.heir()).is_none();
            arrival.machine.map_changed(MapNews { owner_is_me, source_is_gone, is_no_heir });
        }
        self.obey_arrivals(io);
    }
}
