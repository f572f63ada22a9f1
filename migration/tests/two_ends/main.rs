//! Source and target joined in memory: whatever happens to the link, the target and the store, every acknowledged write ends up
//! where the slots end up, and nothing anywhere else.

mod pair;

use pair::{Change, KEYS, Owner, Pair, TAGS, settings};
use proptest::prelude::*;
use whimbrel_migration::pacer::Pacer;
use whimbrel_migration::{Lane, OutgoingSettings, Phase};

#[test]
fn a_quiet_batch_moves() {
    let mut pair = Pair::new(300, settings());
    pair.settle();
    assert_eq!((pair.ended.clone(), pair.owner), (Some(Ok(())), Owner::Target));
    pair.check();
    let progress = pair.outgoing.progress();
    assert_eq!((progress.phase, progress.slots_done, progress.keys_done), (Phase::Done, 3, 903));
    assert_eq!((progress.pauses_tried, progress.pauses.count()), (1, 1));
    assert_eq!((progress.reconnects, progress.restarts, progress.bytes_sent_again), (0, 0, 0));
}

#[test]
fn a_batch_moves_under_writes() {
    let mut pair = Pair::new(200, settings());
    let mut number = 0;
    while pair.ended.is_none() {
        pair.round();
        for _ in 0..20 {
            number += 1;
            pair.write(TAGS[number % 4], number % 199, Change::Set { bytes: number % 700 });
        }
        assert!(number < 100_000, "{:?}", pair.outgoing.progress());
    }
    pair.settle();
    pair.check();
    assert_eq!(pair.owner, Owner::Target);
}

#[test]
fn a_cut_link_goes_on_where_it_was() {
    let mut pair = Pair::new(300, settings());
    let mut rounds = 0;
    while pair.ended.is_none() {
        pair.round();
        rounds += 1;
        if rounds % 3 == 0 {
            pair.cut();
        }
    }
    pair.settle();
    pair.check();
    let progress = pair.outgoing.progress();
    assert!(progress.reconnects > 2 && progress.restarts == 0, "{progress:?}");
    assert!(progress.bytes_sent_again <= u64::from(progress.reconnects) * 2 * 4_700, "{progress:?}");
}

#[test]
fn a_target_that_starts_again_gets_everything_anew() {
    let mut pair = Pair::new(300, settings());
    (0..4).for_each(|_| pair.round());
    assert!(pair.outgoing.progress().bytes_done > 0);
    pair.restart_target();
    pair.settle();
    pair.check();
    assert_eq!((pair.outgoing.progress().restarts, pair.owner), (1, Owner::Target));
}

#[test]
fn a_target_that_starts_again_too_often_fails_the_batch() {
    let mut pair = Pair::new(300, settings());
    while pair.ended.is_none() {
        (0..3).for_each(|_| pair.round());
        pair.restart_target();
    }
    pair.settle();
    pair.check();
    assert!(pair.ended.clone().is_some_and(|result| result.is_err()));
    assert_eq!((pair.owner, pair.outgoing.progress().phase), (Owner::Source, Phase::Failed));
}

#[test]
fn cancelling_leaves_no_trace() {
    for rounds in 0..12 {
        let mut pair = Pair::new(300, settings());
        (0..rounds).for_each(|_| pair.round());
        let was_revocable = pair.outgoing.cancel("asked to".to_owned(), &mut pair.source, pair.now_us);
        pair.source_actions();
        pair.settle();
        pair.check();
        assert_eq!(pair.owner == Owner::Source, was_revocable, "{rounds}");
    }
}

#[test]
fn without_a_target_the_batch_fails_in_time() {
    let mut pair = Pair::new(10, settings());
    let began_us = pair.now_us;
    while pair.ended.is_none() {
        pair.now_us += 20_000;
        pair.step_source(10, usize::MAX);
        pair.cut();
    }
    assert_eq!((pair.now_us - began_us) / 1_000_000, 10);
    pair.check();
}

#[test]
fn a_fork_that_retains_too_much_begins_its_slot_anew() {
    let mut pair = Pair::new(300, settings());
    let mut limits = *pair.source.limits();
    limits.fork_retained_bytes_max = 2_000;
    pair.source.set_limits(limits);
    pair.connect();
    for round in 0..8 {
        pair.now_us += 1_000;
        pair.connect();
        pair.exchange(6, 100);
        if round == 3 {
            for number in 0..300 {
                pair.write("a", number, Change::Set { bytes: 600 });
            }
        }
    }
    assert!(pair.outgoing.progress().restarts > 0, "{:?}", pair.outgoing.progress());
    pair.settle();
    pair.check();
    assert_eq!(pair.owner, Owner::Target);
}

