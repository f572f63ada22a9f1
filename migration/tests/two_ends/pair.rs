//! A source and a target with real shards, the wires between them, and a map store: everything that a batch meets, in one
//! thread and under a clock that the test moves.

use std::collections::{BTreeMap, VecDeque};

use whimbrel_engine::key::{HashSeed, SlotId};
use whimbrel_engine::shard::{Expiry, Key, Shard, ShardLimits};
use whimbrel_engine::topology::{HeirId, NodeId};
use whimbrel_migration::{
    Action, Batch, BatchId, Greeting, Hold, Incarnation, Incoming, IncomingAction, IncomingSettings, Lane,
    MapNews, MoveId, Outcome, Outgoing, OutgoingSettings,
};

const SEED: HashSeed = HashSeed(7);

/// Tags of the slots; the last one stays.
pub const TAGS: [&str; 4] = ["a", "b", "c", "stays"];

/// Keys of each tag that writes choose from.
pub const KEYS: usize = 12;

/// Who owns the slots, as the store keeps it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    Source,
    Target,
}

/// One direction of a connection.
#[derive(Default)]
struct Wire {
    bytes: VecDeque<u8>,
}

#[derive(Default)]
struct Connection {
    to_target: Wire,
    to_source: Wire,
    /// At the target, until the hello is there.
    greeting: Option<Greeting>,
    is_up: bool,
}

/// What a write does.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    Set { bytes: usize },
    Delete,
    Field { name: u8 },
    RemoveField { name: u8 },
    Expire,
    ExpireSoon,
    Flush,
}

pub struct Pair {
    pub source: Shard,
    pub target: Shard,
    /// Every write that was acknowledged, and nothing else.
    truth: Shard,
    pub outgoing: Outgoing,
    pub incoming: Option<Incoming>,
    lanes: [Connection; 2],
    wants_connect: bool,
    pub now_us: u64,
    /// What the source asked to wait, and whether that was answered.
    hold: Hold,
    unanswered_hold: Option<Hold>,
    pub owner: Owner,
    /// The heir that the store names, with the incarnation of the target.
    heir: Option<(HeirId, Incarnation)>,
    /// The heir that the store was asked to name.
    appointment: Option<(HeirId, Incarnation)>,
    /// The heir that the source has given its word to, as long as it has not heard what came of that.
    given: Option<HeirId>,
    /// The heir that the target is by the source's word.
    obeyed: Option<HeirId>,
    target_incarnation: Incarnation,
    target_serves: bool,
    target_asks: bool,
    source_is_gone: bool,
    pub ended: Option<Result<(), String>>,
    pub dropped: Vec<String>,
    written: u64,
}

fn shard() -> Shard {
    Shard::new(SEED, ShardLimits::default()).expect("address space")
}

pub fn slots() -> Vec<SlotId> {
    TAGS[..3].iter().map(|tag| SlotId::of(tag.as_bytes())).collect()
}

pub fn settings() -> OutgoingSettings {
    OutgoingSettings {
        incarnation: Incarnation(1),
        slots_concurrent_max: 2,
        run_bytes: 512,
        snapshot_window_bytes: 4 * 1024,
        delta_window_bytes: 4 * 1024,
        ..OutgoingSettings::default()
    }
}

impl Pair {
    /// A batch of three slots with `keys` keys each.
    pub fn new(keys: usize, settings: OutgoingSettings) -> Pair {
        let batch = Batch {
            id: BatchId { job: MoveId(9), number: 0 },
            source: NodeId::derived(1, 0),
            target: NodeId::derived(1, 1),
            slots: slots(),
        };
        let now_us = 1_000_000;
        let mut pair = Pair {
            source: shard(),
            target: shard(),
            truth: shard(),
            outgoing: Outgoing::new(batch, settings, now_us),
            incoming: None,
            lanes: Default::default(),
            wants_connect: false,
            now_us,
            hold: Hold::None,
            unanswered_hold: None,
            owner: Owner::Source,
            heir: None,
            appointment: None,
            given: None,
            obeyed: None,
            target_incarnation: Incarnation(100),
            target_serves: false,
            target_asks: false,
            source_is_gone: false,
            ended: None,
            dropped: Vec::new(),
            written: 0,
        };
        for tag in TAGS {
            for number in 0..keys {
                pair.write(tag, number, Change::Set { bytes: 40 + number % 300 });
            }
            pair.write(tag, keys, Change::Field { name: 0 });
        }
        pair
    }

