//! Each check can fail: every deliberate fault in the simulator's glue is noticed, by a check that is named for it.

use whimbrel_sim::{Mutation, Runner};

/// Jobs of a run.
fn jobs(mutation: Mutation) -> u64 {
    if mutation == Mutation::ServesBeforeMap { 10 } else { 20 }
}

/// Where the rarer ones show soonest; the others do at once.
fn first_seed(mutation: Mutation) -> u64 {
    match mutation {
        // A target's cap is the lowest one for longer than a second.
        Mutation::IgnoresTargetRate => 50,
        // The target had dropped the slots before it heard the word.
        Mutation::FlushesAtWord => 981,
        // A source dies behind its word, and neither side reaches the store before its lease has run out.
        Mutation::TakesFromHeirs => 6_300,
        // Two are seen to serve a slot before what that leads to.
        Mutation::ServesAfterLease => 20,
        // Slots are taken over while their owner registers anew.
        Mutation::ServesBeforeMap => 5_909,
        _ => 0,
    }
}

/// A fault that is not noticed within so many seeds is not noticed.
const SEEDS_MAX: u64 = 3_000;

/// Faults that show only when there is more to send than windows, marks and caps let go at once.
const NEED_MUCH_DATA: [Mutation; 3] =
    [Mutation::ReadsWithoutMark, Mutation::IgnoresPacer, Mutation::IgnoresTargetRate];

fn is_caught(mutation: Mutation) {
    let mut runner = Runner::new(jobs(mutation));
    runner.mutation = Some(mutation);
    runner.heavy = NEED_MUCH_DATA.contains(&mutation);
    let first = first_seed(mutation);
    let violation = (first..first + SEEDS_MAX).find_map(|seed| runner.run(seed).violation);
    let violation = violation.unwrap_or_else(|| panic!("nobody notices: {}", mutation.what()));
    assert!(mutation.caught_by().contains(&violation.invariant), "{}: {violation}", mutation.name());
}

macro_rules! caught {
    ($($test:ident: $mutation:ident,)*) => {
        $(#[test]
        fn $test() {
            is_caught(Mutation::$mutation);
        })*

        #[test]
        fn none_is_left_out() {
            assert_eq!(Mutation::ALL, [$(Mutation::$mutation,)*]);
        }
    };
}

caught! {
    serves_held_writes: ServesHeldWrites,
    serves_reads_behind_word: ServesReadsBehindWord,
    held_too_early: HeldTooEarly,
    serves_when_prepared: ServesWhenPrepared,
    serves_after_lease: ServesAfterLease,
    serves_before_map: ServesBeforeMap,
    gives_before_appointed: GivesBeforeAppointed,
    obeys_withdrawn_word: ObeysWithdrawnWord,
    takes_word_back: TakesWordBack,
    takes_from_heirs: TakesFromHeirs,
    drops_prepared_on_cut: DropsPreparedOnCut,
    flushes_at_word: FlushesAtWord,
    keeps_what_it_gave: KeepsWhatItGave,
    keeps_hold_after_failure: KeepsHoldAfterFailure,
    leaves_fork: LeavesFork,
    leaves_staging: LeavesStaging,
    forgets_progress_on_reconnect: ForgetsProgressOnReconnect,
    reads_without_mark: ReadsWithoutMark,
    ignores_pacer: IgnoresPacer,
    ignores_target_rate: IgnoresTargetRate,
}
