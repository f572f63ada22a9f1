//! The source's side: the batch of this core that is on its way, and the jobs that wait behind it.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use whimbrel_engine::config::Config;
use whimbrel_engine::key::SlotId;
use whimbrel_engine::moves::{MoveReport, MoveRequest};
use whimbrel_engine::topology::{HeirId, NodeId};
use whimbrel_migration::plan::Plan;
use whimbrel_migration::{
    Action, Advance, Batch, BatchId, Hold, Incarnation, Lane, MoveId, Outgoing, OutgoingSettings, Phase,
    Progress,
};
use whimbrel_net::Io;

use super::super::CoreService;
use super::super::message::Message;
use super::connector::{LinkOutcome, LinkRequest};
use super::holds::Level;
use super::job::Job;
use super::pace::Pace;
use super::wire::{End, Part, Wire, Wires};
use crate::log;

/// Jobs that are over and still shown.
const ENDED_MAX: usize = 128;

/// A batch on its way.
pub struct Departure {
    pub(super) machine: Outgoing,
    pub(super) slots: Arc<[SlotId]>,
    /// The core of this process that the slots go to, if it is one.
    core: Option<usize>,
    wires: Wires,
    /// How often a link to another node was asked for.
    attempt: u64,
    /// The sockets of that link once more, for their pacing.
    sockets: Vec<OwnedFd>,
    /// The request for a hold that is agreed on, or was.
    pub(super) asked: Option<(u64, Hold)>,
    /// The registration of this process in which it began.
    pub(super) incarnation: Incarnation,
    /// How it ended.
    ended: Option<Result<(), String>>,
}

impl Departure {
    fn id(&self) -> BatchId {
        self.machine.batch().id
    }
}

/// Everything that leaves this core.
#[derive(Default)]
pub struct Departures {
    /// The first one is under way; the others wait for it.
    jobs: VecDeque<Job>,
    pub(super) under_way: Option<Departure>,
    /// The latest first.
    ended: VecDeque<MoveReport>,
    /// The number of this core's next wire.
    next_wire: u64,
    pub pace: Pace,
}

impl Departures {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Whether commands wait for the batch that is under way: here, or at the target for the word.
    pub fn is_pressing(&self) -> bool {
        let presses = |departure: &Departure| departure.asked.is_some() || departure.machine.is_given();
        self.under_way.as_ref().is_some_and(presses)
    }

    /// The heir that the batch under way is to have.
    pub fn heir(&self) -> Option<HeirId> {
        let departure = self.under_way.as_ref().filter(|departure| departure.machine.has_heir());
        departure.map(|departure| departure.machine.heir())
    }

    /// Jobs that go on.
    pub fn count(&self) -> usize {
        self.jobs.len()
    }

    /// How far the batch under way has come.
    pub fn progress(&self) -> Option<Progress> {
        self.under_way.as_ref().map(|departure| departure.machine.progress())
    }

    /// The jobs that go on, and those that ended.
    pub fn reports(&self) -> Vec<MoveReport> {
        let progress = self.progress();
        let mut reports: Vec<MoveReport> = Vec::new();
        for (place, job) in self.jobs.iter().enumerate() {
            reports.push(job.report_with(progress.as_ref().filter(|_| place == 0)));
        }
        reports.extend(self.ended.iter().cloned());
        reports
    }
}

/// What the settings say about a batch.
fn settings(config: &Config, incarnation: Incarnation) -> OutgoingSettings {
    OutgoingSettings {
        incarnation,
        slots_concurrent_max: config.moves_concurrent_max as usize,
        delta_bytes_max: config.migration_delta_max as usize,
        pause_target_us: config.pause_target_us.into(),
        pause_max_us: config.pause_max_us.into(),
        link_timeout_us: u64::from(config.migration_link_timeout) * 1_000_000,
        ..OutgoingSettings::default()
    }
}