    /// Writes as a client would: at whoever serves the slot. `false` if the client has to wait.
    pub fn write(&mut self, tag: &str, number: usize, change: Change) -> bool {
        let moves = TAGS[..3].contains(&tag);
        let at_source = !moves || self.source_serves(Hold::None);
        let at_target = moves && self.target_serves;
        assert!(!(moves && at_source && at_target), "two cores serve one slot");
        self.written += 1;
        let now_ms = self.now_us / 1000;
        let name = format!("{{{tag}}}{number}");
        let shards = match (at_source, at_target) {
            (true, _) => [&mut self.source, &mut self.truth],
            (_, true) => [&mut self.target, &mut self.truth],
            _ => return false,
        };
        for shard in shards {
            change_key(shard, name.as_bytes(), change, self.written, now_ms);
        }
        true
    }

    /// Whether the source serves what waits only above this level.
    fn source_serves(&self, hold: Hold) -> bool {
        self.given.is_none() && self.owner == Owner::Source && self.hold <= hold
    }

    /// Reads as a client would; what has expired goes by that. `false` if the client has to wait.
    pub fn read(&mut self, tag: &str, number: usize) -> bool {
        let moves = TAGS[..3].contains(&tag);
        let name = format!("{{{tag}}}{number}");
        let key = Key::new(name.as_bytes(), SEED);
        let shard = match () {
            () if !moves || self.source_serves(Hold::Writes) => &mut self.source,
            () if self.target_serves => &mut self.target,
            () => return false,
        };
        let now_ms = self.now_us / 1000;
        let found = shard.find(&key, now_ms).is_some();
        assert_eq!(found, self.truth.find(&key, now_ms).is_some(), "{name}");
        true
    }

    /// Lets the source go on for so many steps, with so many bytes; how many it sent.
    pub fn step_source(&mut self, steps: usize, bytes_max: usize) -> usize {
        let mut left = steps;
        self.outgoing.advance(&mut self.source, self.now_us, bytes_max, &mut || {
            left = left.saturating_sub(1);
            left > 0
        });
        self.source_actions();
        let mut bytes = 0;
        for lane in Lane::ALL {
            let output = std::mem::take(self.outgoing.output(lane));
            bytes += output.len();
            let connection = &mut self.lanes[lane.index()];
            if connection.is_up {
                connection.to_target.bytes.extend(output);
            }
        }
        bytes
    }

    pub fn source_actions(&mut self) {
        while let Some(action) = self.outgoing.action() {
            match action {
                Action::Connect => {
                    self.hang_up();
                    self.wants_connect = true;
                }
                Action::Disconnect => self.hang_up(),
                Action::Hold(hold) => {
                    self.unanswered_hold = (hold != Hold::None).then_some(hold);
                    // A lower level lets go at once, a higher one holds at once.
                    self.hold = hold;
                }
                Action::Appoint { target } => self.appointment = Some((self.outgoing.heir(), target)),
                Action::Give => {
                    assert_eq!(self.hold, Hold::All, "nothing is served while the word is given");
                    let heir = self.outgoing.heir();
                    assert_eq!(self.heir.map(|(heir, _)| heir), Some(heir), "the map names the heir");
                    self.given = Some(heir);
                    assert!(self.outgoing.give(self.now_us), "nothing has come in between");
                }
                Action::Ended(result) => self.ended = Some(result),
            }
        }
    }

    /// The lanes are gone at the source; the target will notice.
    fn hang_up(&mut self) {
        self.wants_connect = false;
        self.lanes = Default::default();
    }

    /// Opens the lanes if the source asked for it.
    pub fn connect(&mut self) {
        if !std::mem::take(&mut self.wants_connect) {
            return;
        }
        for lane in Lane::ALL {
            self.lanes[lane.index()] =
                Connection { greeting: Some(Greeting::default()), is_up: true, ..Connection::default() };
            self.outgoing.connected(lane, self.now_us);
        }
    }

    /// Cuts the link: bytes on their way are lost, both ends notice.
    pub fn cut(&mut self) {
        let was_up = self.lanes.iter().any(|lane| lane.is_up) || self.wants_connect;
        self.hang_up();
        if was_up {
            self.outgoing.disconnected(Lane::Delta, self.now_us);
            if let Some(incoming) = &mut self.incoming {
                Lane::ALL.into_iter().for_each(|lane| incoming.disconnected(lane, self.now_us));
            }
            self.source_actions();
        }
    }

    /// The link is gone, and only the source has noticed.
    pub fn cut_source(&mut self) {
        if self.lanes.iter().any(|lane| lane.is_up) {
            self.hang_up();
            self.outgoing.disconnected(Lane::Snapshot, self.now_us);
            self.source_actions();
        }
    }

