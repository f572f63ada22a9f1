//! The table against a model, with and without something to keep.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::key::HashSeed;
use crate::memory::{Guard, Kept};
use crate::object::{Draft, Encoding, Parts};

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn memory() -> Memory {
    Memory::new(HashSeed(7)).expect("address space")
}

fn draft<'a>(key: &'a [u8], value: &'a [u8]) -> Draft<'a> {
    Draft { key, encoding: Encoding::Inline, expires_at_ms: None, value: [value, b""], access: 0 }
}

fn put(memory: &mut Memory, root: &mut TableRoot, key: &[u8], value: &[u8], guard: Guard) {
    let hash = memory.hash(key);
    let object = memory.create(&draft(key, value)).expect("room");
    match memory.find(root, hash, key) {
        None => memory.insert(root, hash, object, None, guard).expect("room"),
        Some(found) => {
            let shared = memory.replace(root, hash, found, object, None, guard).expect("room");
            memory.drop_object(found.object, shared);
        }
    }
}

fn take(memory: &mut Memory, root: &mut TableRoot, key: &[u8], guard: Guard) -> bool {
    let hash = memory.hash(key);
    let Some(found) = memory.find(root, hash, key) else { return false };
    let shared = memory.remove(root, hash, found, guard).expect("room");
    memory.drop_object(found.object, shared);
    true
}

/// All entries below a child, by the fork's way of walking.
fn contents(memory: &Memory, child: Child) -> Model {
    let mut all = BTreeMap::new();
    let mut hash = 0;
    loop {
        let view = memory.leaf_view(child, hash);
        for found in (0..view.places()).filter_map(|place| memory.entry_at(&view, place)) {
            let parts = Parts::of(&memory.arena, found.object);
            let key = parts.key(&memory.arena, found.object).to_vec();
            let old = all.insert(key, parts.value(&memory.arena, found.object).to_vec());
            assert!(old.is_none(), "a key stands twice");
        }
        match view.end() {
            Some(end) => hash = end,
            None => return all,
        }
    }
}

fn drain(memory: &mut Memory) {
    let retired = std::mem::take(&mut memory.retired);
    for (what, bytes) in retired {
        memory.release_one(Kept { what, bytes, death: 0, hash: 0 });
    }
    while memory.reclaim_step() {}
}

#[derive(Clone, Debug)]
enum Step {
    Put(u16, u8),
    Take(u16),
    Freeze,
    Thaw,
    Fill(u16),
    Empty(u16),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..3000u16, any::<u8>()).prop_map(|(key, value)| Step::Put(key, value)),
        8 => (0..3000u16).prop_map(Step::Take),
        1 => Just(Step::Freeze),
        1 => Just(Step::Thaw),
        1 => (0..3000u16).prop_map(Step::Fill),
        1 => (0..3000u16).prop_map(Step::Empty),
    ];
    proptest::collection::vec(step, 1..120)
}

/// Runs a program; between `Freeze` and `Thaw` the frozen table must stay what it was.
fn run(program: Vec<Step>) {
    let mut memory = memory();
    let mut root = TableRoot::default();
    let mut model = Model::new();
    let mut frozen: Option<(Child, Model)> = None;
    let mut guard = Guard::Free;
    for step in program {
        let (keys, value) = match step {
            Step::Put(key, value) => (key..key + 1, Some(value)),
            Step::Fill(key) => (key..key + 800, Some(1)),
            Step::Take(key) => (key..key + 1, None),
            Step::Empty(key) => (key..key + 800, None),
            Step::Freeze if frozen.is_none() => {
                guard = Guard::Keep { fork_epoch: memory.epoch };
                memory.epoch += 1;
                frozen = Some((root.child, model.clone()));
                continue;
            }
            Step::Thaw => {
                if let Some((child, expected)) = frozen.take() {
                    assert_eq!(contents(&memory, child), expected);
                    guard = Guard::Free;
                    drain(&mut memory);
                    assert_eq!(memory.retained_bytes(), 0);
                }
                continue;
            }
            Step::Freeze => continue,
        };
        for key in keys.map(|key| format!("key:{key}").into_bytes()) {
            match value {
                Some(value) => {
                    let value = vec![value; usize::from(value)];
                    put(&mut memory, &mut root, &key, &value, guard);
                    model.insert(key, value);
                }
                None => assert_eq!(take(&mut memory, &mut root, &key, guard), model.remove(&key).is_some()),
            }
        }
        assert_eq!(root.count as usize, model.len());
    }
    if let Some((child, expected)) = &frozen {
        assert_eq!(&contents(&memory, *child), expected);
    }
    assert_eq!(contents(&memory, root.child), model);
    for key in model.keys() {
        assert!(take(&mut memory, &mut root, key, guard));
    }
    drain(&mut memory);
    assert_eq!(memory.allocated_bytes(), 0, "everything was freed");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn tables_and_frozen_tables_match_their_models(program in steps()) {
        run(program);
    }
}

