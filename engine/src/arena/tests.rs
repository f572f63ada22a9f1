//! The arena against a model: random programs of allocations, frees and releases.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Allocate { purpose: bool, bytes: usize },
    Free { pick: usize },
    Release,
    MoveSparse,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let bytes = prop_oneof![1..200usize, 1..=CLASS_BYTES_MAX];
    let step = prop_oneof![
        6 => (any::<bool>(), bytes).prop_map(|(purpose, bytes)| Step::Allocate { purpose, bytes }),
        5 => any::<usize>().prop_map(|pick| Step::Free { pick }),
        1 => Just(Step::Release),
        1 => Just(Step::MoveSparse),
    ];
    proptest::collection::vec(step, 1..600)
}

struct Held {
    at: Ref,
    bytes: usize,
    fill: u8,
    purpose: Purpose,
}

fn check(arena: &Arena, held: &Held) {
    assert!(arena.slice::<u8>(held.at, held.bytes).iter().all(|byte| *byte == held.fill), "contents changed");
    assert!(arena.size(held.at) >= held.bytes);
    assert_eq!(arena.may_be_object(held.at), held.purpose == Purpose::Object);
}

fn run(program: Vec<Step>) {
    let mut arena = Arena::new().expect("address space");
    let mut held: Vec<Held> = Vec::new();
    for (fill, step) in program.into_iter().enumerate() {
        match step {
            Step::Allocate { purpose, bytes } => {
                let purpose = if purpose { Purpose::Object } else { Purpose::Node };
                let at = arena.allocate(purpose, bytes).expect("room");
                arena.slice_mut::<u8>(at, bytes).fill(fill as u8);
                held.push(Held { at, bytes, fill: fill as u8, purpose });
            }
            Step::Free { pick } if !held.is_empty() => {
                let gone = held.swap_remove(pick % held.len());
                check(&arena, &gone);
                arena.free(gone.at);
            }
            Step::Free { .. } => {}
            Step::Release => {
                while arena.return_page(0).is_some() {}
                assert_eq!(arena.usage().idle_bytes, 0);
            }
            Step::MoveSparse => {
                arena.prefer_full_pages();
                for one in &mut held {
                    if arena.is_sparse(one.at, 90) {
                        let target = arena.allocate(one.purpose, one.bytes).expect("room");
                        arena.copy(one.at, target, one.bytes);
                        arena.free(one.at);
                        one.at = target;
                    }
                }
            }
        }
        let expected: u64 = held.iter().map(|one| Arena::rounded(one.bytes) as u64).sum();
        assert_eq!(arena.usage().allocated_bytes, expected);
    }
    for one in &held {
        check(&arena, one);
        arena.free(one.at);
    }
    assert_eq!(arena.usage().allocated_bytes, 0);
    assert_eq!(arena.usage().page_bytes, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn allocations_never_overlap_and_accounting_is_exact(program in steps()) {
        run(program);
    }
}

#[test]
fn emptied_pages_are_reused_before_fresh_ones() {
    let mut arena = Arena::new().expect("address space");
    let first: Vec<Ref> = (0..10_000).map(|_| arena.allocate(Purpose::Object, 88).expect("room")).collect();
    let pages = arena.usage().page_bytes;
    for at in first {
        arena.free(at);
    }
    assert_eq!(arena.usage().idle_bytes, pages);
    for _ in 0..10_000 {
        arena.allocate(Purpose::Node, 88).expect("room");
    }
    assert_eq!(arena.usage().page_bytes, pages);
    assert_eq!(arena.usage().idle_bytes, 0);
}

#[test]
fn moving_out_of_sparse_pages_gives_memory_back() {
    let mut arena = Arena::new().expect("address space");
    let mut held: Vec<Ref> =
        (0..20_000).map(|_| arena.allocate(Purpose::Object, 96).expect("room")).collect();
    let full = arena.usage().page_bytes;
    let mut index = 0;
    held.retain(|at| {
        index += 1;
        let keep = index % 10 == 0;
        if !keep {
            arena.free(*at);
        }
        keep
    });
    assert_eq!(arena.usage().page_bytes, full, "one in ten keeps every page");
    for at in &mut held {
        if arena.is_sparse(*at, 50) {
            let target = arena.allocate(Purpose::Object, 96).expect("room");
            arena.free(*at);
            *at = target;
        }
    }
    assert!(arena.usage().page_bytes * 5 < full, "{} of {full} left", arena.usage().page_bytes);
}

#[test]
fn a_full_arena_is_an_error_not_a_crash() {
    let mut arena = Arena::new().expect("address space");
    // Pretend that all pages but the last are in use.
    arena.pages.resize(ADDRESSABLE_BYTES / PAGE_BYTES - 1, Page::default());
    arena.allocate(Purpose::Object, CLASS_BYTES_MAX).expect("the last page");
    for _ in 1..PAGE_BYTES / CLASS_BYTES_MAX {
        arena.allocate(Purpose::Object, CLASS_BYTES_MAX).expect("the last page");
    }
    assert_eq!(arena.allocate(Purpose::Object, CLASS_BYTES_MAX), Err(ArenaError::Full));
}