impl CoreService {
    /// Hands what an operator asked for to the cores that own the slots.
    pub(in super::super) fn begin_moves(&mut self, io: &Io<Message>, requests: Vec<MoveRequest>) {
        for request in requests {
            let mut by_core = vec![Vec::new(); self.count];
            for slot in request.slots() {
                if let Some(core) = self.core.topology.local_core(slot) {
                    by_core[usize::from(core)].push(slot);
                }
            }
            for (core, slots) in by_core.into_iter().enumerate().filter(|(_, slots)| !slots.is_empty()) {
                let id = self.name_move();
                let target = request.target;
                if core == self.index {
                    self.plan_move(io, id, target, slots);
                } else {
                    self.outbox.message(core, Message::BeginMove { id, target, slots });
                }
            }
        }
    }

    fn name_move(&mut self) -> MoveId {
        let random = &mut self.core.random;
        MoveId(u128::from(random.bits()) << 64 | u128::from(random.bits()))
    }

    /// Puts a job behind those that this core has.
    pub(in super::super) fn plan_move(
        &mut self,
        io: &Io<Message>,
        id: MoveId,
        target: NodeId,
        slots: Vec<SlotId>,
    ) {
        let now = self.now(io);
        let topology = &self.core.topology;
        let source = topology.node(topology.myself()).id;
        let moving = &mut self.core.moves.moving;
        let stranger = slots.iter().find(|slot| !topology.owns(**slot) || moving.contains(**slot)).copied();
        let batch_slots = self.core.config.migration_batch_slots as usize;
        let (shard, load) = (&self.core.shard, &self.core.load);
        let keys = slots.iter().map(|slot| shard.slot_keys(*slot)).sum();
        let bytes = slots.iter().map(|slot| shard.slot_bytes(*slot)).sum();
        let plan = Plan::new(slots, batch_slots, |slot| load.of(slot, now.unix_s()));
        let job = Job::new(id, [source, target], plan, [keys, bytes], now);
        log::notice(format_args!(
            "Move {id}: {} to {target} is planned",
            job.report_with(None).ranges_text()
        ));
        if let Some(slot) = stranger {
            let reason = format!("slot {} moves already, or has changed hands", slot.number());
            return self.note_ended(job, Phase::Failed, reason, now.unix_s());
        }
        job.waiting().for_each(|slot| moving.insert(slot));
        self.moves.departures.jobs.push_back(job);
    }

    /// Slots of a job that will not move after all.
    fn forget_waiting(&mut self, job: &Job) {
        for slot in job.waiting() {
            self.core.moves.moving.remove(slot);
        }
    }

    fn note_ended(&mut self, job: Job, phase: Phase, reason: String, now_s: u64) {
        let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        log::notice(format_args!("Move {} is {phase}{because}", job.id));
        self.moves.tally.note_job(phase);
        let ended = &mut self.moves.departures.ended;
        ended.push_front(job.end(phase, reason, now_s));
        ended.truncate(ENDED_MAX);
        if self.moves.departures.is_empty() {
            self.moves.buffers.clear();
        }
    }

    /// Ends the job of this name, or all jobs, of all cores that an operator here speaks for.
    pub(in super::super) fn cancel_moves_everywhere(&mut self, io: &mut Io<Message>, name: Option<String>) {
        self.cancel_moves(io, name.as_deref());
        if !self.core.config.cluster_enabled {
            for core in (0..self.count).filter(|core| *core != self.index) {
                self.outbox.message(core, Message::CancelMoves { name: name.clone() });
            }
        }
    }

    /// Ends the job of this name, or all jobs of this core. A batch whose word was given comes to its end.
    pub(in super::super) fn cancel_moves(&mut self, io: &mut Io<Message>, name: Option<&str>) {
        const REASON: &str = "cancelled by an operator";
        let now = self.now(io);
        let jobs = std::mem::take(&mut self.moves.departures.jobs);
        for mut job in jobs {
            let is_meant = name.is_none_or(|name| job.id.to_string() == name);
            let is_under_way = self
                .moves
                .departures
                .under_way
                .as_ref()
                .is_some_and(|departure| departure.id().job == job.id);
            if !is_meant {
                self.moves.departures.jobs.push_back(job);
            } else if is_under_way {
                job.cancelled = true;
                self.moves.departures.jobs.push_back(job);
                if let Some(departure) = &mut self.moves.departures.under_way {
                    departure.machine.cancel(REASON.to_owned(), &mut self.core.shard, now.monotonic_us);
                }
            } else {
                self.forget_waiting(&job);
                self.note_ended(job, Phase::Cancelled, REASON.to_owned(), now.unix_s());
            }
        }
    }