#[test]
fn a_scan_visits_every_staying_key_once_while_the_table_grows_and_shrinks() {
    let mut memory = memory();
    let mut root = TableRoot::default();
    let staying: HashSet<Vec<u8>> = (0..5000).map(|number| format!("stay:{number}").into_bytes()).collect();
    for key in &staying {
        put(&mut memory, &mut root, key, b"v", Guard::Free);
    }
    let mut seen = Vec::new();
    let mut cursor = Some(0);
    let mut round = 0;
    while let Some(from) = cursor {
        cursor = memory.scan_bucket(&root, from, |object| {
            seen.push(Parts::of(&memory.arena, object).key(&memory.arena, object).to_vec());
        });
        for number in 0..100 {
            let key = format!("come:{}", round / 2 * 100 + number).into_bytes();
            if round % 2 == 0 {
                put(&mut memory, &mut root, &key, b"v", Guard::Free);
            } else {
                take(&mut memory, &mut root, &key, Guard::Free);
            }
        }
        round += 1;
    }
    let stayed: Vec<_> = seen.into_iter().filter(|key| key.starts_with(b"stay:")).collect();
    assert_eq!(stayed.len(), staying.len(), "each once");
    assert_eq!(stayed.into_iter().collect::<HashSet<_>>(), staying, "all of them");
}

#[test]
fn one_operation_touches_at_most_a_leaf_however_large_the_table() {
    let mut memory = memory();
    let mut root = TableRoot::default();
    let mut largest = 0;
    for number in 0..200_000u32 {
        let before = memory.arena.usage().allocated_bytes;
        put(&mut memory, &mut root, format!("k{number}").as_bytes(), b"", Guard::Free);
        largest = largest.max(memory.arena.usage().allocated_bytes.abs_diff(before));
    }
    assert!(largest < 8192, "one insert changed {largest} bytes");
    let per_key = (memory.live_bytes() - 200_000 * 16) as f64 / 200_000.0;
    assert!(per_key < 8.5, "{per_key} bytes of nodes a key");
}

#[test]
fn small_tables_stay_dense() {
    let mut memory = memory();
    let mut total = 0;
    for slot in 0..500u32 {
        let mut root = TableRoot::default();
        for number in 0..61u32 {
            put(&mut memory, &mut root, format!("{slot}:{number:08}").as_bytes(), b"", Guard::Free);
            total += 1;
        }
    }
    let objects: u64 = 500 * 61 * 24;
    let per_key = (memory.live_bytes() - objects) as f64 / f64::from(total);
    assert!(per_key < 7.6, "{per_key} bytes of nodes a key");
}

#[test]
fn random_entries_cover_the_table() {
    let mut memory = memory();
    let mut root = TableRoot::default();
    for number in 0..2000u32 {
        put(&mut memory, &mut root, &number.to_le_bytes(), b"", Guard::Free);
    }
    let mut state = 1u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 20
    };
    let chosen: HashSet<Ref> = (0..40_000)
        .filter_map(|_| memory.random_entry(&root, &mut random))
        .map(|found| found.object)
        .collect();
    assert_eq!(chosen.len(), 2000);
}