#[test]
fn what_expires_under_a_reader_during_the_pause_is_sealed_as_well() {
    let mut pair = Pair::new(50, settings());
    pair.write("b", 7, Change::ExpireSoon);
    let mut was_read = false;
    while pair.ended.is_none() {
        pair.now_us += 2_000;
        pair.connect();
        pair.step_source(64, usize::MAX);
        Lane::ALL.into_iter().for_each(|lane| pair.deliver(lane, usize::MAX));
        pair.step_target(64);
        // The seal was confirmed, and the word of it is on its way back: reads go on, and one of them meets what expired.
        let is_sealed = pair.incoming.as_ref().is_some_and(|incoming| incoming.progress().is_prepared);
        if is_sealed && !was_read {
            pair.now_us += 4_000;
            was_read = pair.read("b", 7);
            assert!(was_read);
        }
        Lane::ALL.into_iter().for_each(|lane| pair.deliver(lane, usize::MAX));
        pair.answer_hold();
        pair.step_store(true, true);
    }
    assert!(was_read);
    pair.settle();
    pair.check();
    assert_eq!((pair.owner, pair.outgoing.progress().pauses_tried), (Owner::Target, 1));
}

#[test]
fn a_pause_that_does_not_end_is_given_up_and_tried_again() {
    let mut pair = Pair::new(50, OutgoingSettings { pauses_max: 3, ..settings() });
    while pair.ended.is_none() {
        // Nobody answers the hold.
        pair.now_us += 5_000;
        pair.connect();
        pair.exchange(64, 64);
        pair.step_store(true, true);
        pair.write("a", 1, Change::Set { bytes: 10 });
    }
    pair.settle();
    pair.check();
    let progress = pair.outgoing.progress();
    assert_eq!((progress.pauses_tried, progress.pauses.count(), progress.phase), (3, 3, Phase::Failed));
}

/// Goes on until the source has given its word, and no further: the word is on its way.
fn until_the_word(pair: &mut Pair) {
    while !pair.outgoing.is_given() {
        pair.now_us += 1_000;
        pair.connect();
        pair.step_source(64, usize::MAX);
        if pair.outgoing.is_given() {
            return;
        }
        Lane::ALL.into_iter().for_each(|lane| pair.deliver(lane, usize::MAX));
        pair.step_target(64);
        Lane::ALL.into_iter().for_each(|lane| pair.deliver(lane, usize::MAX));
        pair.answer_hold();
        pair.step_store(true, true);
    }
}

#[test]
fn no_pause_begins_before_the_map_names_the_heir() {
    let mut pair = Pair::new(50, settings());
    for _ in 0..400 {
        pair.now_us += 5_000;
        pair.connect();
        pair.exchange(64, 64);
        // The store does what it is asked for, and is not heard.
        pair.step_store(true, false);
        assert!(pair.write("a", 1, Change::Set { bytes: 10 }), "nothing waits");
    }
    assert_eq!(pair.outgoing.progress().pauses_tried, 0);
    pair.settle();
    pair.check();
    assert_eq!((pair.owner, pair.outgoing.progress().pauses_tried), (Owner::Target, 1));
}

#[test]
fn no_pause_begins_before_the_target_goes_by_the_map() {
    let mut pair = Pair::new(50, settings());
    while !pair.outgoing.has_heir() {
        pair.now_us += 1_000;
        pair.connect();
        pair.exchange(64, 64);
    }
    pair.step_store(true, true);
    for _ in 0..100 {
        // The target is busy with something else.
        pair.now_us += 1_000;
        pair.step_source(64, usize::MAX);
        Lane::ALL.into_iter().for_each(|lane| pair.deliver(lane, usize::MAX));
    }
    assert_eq!(pair.outgoing.progress().pauses_tried, 0);
    assert!(pair.write("a", 1, Change::Set { bytes: 10 }), "nothing waits");
    pair.settle();
    pair.check();
    assert_eq!((pair.owner, pair.outgoing.progress().pauses_tried), (Owner::Target, 1));
}

