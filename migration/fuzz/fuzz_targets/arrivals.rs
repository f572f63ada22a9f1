//! Frames of a source, each with a checksum and a number that are right, and payloads of any bytes: the target stands, and no
//! slot but those of the batch is touched.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whimbrel_engine::key::{HashSeed, SlotId};
use whimbrel_engine::shard::{Shard, ShardLimits};
use whimbrel_engine::topology::NodeId;
use whimbrel_migration::frame::{Envelope, Kind, encode_with};
use whimbrel_migration::{Batch, BatchId, Hello, Incarnation, Incoming, IncomingSettings, Lane, MoveId};

fuzz_target!(|input: &[u8]| {
    let mut shard = Shard::new(HashSeed(1), ShardLimits::default()).expect("address space");
    let batch = Batch {
        id: BatchId { job: MoveId(1), number: 0 },
        source: NodeId::derived(1, 0),
        target: NodeId::derived(1, 1),
        slots: vec![SlotId::of(b"a"), SlotId::of(b"b")],
    };
    let mut hello = Hello {
        batch,
        lane: Lane::Delta,
        life: 1,
        connection: 1,
        was_welcome: false,
        source_incarnation: Incarnation(1),
        began_us: 1,
    };
    let mut incoming =
        Incoming::new(&hello, IncomingSettings::default(), &mut shard, 1).expect("empty slots");
    for lane in Lane::ALL {
        hello.lane = lane;
        incoming.connected(lane, &hello, 1).expect("it is the first one");
    }
    let mut numbers = [0, 0];
    let mut rest = input;
    while let Some((head, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::from(head[1]).min(behind.len());
        let payload = &behind[..length];
        rest = &behind[length..];
        let lane = if head[0] & 0x80 == 0 { Lane::Delta } else { Lane::Snapshot };
        let Some(kind) = Kind::of(head[0] & 0x7f) else { continue };
        let mut number = 0;
        if kind.is_numbered() {
            numbers[lane.index()] += 1;
            number = numbers[lane.index()];
        }
        let mut bytes = Vec::new();
        encode_with(kind, Envelope { number, life: 1, connection: 1 }, &mut bytes, |out| {
            out.extend_from_slice(payload);
        });
        if incoming.receive(lane, &bytes, 2).is_err() {
            break;
        }
        incoming.advance(&mut shard, 2, &mut || true);
    }
    assert_eq!(shard.keys(), 0, "nothing of a batch is seen before its seal");
});