    /// The source's process is gone, with all that it held. The target learns from the map.
    pub fn crash_source(&mut self) {
        self.hang_up();
        if let Some(incoming) = &mut self.incoming {
            Lane::ALL.into_iter().for_each(|lane| incoming.disconnected(lane, self.now_us));
        }
        // What was asked of the store before may still be done; nothing after.
        self.name_heir();
        self.source_is_gone = true;
        for _ in 0..8_000 {
            self.now_us += 5_000;
            self.step_target(64);
            self.target_settles();
            self.tell_target();
            if self.is_quiet() {
                break;
            }
        }
        assert!(self.is_quiet(), "{:?}", self.incoming);
    }

    /// The source's registration has run out, or it has registered anew.
    pub fn lapse_source(&mut self, is_gone: bool) {
        self.source_is_gone = is_gone;
    }

    /// Checks that the target holds everything, or nothing, as the map says.
    pub fn check_target(&self) {
        for tag in &TAGS[..3] {
            let truth = match self.owner {
                Owner::Source => BTreeMap::new(),
                Owner::Target => contents(&self.truth, tag),
            };
            assert_eq!(contents(&self.target, tag), truth);
            assert!(!self.target.is_staged(SlotId::of(tag.as_bytes())));
        }
    }

    /// Delivers up to so many bytes of a lane in each direction.
    pub fn deliver(&mut self, lane: Lane, bytes_max: usize) {
        let connection = &mut self.lanes[lane.index()];
        let count = connection.to_source.bytes.len().min(bytes_max);
        let bytes: Vec<u8> = connection.to_source.bytes.drain(..count).collect();
        if self.outgoing.receive(lane, &bytes, self.now_us).is_err() {
            panic!("the target sends what is malformed");
        }
        self.source_actions();
        let connection = &mut self.lanes[lane.index()];
        let count = connection.to_target.bytes.len().min(bytes_max);
        let bytes: Vec<u8> = connection.to_target.bytes.drain(..count).collect();
        let bytes = match &mut connection.greeting {
            None => bytes,
            Some(greeting) => match greeting.receive(&bytes).expect("the source greets well") {
                None => return,
                Some((hello, rest)) => {
                    connection.greeting = None;
                    assert_eq!(hello.lane, lane);
                    if !self.meet(lane, &hello) {
                        return;
                    }
                    rest
                }
            },
        };
        if let Some(incoming) = &mut self.incoming {
            incoming.receive(lane, &bytes, self.now_us).expect("the source sends what is well-formed");
        }
    }

    fn meet(&mut self, lane: Lane, hello: &whimbrel_migration::Hello) -> bool {
        let settings =
            IncomingSettings { incarnation: self.target_incarnation, ..IncomingSettings::default() };
        let met = match &mut self.incoming {
            Some(incoming) => incoming.connected(lane, hello, self.now_us),
            None => Incoming::new(hello, settings, &mut self.target, self.now_us).and_then(|mut incoming| {
                let met = incoming.connected(lane, hello, self.now_us);
                self.incoming = Some(incoming);
                met
            }),
        };
        if let Err(refusal) = met {
            self.lanes[lane.index()].to_source.bytes.extend(Greeting::refuse(hello, refusal));
            return false;
        }
        true
    }

    /// The source goes on, the target hears it and goes on, and the source hears that.
    pub fn exchange(&mut self, source_steps: usize, target_steps: usize) {
        self.step_source(source_steps, usize::MAX);
        Lane::ALL.into_iter().for_each(|lane| self.deliver(lane, usize::MAX));
        self.step_target(target_steps);
        Lane::ALL.into_iter().for_each(|lane| self.deliver(lane, usize::MAX));
    }