#[test]
fn a_word_that_is_lost_is_given_again() {
    let mut pair = Pair::new(50, settings());
    until_the_word(&mut pair);
    assert!(!pair.write("a", 1, Change::Delete), "the source serves nothing behind its word");
    pair.cut();
    for _ in 0..20 {
        // Nobody tells the store.
        pair.now_us += 1_000;
        pair.connect();
        pair.exchange(64, 64);
    }
    assert!(pair.write("a", 1, Change::Delete), "the target serves by the word alone");
    assert_eq!(pair.owner, Owner::Source);
    pair.settle();
    pair.check();
    let progress = pair.outgoing.progress();
    assert_eq!((pair.owner, progress.reconnects, progress.restarts), (Owner::Target, 1, 0));
}

#[test]
fn a_source_that_dies_behind_its_word_leaves_the_slots_to_whom_it_reached() {
    for reaches in [true, false] {
        let mut pair = Pair::new(50, settings());
        until_the_word(&mut pair);
        if reaches {
            pair.step_source(64, usize::MAX);
            pair.deliver(Lane::Delta, usize::MAX);
            pair.step_target(64);
        }
        pair.crash_source();
        pair.check_target();
        assert_eq!(pair.owner == Owner::Target, reaches);
    }
}

#[test]
fn a_target_that_took_the_source_for_gone_obeys_no_word() {
    let mut pair = Pair::new(50, settings());
    until_the_word(&mut pair);
    pair.cut();
    pair.lapse_source(true);
    while pair.dropped.is_empty() {
        pair.now_us += 100_000;
        pair.step_target(64);
        pair.tell_target();
        // The store hears of the target alone.
        pair.target_settles();
    }
    pair.lapse_source(false);
    pair.settle();
    pair.check();
    let reason = pair.ended.clone().and_then(Result::err).unwrap_or_default();
    assert!(pair.owner == Owner::Source && reason.contains("had dropped"), "{reason}");
    assert!(pair.write("a", 1, Change::Delete), "the source serves what it kept");
}

#[test]
fn more_deltas_than_may_wait_fail_the_batch() {
    let mut pair = Pair::new(300, OutgoingSettings { delta_bytes_max: 50_000, ..settings() });
    (0..2).for_each(|_| pair.round());
    for number in 0..300 {
        pair.write(TAGS[number % 3], number, Change::Set { bytes: 600 });
    }
    pair.settle();
    pair.check();
    let reason = pair.ended.clone().and_then(Result::err).unwrap_or_default();
    assert!(reason.contains("migration-delta-max"), "{reason}");
}

#[test]
fn a_cap_holds_over_any_second_from_the_first_byte_to_the_last() {
    const RATE: u64 = 100_000;
    let mut pair = Pair::new(399, OutgoingSettings { urgent_bytes: 1_000, ..settings() });
    let mut pacer = Pacer::new(Some(RATE), pair.now_us);
    let id = pacer.join(None, pair.now_us);
    let (mut sent, mut ticks) = (Vec::new(), 0);
    while pair.ended.is_none() {
        ticks += 1;
        pair.now_us += 200 + ticks * 7_919 % 15_000;
        pair.connect();
        let bytes_max = pacer.grant(id, pair.now_us);
        let bytes = pair.step_source(1_000, bytes_max);
        pacer.spend(id, bytes);
        sent.push((pair.now_us, bytes as u64));
        Lane::ALL.into_iter().for_each(|lane| pair.deliver(lane, usize::MAX));
        pair.step_target(1_000);
        Lane::ALL.into_iter().for_each(|lane| pair.deliver(lane, usize::MAX));
        pair.answer_hold();
        pair.step_store(true, true);
        for round in 0..2 {
            let number = (ticks as usize * 31 + round) % 399;
            pair.write(TAGS[number % 4], number, Change::Set { bytes: 100 });
        }
        if ticks == 200 {
            pair.cut();
        }
        assert!(ticks < 50_000, "{:?}", pair.outgoing.progress());
    }
    pair.settle();
    pair.check();
    assert_eq!(pair.owner, Owner::Target);
    let first_us = sent[0].0;
    let early = sent.iter().take_while(|(at_us, _)| *at_us < first_us + 2_000_000);
    let early_bytes: u64 = early.map(|(_, bytes)| bytes).sum();
    assert!(early_bytes > 2 * RATE * 9 / 10, "what may go goes: {early_bytes} bytes");
    for (index, (from_us, _)) in sent.iter().enumerate() {
        let second = sent[index..].iter().take_while(|(at_us, _)| *at_us < from_us + 1_000_000);
        let bytes: u64 = second.map(|(_, bytes)| bytes).sum();
        assert!(bytes <= RATE + RATE / 20, "{bytes} bytes in the second from {from_us}");
    }
}

