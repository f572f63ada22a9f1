//! Everything that can happen in a run.

use std::rc::Rc;

use whimbrel_engine::key::SlotId;
use whimbrel_engine::topology::HeirId;
use whimbrel_migration::{BatchId, Hold, MoveId};

use crate::clients::{Command, Reply};
use crate::network::{ConnectionId, End};
use crate::store::{Ask, AskId, Heir, SlotMap, Told, View};

/// A command on its way.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asked.
    pub client: usize,
    /// Which of its connections: a new one after each time-out.
    pub connection: u64,
    /// The number of the command at that client, from 1.
    pub number: u64,
    /// What was asked.
    pub command: Command,
    /// The core that was asked.
    pub origin: usize,
}

/// A job that an operator asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Names the job.
    pub id: MoveId,
    /// The core that the slots go to.
    pub target: usize,
    /// The slots.
    pub slots: Vec<SlotId>,
    /// Slots of a batch.
    pub batch_slots: usize,
}

/// What a core is told by others than the network.
#[derive(Clone, Debug)]
pub enum Input {
    /// A connection that it asked for is there, or is not.
    Dialled { connection: ConnectionId, refused: bool },
    /// Bytes have arrived.
    Bytes(ConnectionId, End),
    /// A connection is gone.
    Lost(ConnectionId, End),
    /// A client asks.
    Request(Request),
    /// Another core of the process passes a command on.
    Forwarded(Request),
    /// A client has gone away.
    Forget { client: usize, number: u64 },
    /// The map that names an heir, or why there is none.
    Appointed { heir: HeirId, map: Result<Rc<SlotMap>, String> },
    /// A deliberate fault: the store does not say what became of a word, so it is taken back.
    TakeBack(HeirId),
    /// The map as the process knows it now.
    Map(View),
    /// The map as it was read for a batch.
    MapRead { batch: BatchId, view: View },
    /// An operator wants slots to go.
    Begin(Job),
    /// An operator has changed their mind.
    Cancel(MoveId),
    /// Another core of the process wants commands to wait where their connections are.
    HoldAtOrigin {
        source: usize,
        batch: BatchId,
        number: u64,
        hold: Hold,
        slots: Rc<[SlotId]>,
        map: Rc<SlotMap>,
        /// The heir that the slots went to, when the hold ends by that.
        given: Option<HeirId>,
    },
    /// They wait.
    HeldAtOrigin { batch: BatchId, number: u64 },
    /// Another core of the process serves what came to it as this heir.
    Settled(HeirId),
}

/// What a core wants of its process' housekeeping.
#[derive(Clone, Debug)]
pub enum Order {
    /// Name an heir.
    Appoint { id: HeirId, heir: Heir },
    /// An heir has taken its slots: the word was given, or obeyed.
    Commit { id: HeirId, source: usize, target: usize },
    /// Name this heir no more.
    Withdraw { id: HeirId },
    /// Read the map for a batch.
    ReadMap { batch: BatchId },
}

/// Something that happens.
#[derive(Clone, Debug)]
pub enum Event {
    /// A core has time.
    Turn { core: usize, number: u64 },
    /// A core of this life of its process is told something.
    Tell { core: usize, life: u64, input: Input },
    /// A connection was made, or was not.
    Dialled { connection: ConnectionId, refused: bool },
    /// Bytes arrive at an end.
    Arrived { connection: ConnectionId, end: End },
    /// An end hears that its connection is gone.
    Lost { connection: ConnectionId, end: End },
    /// A request arrives at the store.
    Asked { process: usize, id: AskId, ask: Ask },
    /// An answer of the store arrives.
    Answered { process: usize, id: AskId, told: Told },
    /// An answer of the store is not waited for any longer.
    Unanswered { process: usize, id: AskId },
    /// A change of the store is heard of.
    News { process: usize, life: u64, view: View },
    /// A core wants something of its process' housekeeping.
    Ordered { core: usize, life: u64, order: Order },
    /// A process keeps its lease alive.
    Keep { process: usize, life: u64 },
    /// The store looks for leases that have run out.
    Leases,
    /// A client goes on.
    Client { client: usize },
    /// A client is answered.
    Reply { client: usize, number: u64, reply: Reply },
    /// A client waits no longer.
    GiveUp { client: usize, number: u64 },
    /// The operator does something.
    Operate,
    /// Something goes wrong.
    Mischief,
    /// A process crashes, if it is still in this life.
    Crash { process: usize, life: u64 },
    /// A process stands still for a while, cut off from another one.
    Strand { source: usize, target: usize, until_us: u64 },
    /// A process begins again.
    Restart { process: usize },
    /// Has everything come to rest?
    Look,
}

impl Event {
    /// A number for what it is.
    pub fn kind(&self) -> u64 {
        match self {
            Event::Turn { .. } => 1,
            Event::Tell { .. } => 2,
            Event::Dialled { .. } => 3,
            Event::Arrived { .. } => 4,
            Event::Lost { .. } => 5,
            Event::Asked { .. } => 6,
            Event::Answered { .. } => 7,
            Event::Unanswered { .. } => 8,
            Event::News { .. } => 9,
            Event::Ordered { .. } => 10,
            Event::Keep { .. } => 11,
            Event::Leases => 12,
            Event::Client { .. } => 13,
            Event::Reply { .. } => 14,
            Event::GiveUp { .. } => 15,
            Event::Operate => 16,
            Event::Mischief => 17,
            Event::Restart { .. } => 18,
            Event::Look => 19,
            Event::Crash { .. } => 20,
            Event::Strand { .. } => 21,
        }
    }
}