    /// Lets the target go on for so many steps.
    pub fn step_target(&mut self, steps: usize) {
        let Some(incoming) = &mut self.incoming else { return };
        let mut left = steps;
        incoming.advance(&mut self.target, self.now_us, &mut || {
            left = left.saturating_sub(1);
            left > 0
        });
        for lane in Lane::ALL {
            let output = std::mem::take(incoming.output(lane));
            let connection = &mut self.lanes[lane.index()];
            if connection.is_up && connection.greeting.is_none() {
                connection.to_source.bytes.extend(output);
            }
        }
        let mut is_over = false;
        while let Some(action) = self.incoming.as_mut().and_then(Incoming::action) {
            match action {
                // What is withdrawn is told to the store in `target_settles`.
                IncomingAction::Hold | IncomingAction::Release | IncomingAction::Withdraw => {}
                IncomingAction::Adopt { map } => assert_eq!(map, b"the map"),
                IncomingAction::Promote => {
                    let heir = self.incoming.as_ref().expect("it has just promoted").heir();
                    let is_heir = self.heir == Some((heir, self.target_incarnation));
                    assert!(is_heir || self.owner == Owner::Target, "the map says so first");
                    self.obeyed = Some(heir);
                    self.target_serves = true;
                }
                IncomingAction::Dropped { reason } => {
                    assert_ne!(self.owner, Owner::Target, "what was committed is not dropped: {reason}");
                    assert!(!self.target_serves, "what is served is not dropped: {reason}");
                    self.dropped.push(reason);
                    is_over = true;
                }
                IncomingAction::Disconnect => self.cut(),
                IncomingAction::AskMap => self.target_asks = true,
            }
        }
        if is_over {
            self.incoming = None;
        }
    }

    /// Answers the last hold.
    pub fn answer_hold(&mut self) {
        if let Some(hold) = self.unanswered_hold.take() {
            self.outgoing.held(hold, self.now_us);
        }
    }

    /// Lets the store do what it was asked for, unless something else has changed the map before; the answer may be lost, and
    /// then it is asked once more.
    pub fn step_store(&mut self, grants: bool, answers: bool) {
        if let Some((heir, _)) = self.appointment {
            if grants {
                self.name_heir();
            }
            let is_named = self.heir.is_some_and(|(named, _)| named == heir);
            let waits = self.heir.is_some() && !is_named;
            if answers && !waits {
                self.appointment = None;
                let map =
                    if is_named { Ok(&b"the map"[..]) } else { Err("the target is another one".to_owned()) };
                if self.outgoing.heir() == heir {
                    self.outgoing.appointed(map);
                }
            }
        }
        if grants {
            self.source_settles();
            self.target_settles();
        }
        if answers {
            self.tell_source();
        }
    }

    /// Names the heir that was asked for, if it may be.
    fn name_heir(&mut self) {
        let Some((heir, target)) = self.appointment else { return };
        if self.heir.is_none() && target == self.target_incarnation && self.owner == Owner::Source {
            self.heir = Some((heir, target));
        }
    }

    /// The source asks the store to commit what it gave, and to name no heir that it has given up.
    fn source_settles(&mut self) {
        let Some((heir, _)) = self.heir else { return };
        if self.given == Some(heir) {
            (self.owner, self.heir) = (Owner::Target, None);
        } else if !(self.outgoing.has_heir() && self.outgoing.heir() == heir) {
            self.heir = None;
        }
    }

    /// The target asks the store to commit what it was given, and not to name it as heir of what it has dropped.
    pub fn target_settles(&mut self) {
        let Some((heir, _)) = self.heir.filter(|(_, target)| *target == self.target_incarnation) else {
            return;
        };
        let is_kept = self
            .incoming
            .as_ref()
            .is_some_and(|incoming| incoming.heir() == heir && incoming.is_kept() && !incoming.withdraws());
        if self.obeyed == Some(heir) {
            (self.owner, self.heir) = (Owner::Target, None);
        } else if !is_kept {
            self.heir = None;
        }
    }

    /// The store never did what it was asked for, and is not asked again.
    pub fn lose_appointment(&mut self) {
        if self.appointment.take().is_some() {
            self.outgoing.appointed(Err("the store cannot be reached".to_owned()));
        }
    }

    /// The source hears of the map.
    fn tell_source(&mut self) {
        let named = self.heir.map(|(heir, _)| heir);
        if self.given.is_some() && named != self.given {
            self.given = None;
            let outcome = match self.owner {
                Owner::Target => Outcome::Committed,
                Owner::Source => Outcome::Refused { reason: "the target had dropped the slots".to_owned() },
            };
            self.outgoing.outcome(outcome, self.now_us);
        } else if self.appointment.is_none() && named != Some(self.outgoing.heir()) {
            self.outgoing.withdrawn();
        }
        self.source_actions();
    }

    /// Tells the target what the map says.
    pub fn tell_target(&mut self) {
        if std::mem::take(&mut self.target_asks)
            && let Some(incoming) = &mut self.incoming
        {
            let owner_is_me = self.owner == Owner::Target;
            let is_no_heir = self.heir != Some((incoming.heir(), self.target_incarnation));
            let source_is_gone = self.source_is_gone;
            incoming.map_changed(MapNews { owner_is_me, source_is_gone, is_no_heir });
        }
    }

