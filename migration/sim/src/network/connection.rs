//! Connections between cores, and what each end believes of them.

use std::collections::BTreeMap;

use super::stream::{Sent, Stream, StreamNature};
use crate::agenda::Agenda;
use crate::dice::Dice;
use crate::event::Event;
use crate::totals::Totals;

/// Names a connection. Numbers are never used again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnectionId(pub u64);

/// An end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The core that asked for the connection.
    Dialer,
    /// The core that accepted it.
    Acceptor,
}

impl End {
    fn index(self) -> usize {
        self as usize
    }

    /// The end on the other side.
    pub fn other(self) -> End {
        match self {
            End::Dialer => End::Acceptor,
            End::Acceptor => End::Dialer,
        }
    }
}

/// What connections of a run are like, and what may go wrong with them. Chances are in a million, for each connection.
#[derive(Clone, Debug)]
pub struct NetworkNature {
    /// Least delay of a link, at most this.
    pub delay_us: u64,
    /// Most jitter of a link.
    pub jitter_us: u64,
    /// Slowest line, in bytes per second.
    pub bandwidth_min: u64,
    /// Most bytes under way.
    pub buffer_bytes: usize,
    /// A connection is cut behind some byte.
    pub cuts: u64,
    /// A cut comes behind about so many bytes.
    pub cut_behind_max: u64,
    /// A bit flips somewhere.
    pub spoils: u64,
    /// A connection cannot be made.
    pub refusals: u64,
    /// An end hears very late that its connection is gone.
    pub half_opens: u64,
    /// How late that is, at most.
    pub half_open_us: u64,
}

#[derive(Debug)]
struct Connection {
    cores: [usize; 2],
    /// The bytes that an end sends.
    sent_by: [Stream; 2],
    /// Whether an end has neither closed the connection nor heard that it is gone.
    open: [bool; 2],
    /// Between cores of one process nothing goes wrong.
    is_local: bool,
}

/// All connections.
#[derive(Debug)]
pub struct Network {
    nature: NetworkNature,
    connections: BTreeMap<ConnectionId, Connection>,
    last: u64,
    dice: Dice,
    /// Pairs of processes between which nothing gets through, until when.
    partitions: BTreeMap<(usize, usize), u64>,
    arrivals: Vec<u64>,
    is_calm: bool,
}

impl Network {
    /// A network without connections.
    pub fn new(nature: NetworkNature, dice: Dice) -> Network {
        Network {
            nature,
            connections: BTreeMap::new(),
            last: 0,
            dice,
            partitions: BTreeMap::new(),
            arrivals: Vec::new(),
            is_calm: false,
        }
    }

    /// From now on nothing goes wrong with new connections.
    pub fn calm(&mut self) {
        self.is_calm = true;
        self.partitions.clear();
    }

    fn stream(&mut self, is_local: bool, totals: &mut Totals) -> Stream {
        let nature = &self.nature;
        if is_local {
            return Stream::new(StreamNature {
                delay_us: 1,
                jitter_us: 20,
                bandwidth: 2_000_000_000,
                segment_bytes_max: 64 * 1024,
                buffer_bytes: nature.buffer_bytes,
                cut_behind: None,
                spoilt: None,
            });
        }
        let dice = &mut self.dice;
        let mut fault = |chance: u64, count: &mut u64| {
            let happens = !self.is_calm && dice.happens(chance);
            let at = happens.then(|| dice.skewed(0..nature.cut_behind_max));
            *count += u64::from(happens);
            at
        };
        let cut_behind = fault(nature.cuts, &mut totals.faults.cuts);
        let spoilt = fault(nature.spoils, &mut totals.faults.spoilt_bits);
        Stream::new(StreamNature {
            delay_us: 10 + dice.skewed(1..nature.delay_us + 2),
            jitter_us: dice.skewed(0..nature.jitter_us + 1),
            bandwidth: dice.skewed(nature.bandwidth_min..nature.bandwidth_min * 1000),
            segment_bytes_max: dice.skewed(16..64 * 1024) as usize,
            buffer_bytes: nature.buffer_bytes,
            cut_behind,
            spoilt,
        })
    }

    /// Asks for a connection; `Event::Dialled` tells how that went.
    pub fn dial(
        &mut self,
        [from, to]: [usize; 2],
        processes: [usize; 2],
        agenda: &mut Agenda<Event>,
        totals: &mut Totals,
    ) -> ConnectionId {
        self.last += 1;
        let id = ConnectionId(self.last);
        let is_local = processes[0] == processes[1];
        let sent_by = [self.stream(is_local, totals), self.stream(is_local, totals)];
        let refused = !is_local
            && !self.is_calm
            && (self.dice.happens(self.nature.refusals) || self.is_parted(processes, agenda.now_us()));
        totals.faults.refused_connections += u64::from(refused);
        let connection = Connection { cores: [from, to], sent_by, open: [true, true], is_local };
        self.connections.insert(id, connection);
        let delay_us = if is_local { 5 } else { 30 + self.dice.skewed(1..self.nature.delay_us * 2 + 2) };
        agenda.after(delay_us, Event::Dialled { connection: id, refused });
        id
    }

