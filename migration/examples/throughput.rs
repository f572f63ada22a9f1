//! How many bytes a second each side of a batch manages on one core: `cargo run --release -p whimbrel-migration --example
//! throughput [keys] [value bytes]`.

#![expect(clippy::print_stdout, reason = "it is there to be read")]

use std::time::{Duration, Instant};

use whimbrel_engine::key::{HashSeed, SlotId};
use whimbrel_engine::shard::{Expiry, Shard, ShardLimits};
use whimbrel_engine::topology::NodeId;
use whimbrel_migration::{
    Action, Batch, BatchId, Greeting, Incarnation, Incoming, IncomingSettings, Lane, MoveId, Outcome,
    Outgoing, OutgoingSettings,
};

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let (keys, value_bytes) = (arguments.next().unwrap_or(1_000_000), arguments.next().unwrap_or(512));
    let mut source = Shard::new(HashSeed(1), ShardLimits::default()).expect("address space");
    let mut target = Shard::new(HashSeed(1), ShardLimits::default()).expect("address space");
    let value = vec![b'v'; value_bytes];
    let mut slots = vec![false; whimbrel_engine::key::SLOT_COUNT];
    for number in 0..keys {
        let name = format!("key:{number:012}");
        let key = source.key(name.as_bytes());
        slots[key.slot().number()] = true;
        source.write(&key, 0).set(&value, Expiry::Clear).expect("room");
        // The target's memory is to be touched before: the kernel takes longer to clear it than all else takes.
        target.write(&key, 0).set(&value, Expiry::Clear).expect("room");
    }
    target.flush();
    while target.reclaim(1000) {}
    let slots: Vec<SlotId> =
        (0..slots.len()).filter(|slot| slots[*slot]).filter_map(SlotId::new).take(8192).collect();
    let bytes: u64 = slots.iter().map(|slot| source.slot_bytes(*slot)).sum();
    let batch = Batch {
        id: BatchId { job: MoveId(1), number: 0 },
        source: NodeId::derived(1, 0),
        target: NodeId::derived(1, 1),
        slots,
    };
    run(batch, &mut source, &mut target, bytes);
}

/// The time of each side, and the longest call.
#[derive(Default)]
struct Side {
    busy: Duration,
    longest: Duration,
    calls: u32,
}

impl Side {
    fn time<R>(&mut self, call: impl FnOnce() -> R) -> R {
        let begin = on_core();
        let result = call();
        let took = on_core() - begin;
        self.busy += took;
        self.longest = self.longest.max(took);
        self.calls += 1;
        result
    }
}

/// How long this thread was on a core: other work on the machine does not count.
fn on_core() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0))
}

/// Slices of as long as the process gives to background work.
fn slice() -> impl FnMut() -> bool {
    let end = Instant::now() + Duration::from_micros(50);
    move || Instant::now() < end
}

fn run(batch: Batch, source: &mut Shard, target: &mut Shard, bytes: u64) {
    let began = Instant::now();
    let now_us = || 1 + began.elapsed().as_micros() as u64;
    let settings = OutgoingSettings { incarnation: Incarnation(1), ..OutgoingSettings::default() };
    let mut outgoing = Outgoing::new(batch, settings, now_us());
    let mut incoming: Option<Incoming> = None;
    let mut greetings = [Some(Greeting::default()), Some(Greeting::default())];
    let (mut source_side, mut target_side, mut link_bytes) = (Side::default(), Side::default(), 0);
    'moving: loop {
        source_side.time(|| outgoing.advance(source, now_us(), usize::MAX, &mut slice()));
        while let Some(action) = outgoing.action() {
            match action {
                Action::Connect => Lane::ALL.into_iter().for_each(|lane| outgoing.connected(lane, now_us())),
                Action::Hold(hold) => outgoing.held(hold, now_us()),
                Action::Appoint { .. } => outgoing.appointed(Ok(&[])),
                Action::Give => {
                    assert!(outgoing.give(now_us()), "nothing comes in between");
                    outgoing.outcome(Outcome::Committed, now_us());
                }
                Action::Ended(result) => {
                    result.expect("it moves");
                    break 'moving;
                }
                Action::Disconnect => unreachable!("nothing fails"),
            }
        }
        for lane in Lane::ALL {
            let sent = std::mem::take(outgoing.output(lane));
            link_bytes += sent.len();
            if let Some(incoming) = &mut incoming
                && greetings[lane.index()].is_none()
            {
                target_side.time(|| incoming.receive(lane, &sent, now_us())).expect("frames");
            } else if let Some(greeting) = &mut greetings[lane.index()]
                && let Some((hello, rest)) = greeting.receive(&sent).expect("a hello")
            {
                let settings =
                    IncomingSettings { incarnation: Incarnation(2), ..IncomingSettings::default() };
                let incoming = incoming.get_or_insert_with(|| {
                    Incoming::new(&hello, settings, target, now_us()).expect("empty slots")
                });
                incoming.connected(lane, &hello, now_us()).expect("it is new");
                incoming.receive(lane, &rest, now_us()).expect("frames");
                greetings[lane.index()] = None;
            }
        }
        let Some(incoming) = &mut incoming else { continue };
        target_side.time(|| incoming.advance(target, now_us(), &mut slice()));
        for lane in Lane::ALL {
            let sent = std::mem::take(incoming.output(lane));
            source_side.time(|| outgoing.receive(lane, &sent, now_us())).expect("frames");
        }
    }
    println!("{} keys, {} MB in the arena, {} MB on the link", target.keys(), bytes >> 20, link_bytes >> 20);
    for (name, side) in [("source", &source_side), ("target", &target_side)] {
        let rate = link_bytes as f64 / side.busy.as_secs_f64() / 1e6;
        println!("{name}: {rate:.0} MB/s while busy, {} calls, the longest {:?}", side.calls, side.longest);
    }
    println!("pauses: {:?}", outgoing.progress().pauses);
}