    /// The target's process starts again, empty.
    pub fn restart_target(&mut self) {
        if self.owner == Owner::Target || self.outgoing.is_given() {
            // What a crash loses after the word is not the protocol's to keep.
            return;
        }
        self.target = shard();
        self.incoming = None;
        self.target_asks = false;
        self.target_incarnation.0 += 1;
        self.cut();
    }

    /// Everything works for a while.
    pub fn settle(&mut self) {
        for _ in 0..8_000 {
            self.round();
            if self.ended.is_some() && self.heir.is_none() && self.is_quiet() {
                return;
            }
        }
        panic!("it does not come to an end: {:?}", self.outgoing.progress());
    }

    /// One round in which everything works.
    pub fn round(&mut self) {
        self.now_us += 5_000;
        self.connect();
        for _ in 0..4 {
            self.exchange(64, 64);
            self.answer_hold();
            self.step_store(true, true);
            self.tell_target();
        }
        let is_sent = self.lanes.iter().all(|lane| lane.to_target.bytes.is_empty());
        if self.ended.is_some() && is_sent {
            self.cut();
        }
    }

    fn is_quiet(&self) -> bool {
        match self.owner {
            Owner::Target => self.target_serves && (self.source_is_gone || self.ended.is_some()),
            Owner::Source => self.incoming.is_none(),
        }
    }

    /// Checks that every acknowledged write is where the owner is, and nothing anywhere else.
    pub fn check(&self) {
        let (owner, other) = match self.owner {
            Owner::Source => (&self.source, &self.target),
            Owner::Target => (&self.target, &self.source),
        };
        for tag in TAGS {
            let truth = contents(&self.truth, tag);
            let place = if tag == "stays" { &self.source } else { owner };
            assert_eq!(contents(place, tag), truth, "{tag} at {:?}", self.owner);
            assert_eq!(place.slot_keys(SlotId::of(tag.as_bytes())), truth.len() as u64);
        }
        for slot in slots() {
            assert_eq!(other.slot_keys(slot), 0);
            assert!(!self.source.is_staged(slot) && !self.target.is_staged(slot));
        }
        assert_eq!(self.source.forks_open(), 0);
        assert_eq!(self.source.all_queued_delta_bytes(), 0);
        assert_eq!((self.hold, self.heir), (Hold::None, None));
    }
}

fn change_key(shard: &mut Shard, name: &[u8], change: Change, written: u64, now_ms: u64) {
    if matches!(change, Change::Flush) {
        return shard.flush_slot(SlotId::of(name));
    }
    let key = Key::new(name, SEED);
    let is_text = shard.peek(&key, now_ms).is_none_or(|entry| entry.text().is_some());
    let mut write = shard.write(&key, now_ms);
    match change {
        Change::Set { bytes } => {
            let value = written.to_le_bytes().repeat(bytes.div_ceil(8));
            write.set(&value, Expiry::Clear).expect("room");
        }
        Change::Delete => drop(write.remove().expect("room")),
        Change::Field { name } => {
            if is_text {
                write.remove().expect("room");
            }
            let value = written.to_le_bytes().repeat(1 + usize::from(name) * 3);
            write.hash_set(&[b'f', name], &value, Expiry::Clear).expect("room");
        }
        Change::RemoveField { name } if !is_text => drop(write.hash_remove(&[b'f', name]).expect("room")),
        Change::Expire => drop(write.set_expiry(Some(now_ms + 1_000_000)).expect("room")),
        Change::ExpireSoon => drop(write.set_expiry(Some(now_ms + 4)).expect("room")),
        Change::RemoveField { .. } | Change::Flush => {}
    }
}

/// The value of a key as text: a string, or fields in their order.
fn contents(shard: &Shard, tag: &str) -> BTreeMap<String, String> {
    let mut contents = BTreeMap::new();
    for number in 0..400 {
        let name = format!("{{{tag}}}{number}");
        let Some(entry) = shard.peek(&Key::new(name.as_bytes(), SEED), 0) else { continue };
        let mut text = format!("{:?} ", entry.expires_at_ms());
        if let Some(string) = entry.text() {
            text.push_str(&format!("{:?}", string.bytes()));
        }
        if let Some(hash) = entry.hash() {
            let mut fields = BTreeMap::new();
            hash.for_each(|field| drop(fields.insert(field.name.to_vec(), field.value.bytes().into_owned())));
            text.push_str(&format!("{fields:?}"));
        }
        contents.insert(name, text);
    }
    contents
}
