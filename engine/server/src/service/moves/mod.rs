//! Slots that move: what waits for them, and what drives them.
//!
//! The protocol itself is in the `migration` crate, without I/O or clock. Here its machines get time (`turn`), bytes
//! (`wire`), and what they ask for: holds on all cores (`barrier`), heirs in the map (`heirs`), the word (`word`), and the word that the new
//! owner serves (`settling`). A core is the source of one batch at a time (`departure`, `job`) and the target of several (`arrival`).

mod arrival;
mod barrier;
mod buffers;
mod connector;
mod departure;
mod heirs;
mod holds;
mod job;
mod link;
mod notices;
mod pace;
mod settling;
mod tally;
mod turn;
mod wire;
mod word;

use whimbrel_engine::info::Counters;
use whimbrel_net::Io;

use super::CoreService;
use super::message::Message;
pub use connector::{Connector, LinkOutcome, LinkRequest};
pub use heirs::Given;
pub use holds::Level;
pub use pace::LinkUse;
pub use wire::Part;
use wire::Wire;

/// What a core knows of slots on their way.
#[derive(Default)]
pub struct Moves {
    /// Slots whose commands wait here, at the core where they begin, while the slots change hands.
    holds: holds::SlotHolds,
    /// Slots that may be this core's own already, and soon will be known to be, or not to be.
    arriving: holds::SlotHolds,
    barrier: barrier::Barrier,
    settling: settling::Settling,
    departures: departure::Departures,
    arrivals: arrival::Arrivals,
    /// Carry what departs.
    buffers: buffers::LaneBuffers,
    time: turn::MoveTime,
    tally: tally::Tally,
}

impl Moves {
    /// Whether no command has to wait for a move: the usual case.
    #[inline]
    pub fn is_quiet(&self) -> bool {
        self.holds.is_empty() & self.arriving.is_empty()
    }

    /// A command waits for a hand-over.
    pub fn note_held(&mut self) {
        self.tally.note_held();
    }

    /// Longest times count anew.
    pub fn forget_longest(&mut self) {
        self.tally.forget_longest();
    }

    /// Whether slots leave this core, or are going to.
    pub fn has_departures(&self) -> bool {
        !self.departures.is_empty()
    }

    /// Whether there is nothing to do for any move.
    fn is_idle(&self) -> bool {
        self.departures.is_empty()
            && self.arrivals.is_empty()
            && !self.barrier.is_busy()
            && self.settling.is_empty()
    }

    /// Whether clients wait for what this core does next.
    fn is_pressing(&self) -> bool {
        self.departures.is_pressing() || !self.is_quiet()
    }
}

impl CoreService {
    /// Something came on a wire between cores.
    pub(super) fn take_wire(
        &mut self,
        io: &mut Io<Message>,
        core: usize,
        number: u64,
        is_outward: bool,
        part: Part,
    ) {
        let wire = Wire::Core { core, number };
        match part {
            Part::Spent(bytes) => self.moves.buffers.put(bytes),
            part if is_outward => self.take_arrival(io, wire, part),
            part => self.take_answer(io, wire, part),
        }
    }

    /// Brings what is told of moves up to date.
    pub(super) fn observe_moves(&mut self) {
        let mut reports = self.moves.departures.reports();
        reports.extend(self.moves.arrivals.reports());
        self.core.moves.reports = reports;
    }

    /// What moves of this core came to, for INFO.
    pub(super) fn count_moves(&self) -> Counters {
        let moves = &self.moves;
        Counters {
            moves_outgoing: moves.departures.count() as u64,
            moves_incoming: moves.arrivals.count() as u64,
            ..moves.tally.counters(moves.departures.progress().as_ref())
        }
    }
}
