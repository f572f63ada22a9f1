//! Frames that are well-formed and make no sense, in any order: neither side falls over, and neither believes that it may serve.

use proptest::prelude::*;
use whimbrel_engine::key::{HashSeed, SlotId};
use whimbrel_engine::shard::{Effect, Expiry, Shard, ShardLimits};
use whimbrel_engine::topology::NodeId;
use whimbrel_migration::frame::{DeltasHead, Envelope, RunHead, Seal, Welcome};
use whimbrel_migration::{
    Action, Batch, BatchId, Frame, Hello, Hold, Incarnation, Incoming, IncomingAction, IncomingSettings,
    Lane, MoveId, Outgoing, OutgoingSettings, Refusal,
};

const SEED: HashSeed = HashSeed(3);

fn shard() -> Shard {
    Shard::new(SEED, ShardLimits::default()).expect("address space")
}

fn slot(index: usize) -> SlotId {
    SlotId::of([&b"a"[..], b"b", b"other"][index])
}

fn batch() -> Batch {
    Batch {
        id: BatchId { job: MoveId(5), number: 0 },
        source: NodeId::derived(1, 0),
        target: NodeId::derived(1, 1),
        slots: vec![slot(0), slot(1)],
    }
}

/// A run that sets or deletes a key, of a slot that may be another one, or is none at all.
fn run() -> impl Strategy<Value = Vec<u8>> {
    let effects = proptest::collection::vec((0..3usize, any::<bool>(), 0..400usize), 0..6);
    let effects = effects.prop_map(|effects| {
        let mut run = Vec::new();
        for (tag, sets, bytes) in effects {
            let key = format!("{{{}}}{}", ["a", "b", "other"][tag], bytes % 3);
            let value = vec![b'v'; bytes];
            match sets {
                true => {
                    Effect::Set { key: key.as_bytes(), value: &value, expires_at_ms: None, access: None }
                        .push_onto(&mut run);
                }
                false => Effect::Delete { key: key.as_bytes() }.push_onto(&mut run),
            }
        }
        run
    });
    prop_oneof![6 => effects, 1 => proptest::collection::vec(any::<u8>(), 0..60)]
}

#[derive(Clone, Debug)]
struct Sent {
    which: u8,
    slot: usize,
    copy: u16,
    numbers: (u64, u64),
    run: Vec<u8>,
    is_delta: bool,
}

fn sent(kinds: u8) -> impl Strategy<Value = Sent> {
    let number = || prop_oneof![0..4u64, any::<u64>()];
    (0..kinds, 0..3usize, 1..4u16, (number(), number()), run(), any::<bool>()).prop_map(
        |(which, slot, copy, numbers, run, is_delta)| Sent { which, slot, copy, numbers, run, is_delta },
    )
}

impl Sent {
    fn of_source(&self) -> Frame<'_> {
        let head = RunHead { slot: slot(self.slot), copy: self.copy };
        let (one, two) = self.numbers;
        let attempt = one as u32;
        match self.which {
            0 | 1 => Frame::Run { head, run: &self.run },
            2 | 3 => Frame::SlotEnd { head, keys: one },
            4 => Frame::SlotRestart { head },
            5 | 6 => {
                let first = one.max(1);
                let head = DeltasHead { of: head, first, last: first.saturating_add(two % 4) };
                Frame::Deltas { head, run: &self.run }
            }
            7 => Frame::Seal(Seal {
                attempt,
                keys: one,
                deltas: two,
                slots_digest: two,
                snapshot_digest: 0,
                delta_digest: 0,
            }),
            8 => Frame::Resume { attempt },
            9 => Frame::Abort { reason: "no".to_owned() },
            10 => Frame::Yours { attempt },
            11 => Frame::Appointed { map: &self.run },
            _ => Frame::Ping { echo: one },
        }
    }

    fn of_target(&self) -> Frame<'static> {
        let (one, two) = self.numbers;
        match self.which {
            0 | 1 => Frame::Welcome(Welcome {
                incarnation: Incarnation(two % 2),
                expected: one,
                bytes_per_second: two,
            }),
            2 => Frame::Refused(
                [Refusal::Forgotten, Refusal::Busy, Refusal::UnknownTarget, Refusal::Stale]
                    [(two % 4) as usize],
            ),
            3 | 4 => Frame::Ack { expected: one },
            5 => Frame::Rate { bytes_per_second: one },
            6 => Frame::Pong { echo: one },
            7 | 8 => Frame::Sealed { attempt: one as u32 },
            _ => Frame::Failed { reason: "no".to_owned() },
        }
    }
}