/// What may happen.
#[derive(Clone, Copy, Debug)]
enum Event {
    Write { tag: usize, number: usize, change: Change },
    Source { steps: usize, bytes_max: usize },
    Target { steps: usize },
    Deliver { lane: Lane, bytes_max: usize },
    Connect,
    Cut,
    CutSource,
    Read { tag: usize, number: usize },
    Wait { us: u64 },
    AnswerHold,
    Store { grants: bool, answers: bool },
    LoseAppointment,
    TellTarget,
    RestartTarget,
    Cancel,
    Rounds { count: usize },
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        20 => (0..900usize).prop_map(|bytes| Change::Set { bytes }),
        5 => Just(Change::Delete),
        10 => (0..20u8).prop_map(|name| Change::Field { name }),
        4 => (0..20u8).prop_map(|name| Change::RemoveField { name }),
        3 => Just(Change::Expire),
        6 => Just(Change::ExpireSoon),
        1 => Just(Change::Flush),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let lane = || prop_oneof![Just(Lane::Delta), Just(Lane::Snapshot)];
    prop_oneof![
        30 => (0..4usize, 0..KEYS, change()).prop_map(|(tag, number, change)| Event::Write { tag, number, change }),
        30 => (1..12usize, prop_oneof![0..2_000usize, Just(usize::MAX)])
            .prop_map(|(steps, bytes_max)| Event::Source { steps, bytes_max }),
        20 => (1..12usize).prop_map(|steps| Event::Target { steps }),
        40 => (lane(), prop_oneof![1..300usize, Just(usize::MAX)])
            .prop_map(|(lane, bytes_max)| Event::Deliver { lane, bytes_max }),
        12 => Just(Event::Connect),
        2 => Just(Event::Cut),
        10 => prop_oneof![1..2_000u64, 1..30_000u64, 1..1_000_000u64].prop_map(|us| Event::Wait { us }),
        12 => Just(Event::AnswerHold),
        6 => (0..6u8, any::<bool>()).prop_map(|(luck, answers)| Event::Store { grants: luck > 0, answers }),
        8 => (0..4usize, 0..KEYS).prop_map(|(tag, number)| Event::Read { tag, number }),
        1 => Just(Event::CutSource),
        1 => Just(Event::LoseAppointment),
        5 => Just(Event::TellTarget),
        1 => Just(Event::RestartTarget),
        1 => Just(Event::Cancel),
        6 => (1..4usize).prop_map(|count| Event::Rounds { count }),
    ]
}

fn happen(pair: &mut Pair, event: Event) {
    match event {
        Event::Write { tag, number, change } => drop(pair.write(TAGS[tag], number, change)),
        Event::Source { steps, bytes_max } => drop(pair.step_source(steps, bytes_max)),
        Event::Target { steps } => pair.step_target(steps),
        Event::Deliver { lane, bytes_max } => pair.deliver(lane, bytes_max),
        Event::Connect => pair.connect(),
        Event::Cut => pair.cut(),
        Event::Wait { us } => pair.now_us += us,
        Event::AnswerHold => pair.answer_hold(),
        Event::Store { grants, answers } => pair.step_store(grants, answers),
        Event::Read { tag, number } => drop(pair.read(TAGS[tag], number)),
        Event::CutSource => pair.cut_source(),
        Event::LoseAppointment => pair.lose_appointment(),
        Event::TellTarget => pair.tell_target(),
        Event::RestartTarget => pair.restart_target(),
        Event::Cancel => {
            pair.outgoing.cancel("asked to".to_owned(), &mut pair.source, pair.now_us);
            pair.source_actions();
        }
        Event::Rounds { count } => (0..count).for_each(|_| pair.round()),
    }
}

proptest! {
    #[test]
    fn whatever_happens_no_write_is_lost(
        keys in 0..60usize, events in proptest::collection::vec(event(), 1..400)
    ) {
        let mut pair = Pair::new(keys, settings());
        for event in events {
            happen(&mut pair, event);
        }
        pair.settle();
        pair.check();
    }

    #[test]
    fn without_its_source_the_target_does_as_the_map_says(
        keys in 0..40usize, rounds in 0..8usize, events in proptest::collection::vec(event(), 1..150)
    ) {
        let mut pair = Pair::new(keys, settings());
        (0..rounds).for_each(|_| pair.round());
        for event in events {
            happen(&mut pair, event);
        }
        pair.crash_source();
        pair.check_target();
    }
}