    /// Goes on with the batch that is under way, or begins the next one.
    pub(super) fn drive_departures(
        &mut self,
        io: &mut Io<Message>,
        is_time_left: &mut dyn FnMut() -> bool,
    ) -> Advance {
        if self.moves.departures.under_way.is_none() {
            self.begin_batch(io);
        }
        let Some(mut departure) = self.moves.departures.under_way.take() else { return Advance::Idle };
        let now_us = self.now(io).monotonic_us;
        while let Some(number) = self.moves.barrier.reached() {
            if let Some((_, hold)) = departure.asked.filter(|(asked, _)| *asked == number) {
                departure.machine.held(hold, now_us);
            }
        }
        self.look_at_heir(&mut departure, now_us);
        self.obey(io, &mut departure);
        self.pace_departure(&mut departure, now_us);
        let granted = self.moves.departures.pace.grant(now_us);
        let mut advance = departure.machine.advance(&mut self.core.shard, now_us, granted, is_time_left);
        if self.obey(io, &mut departure) {
            // What it waited for is there already: what follows is to go out in this turn, and it is not to sleep.
            departure.machine.advance(&mut self.core.shard, now_us, granted, &mut || false);
            self.obey(io, &mut departure);
            advance = Advance::Now;
        }
        self.send_output(io, &mut departure);
        if granted == 0 && advance == Advance::Now {
            let due = self.moves.departures.pace.granted_at_us();
            advance = due.map_or(Advance::Idle, Advance::At);
        }
        self.note_departure(io, &mut departure);
        match departure.ended.take() {
            None => self.moves.departures.under_way = Some(departure),
            Some(result) => {
                self.end_batch(io, departure, result);
                advance = Advance::Now;
            }
        }
        advance
    }

    fn begin_batch(&mut self, io: &mut Io<Message>) {
        let now = self.now(io);
        let Some(job) = self.moves.departures.jobs.front_mut() else { return };
        let (shard, load) = (&self.core.shard, &self.core.load);
        let weigh = |slot| (load.of(slot, now.unix_s()), shard.slot_bytes(slot));
        let Some((number, slots)) = job.next_batch(weigh) else { return };
        let (job, target) = (job.id, job.target);
        let topology = &self.core.topology;
        let myself = topology.node(topology.myself());
        let (source, incarnation) = (myself.id, Incarnation(myself.incarnation));
        let core = topology.find(&target).and_then(|node| topology.node(node).core).map(usize::from);
        let batch = Batch { id: BatchId { job, number }, source, target, slots };
        let slots: Arc<[SlotId]> = batch.slots.clone().into();
        // Unlike any other batch's number, as far as a client can remember.
        self.tell_migrating(io, u64::from(job.0 as u32) << 16 | u64::from(number), &slots);
        let machine = Outgoing::new(batch, settings(&self.core.config, incarnation), now.monotonic_us);
        if core.is_none() {
            self.shared.links.begin_outgoing();
        }
        self.moves.departures.pace.begin(core.is_none());
        self.moves.departures.under_way = Some(Departure {
            machine,
            slots,
            core,
            wires: Wires::default(),
            attempt: 0,
            sockets: Vec::new(),
            asked: None,
            incarnation,
            ended: None,
        });
    }

    fn end_batch(&mut self, io: &mut Io<Message>, mut departure: Departure, result: Result<(), String>) {
        let now_s = self.now(io).unix_s();
        for wire in departure.wires.take() {
            self.close_wire(io, End::Source, wire);
        }
        if departure.core.is_none() {
            self.shared.links.end_outgoing();
        }
        for slot in departure.slots.iter() {
            self.core.moves.moving.remove(*slot);
        }
        let mut job = self.moves.departures.jobs.pop_front().expect("the first job is under way");
        let handed_over = if result.is_ok() { departure.slots.len() } else { 0 };
        let progress = departure.machine.progress();
        job.note_batch(&progress, handed_over);
        self.moves.tally.note_batch(&progress, handed_over);
        let (phase, reason) = match result {
            Ok(()) if job.is_last() => (Phase::Done, String::new()),
            Ok(()) if !job.cancelled => return self.moves.departures.jobs.push_front(job),
            Ok(()) => (Phase::Cancelled, "cancelled by an operator".to_owned()),
            Err(reason) if job.cancelled => (Phase::Cancelled, reason),
            Err(reason) => (Phase::Failed, reason),
        };
        self.forget_waiting(&job);
        self.note_ended(job, phase, reason, now_s);
        self.tend_heirs();
    }