proptest! {
    #[test]
    fn a_source_without_sense_cannot_make_the_target_serve(frames in proptest::collection::vec(sent(13), 0..60)) {
        let mut shard = shard();
        let own = shard.key(b"{other}own");
        shard.write(&own, 0).set(b"value", Expiry::Clear).expect("room");
        let mut hello = Hello {
            batch: batch(),
            lane: Lane::Delta,
            life: 1,
            connection: 1,
            was_welcome: false,
            source_incarnation: Incarnation(1),
            began_us: 1,
        };
        let settings = IncomingSettings::default();
        let mut incoming = Incoming::new(&hello, settings, &mut shard, 1).expect("empty slots");
        for lane in Lane::ALL {
            hello.lane = lane;
            incoming.connected(lane, &hello, 1).expect("it is the first one");
        }
        let mut numbers = [0, 0];
        let mut sealed = false;
        for sent in &frames {
            let frame = sent.of_source();
            sealed |= matches!(frame, Frame::Seal(_));
            let lane = if sent.is_delta { Lane::Delta } else { Lane::Snapshot };
            let mut number = 0;
            if frame.kind().is_numbered() {
                numbers[lane.index()] += 1;
                number = numbers[lane.index()];
            }
            let mut bytes = Vec::new();
            frame.encode(Envelope { number, life: 1, connection: 1 }, &mut bytes);
            incoming.receive(lane, &bytes, 2).expect("it is well-formed");
            incoming.advance(&mut shard, 2, &mut || true);
        }
        while let Some(action) = incoming.action() {
            let promotes = matches!(action, IncomingAction::Promote);
            prop_assert!(!promotes || sealed, "what was not sealed is not promoted");
        }
        prop_assert_eq!(shard.keys(), 1, "what is staged is seen nowhere, and no other slot was touched");
    }

    #[test]
    fn a_target_without_sense_cannot_make_the_source_give(
        frames in proptest::collection::vec((sent(10), any::<bool>()), 0..80)
    ) {
        let mut shard = shard();
        for number in 0..20 {
            let key = format!("{{a}}{number}");
            let key = shard.key(key.as_bytes());
            shard.write(&key, 0).set(b"value", Expiry::Clear).expect("room");
        }
        let mut now_us = 1;
        let mut outgoing = Outgoing::new(batch(), OutgoingSettings::default(), now_us);
        let (mut connection, mut ended, mut seals) = (0, false, false);
        for (sent, is_timely) in frames {
            now_us += if is_timely { 10 } else { 300_000 };
            outgoing.advance(&mut shard, now_us, usize::MAX, &mut || true);
            while let Some(action) = outgoing.action() {
                match action {
                    Action::Connect => {
                        connection += 1;
                        Lane::ALL.into_iter().for_each(|lane| outgoing.connected(lane, now_us));
                    }
                    Action::Hold(hold) if hold != Hold::None => outgoing.held(hold, now_us),
                    Action::Appoint { .. } => outgoing.appointed(Ok(b"map")),
                    Action::Give => prop_assert!(seals, "it was told that the target holds the same"),
                    Action::Ended(_) => ended = true,
                    _ => {}
                }
            }
            let frame = sent.of_target();
            seals |= matches!(frame, Frame::Sealed { .. });
            let lane = if sent.is_delta { Lane::Delta } else { Lane::Snapshot };
            let life = outgoing.progress().restarts + 1;
            let mut bytes = Vec::new();
            frame.encode(Envelope { number: 0, life, connection }, &mut bytes);
            if outgoing.receive(lane, &bytes, now_us).is_err() {
                outgoing.disconnected(lane, now_us);
            }
            Lane::ALL.into_iter().for_each(|lane| outgoing.output(lane).clear());
        }
        outgoing.cancel("enough".to_owned(), &mut shard, now_us);
        for _ in 0..200 {
            now_us += 1_000_000;
            outgoing.advance(&mut shard, now_us, usize::MAX, &mut || true);
            while let Some(action) = outgoing.action() {
                ended |= matches!(action, Action::Ended(_));
            }
        }
        prop_assert!(ended, "it ends");
        prop_assert_eq!(shard.keys(), 20);
        prop_assert_eq!((shard.forks_open(), shard.all_queued_delta_bytes()), (0, 0));
    }
}