    fn is_parted(&self, [one, other]: [usize; 2], now_us: u64) -> bool {
        let pair = (one.min(other), one.max(other));
        self.partitions.get(&pair).is_some_and(|until| *until > now_us)
    }

    /// The core at an end.
    pub fn core(&self, id: ConnectionId, end: End) -> Option<usize> {
        self.connections.get(&id).map(|connection| connection.cores[end.index()])
    }

    /// Whether an end takes its connection for open.
    pub fn is_open(&self, id: ConnectionId, end: End) -> bool {
        self.connections.get(&id).is_some_and(|connection| connection.open[end.index()])
    }

    /// Bytes that an end may send before it has to wait.
    pub fn room(&self, id: ConnectionId, end: End) -> usize {
        self.connections.get(&id).map_or(0, |connection| connection.sent_by[end.index()].room())
    }

    /// Sends bytes from an end.
    pub fn send(&mut self, id: ConnectionId, end: End, bytes: &[u8], agenda: &mut Agenda<Event>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if bytes.is_empty() || !connection.open[end.index()] {
            return;
        }
        let stream = &mut connection.sent_by[end.index()];
        self.arrivals.clear();
        let sent = stream.send(bytes, agenda.now_us(), &mut self.dice, &mut self.arrivals);
        let last_us = stream.last_us();
        for at_us in self.arrivals.drain(..) {
            agenda.at(at_us, Event::Arrived { connection: id, end: end.other() });
        }
        if sent == Sent::Cut {
            connection.sent_by[end.other().index()].cut();
            self.tell_lost(id, end.other(), last_us, agenda);
            self.tell_lost(id, end, agenda.now_us(), agenda);
        }
    }

    /// Takes what has arrived at an end.
    pub fn take(&mut self, id: ConnectionId, end: End, now_us: u64, into: &mut Vec<u8>) {
        if let Some(connection) = self.connections.get_mut(&id)
            && connection.open[end.index()]
        {
            connection.sent_by[end.other().index()].take(now_us, into);
        }
    }

    /// An end closes its connection; what it sent before still arrives.
    pub fn close(&mut self, id: ConnectionId, end: End, agenda: &mut Agenda<Event>) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        if !std::mem::take(&mut connection.open[end.index()]) {
            return;
        }
        connection.sent_by[end.other().index()].cut();
        let last_us = connection.sent_by[end.index()].last_us();
        if connection.open[end.other().index()] {
            self.tell_lost(id, end.other(), last_us, agenda);
        } else {
            self.connections.remove(&id);
        }
    }

    /// An end has heard that its connection is gone.
    pub fn lost(&mut self, id: ConnectionId, end: End) -> bool {
        let Some(connection) = self.connections.get_mut(&id) else { return false };
        let was_open = std::mem::take(&mut connection.open[end.index()]);
        if !connection.open[end.other().index()] {
            self.connections.remove(&id);
        }
        was_open
    }

    /// A core is gone with its process: it closes nothing any more; the kernel, or nobody, tells the other ends.
    pub fn core_gone(&mut self, core: usize, agenda: &mut Agenda<Event>) {
        let all: Vec<(ConnectionId, [usize; 2])> =
            self.connections.iter().map(|(id, connection)| (*id, connection.cores)).collect();
        for (id, cores) in all {
            for end in [End::Dialer, End::Acceptor] {
                if cores[end.index()] == core {
                    self.close(id, end, agenda);
                }
            }
        }
    }

    /// Cuts every connection between two processes at once, and lets none be made for a while.
    pub fn part(&mut self, processes: [&[usize]; 2], names: [usize; 2], us: u64, agenda: &mut Agenda<Event>) {
        let pair = (names[0].min(names[1]), names[0].max(names[1]));
        self.partitions.insert(pair, agenda.now_us() + us);
        let between = |cores: [usize; 2]| {
            (processes[0].contains(&cores[0]) && processes[1].contains(&cores[1]))
                || (processes[0].contains(&cores[1]) && processes[1].contains(&cores[0]))
        };
        let cut: Vec<ConnectionId> = self
            .connections
            .iter()
            .filter(|(_, connection)| !connection.is_local && between(connection.cores))
            .map(|(id, _)| *id)
            .collect();
        for id in cut {
            let connection = self.connections.get_mut(&id).expect("it was just seen");
            connection.sent_by.iter_mut().for_each(Stream::cut);
            self.tell_lost(id, End::Dialer, agenda.now_us(), agenda);
            self.tell_lost(id, End::Acceptor, agenda.now_us(), agenda);
        }
    }

    /// Lets an end hear that its connection is gone: soon, or, half-open, very late.
    fn tell_lost(&mut self, id: ConnectionId, end: End, from_us: u64, agenda: &mut Agenda<Event>) {
        let is_local = self.connections.get(&id).is_some_and(|connection| connection.is_local);
        let half_open = !is_local && !self.is_calm && self.dice.happens(self.nature.half_opens);
        let late_us = if half_open { self.nature.half_open_us } else { 2_000 };
        agenda.at(from_us + self.dice.skewed(1..late_us + 2), Event::Lost { connection: id, end });
    }
}