    /// Does what the machine asks for, until it asks for nothing; whether it was told on the way that what it asked for is so.
    fn obey(&mut self, io: &mut Io<Message>, departure: &mut Departure) -> bool {
        let now_us = self.now(io).monotonic_us;
        let mut is_told = false;
        while let Some(action) = departure.machine.action() {
            match action {
                Action::Connect => self.connect(io, departure),
                Action::Disconnect => self.disconnect(io, departure),
                Action::Hold(Hold::None) => self.end_departure_hold(departure),
                Action::Hold(hold) => {
                    let level = if hold == Hold::Writes { Level::Writes } else { Level::All };
                    let earlier = departure.asked.map(|(number, _)| number);
                    let number = self.ask_hold(earlier, Arc::clone(&departure.slots), level);
                    departure.asked = Some((number, hold));
                    while let Some(reached) = self.moves.barrier.reached() {
                        if reached == number {
                            departure.machine.held(hold, now_us);
                            is_told = true;
                        }
                    }
                }
                Action::Appoint { target } => self.ask_for_heir(departure, target),
                Action::Give => is_told |= self.give_word(io, departure),
                Action::Ended(result) => departure.ended = Some(result),
            }
        }
        is_told
    }

    /// Opens both lanes.
    fn connect(&mut self, io: &mut Io<Message>, departure: &mut Departure) {
        self.disconnect(io, departure);
        let now_us = self.now(io).monotonic_us;
        let Some(core) = departure.core else { return self.ask_for_link(departure, now_us) };
        for lane in Lane::ALL {
            let number = self.moves.departures.next_wire;
            self.moves.departures.next_wire += 1;
            self.outbox.message(core, Message::Wire { number, is_outward: true, part: Part::Open });
            departure.wires.put(lane, Wire::Core { core, number });
            departure.machine.connected(lane, now_us);
        }
    }

    /// Has a thread that may wait open a link to the target.
    fn ask_for_link(&mut self, departure: &mut Departure, now_us: u64) {
        let batch = departure.machine.batch();
        let topology = &self.core.topology;
        let Some(target) = topology.find(&batch.target).map(|node| topology.node(node)) else {
            // The batch ends when the time for its link is up.
            Lane::ALL.into_iter().for_each(|lane| departure.machine.disconnected(lane, now_us));
            return;
        };
        departure.attempt += 1;
        let request = LinkRequest {
            batch: batch.id,
            attempt: departure.attempt,
            host: target.host.clone(),
            port: target.port,
            password: self.core.config.masterauth.as_bytes().to_vec(),
            source: batch.source,
            target: batch.target,
        };
        self.outbox.message(self.count, Message::OpenLink(Box::new(request)));
    }

    /// A link to the target is open, or could not be opened.
    pub(in super::super) fn take_link(&mut self, io: &mut Io<Message>, outcome: LinkOutcome) {
        let now_us = self.now(io).monotonic_us;
        let is_wanted = |departure: &mut Departure| {
            departure.id() == outcome.batch && departure.attempt == outcome.attempt
        };
        let Some(mut departure) = self.moves.departures.under_way.take_if(is_wanted) else { return };
        let sockets = outcome.sockets.and_then(|sockets| {
            let copies = sockets.iter().map(OwnedFd::try_clone).collect::<Result<Vec<_>, _>>();
            copies.map(|copies| (sockets, copies)).map_err(|error| error.to_string())
        });
        let mut is_open = true;
        match sockets {
            Err(error) => {
                log::warning(format_args!("Move {}: {error}", departure.id()));
                is_open = false;
            }
            Ok((sockets, copies)) => {
                departure.sockets = copies;
                for (lane, socket) in Lane::ALL.into_iter().zip(sockets) {
                    match io.adopt(socket) {
                        Ok(id) => drop(departure.wires.put(lane, Wire::Socket(id))),
                        Err(_) => is_open = false,
                    }
                }
            }
        }
        if !is_open {
            self.disconnect(io, &mut departure);
        }
        for lane in Lane::ALL {
            if is_open {
                departure.machine.connected(lane, now_us);
            } else {
                departure.machine.disconnected(lane, now_us);
            }
        }
        // The sockets are new, and know of no pace.
        self.moves.departures.pace.is_stale = true;
        self.moves.departures.under_way = Some(departure);
    }

    fn disconnect(&mut self, io: &mut Io<Message>, departure: &mut Departure) {
        // What is being opened is of no use any more.
        departure.attempt += 1;
        departure.sockets.clear();
        for wire in departure.wires.take() {
            self.close_wire(io, End::Source, wire);
        }
    }

    /// Brings the caps in line with settings, with the moves of other cores, and with what the target allows.
    fn pace_departure(&mut self, departure: &mut Departure, now_us: u64) {
        let is_remote = departure.core.is_none();
        let config = &self.core.config;
        let node_max = if is_remote { self.shared.links.outgoing_share(config.link_rate_max) } else { 0 };
        let own_max = config.migration_rate_max;
        let allowed = departure.machine.rate_max();
        let pace = &mut self.moves.departures.pace;
        let changed = pace.set([node_max, own_max], allowed, now_us);
        if changed {
            let rate = pace.wire_rate();
            departure.sockets.iter().for_each(|socket| whimbrel_net::pace(socket, rate));
        }
    }

    /// Hands what the machine has made to the wires. What a full one does not take stays there, and the machine makes no
    /// more for it; the other lane goes on.
    fn send_output(&mut self, io: &mut Io<Message>, departure: &mut Departure) {
        for lane in Lane::ALL {
            let Some(wire) = departure.wires.get(lane) else { continue };
            let output = departure.machine.output(lane);
            if output.is_empty() {
                continue;
            }
            if let Wire::Socket(id) = wire
                && io.output_pending_bytes(id) >= self.moves.departures.pace.pending_bytes_max()
            {
                io.notify_drained(id);
                continue;
            }
            let bytes = std::mem::replace(output, self.moves.buffers.take());
            self.moves.departures.pace.spend(bytes.len());
            self.send_on_wire(io, End::Source, wire, bytes);
        }
    }

    fn note_departure(&mut self, io: &Io<Message>, departure: &mut Departure) {
        let now = self.now(io);
        let progress = departure.machine.progress();
        let Some(job) = self.moves.departures.jobs.front_mut() else { return };
        if !progress.phase.is_over() && job.note_phase(progress.phase, now.unix_s()) {
            log::verbose(format_args!("Move {}: {}", departure.id(), progress.phase));
        }
    }

    /// Bytes, or the end, of a wire that this core is the source of.
    pub(super) fn take_answer(&mut self, io: &mut Io<Message>, wire: Wire, part: Part) {
        let now = self.now(io);
        let Some(mut departure) = self.moves.departures.under_way.take() else { return };
        if let Some(lane) = departure.wires.lane_of(wire) {
            let is_well = match part {
                Part::Bytes(bytes) => {
                    self.moves.departures.pace.note_answer();
                    let received = departure.machine.receive(lane, &bytes, now.monotonic_us);
                    if let Err(error) = &received {
                        log::warning(format_args!("Move {}: its link is closed: {error}", departure.id()));
                    }
                    if let Some(job) = self.moves.departures.jobs.front_mut() {
                        job.note_answer(now.unix_s());
                    }
                    received.is_ok()
                }
                Part::Open | Part::Spent(_) | Part::Close => false,
            };
            if !is_well {
                self.disconnect(io, &mut departure);
                departure.machine.disconnected(lane, now.monotonic_us);
            }
        }
        self.moves.departures.under_way = Some(departure);
    }
}
