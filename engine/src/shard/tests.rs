//! The shard against a model: random programs of writes, expiries, renames and flushes over strings and hashes, with forks
//! opened, walked and closed, and slots watched, at random points.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::large::CHUNK_BYTES;

type Fields = BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

#[derive(Clone, PartialEq, Eq, Debug)]
enum Value {
    Text(Vec<u8>),
    Hash(Fields),
}

/// What a slot holds: by key, the value and its expiry.
type Model = BTreeMap<Vec<u8>, (Value, Option<u64>)>;

#[derive(Clone, Debug)]
enum Step {
    Set(u8, usize, Option<u64>),
    SetInteger(u8, i64),
    Append(u8, usize),
    SetRange(u8, usize, usize),
    Expire(u8, Option<u64>),
    Remove(u8),
    HashSet(u8, u16, usize, Option<u64>),
    HashFill(u8, u16),
    HashSetMany(u8, Vec<(u16, usize)>, Expiry),
    HashRemove(u8, u16),
    HashRemoveMany(u8, Vec<u16>),
    HashExpire(u8, u16, Option<u64>),
    Rename(u8, u8),
    Copy(u8, u8),
    Flush,
    Pass(u64),
    Sweep,
    OpenFork,
    WalkFork(usize, usize),
    CloseFork(usize),
    Watch,
    OpenMove,
    CopyMove(usize, usize),
    Reclaim,
    Defragment(u8),
    Limits(usize, usize),
}

fn expiry() -> impl Strategy<Value = Option<u64>> {
    prop_oneof![3 => Just(None), 1 => (1..200_000u64).prop_map(Some)]
}

fn length() -> impl Strategy<Value = usize> {
    prop_oneof![8 => 0..200usize, 2 => 0..20_000usize, 1 => CHUNK_BYTES - 10..CHUNK_BYTES * 2]
}

/// Lengths around what a packed field may have, and around what a table's field object may hold.
fn field_length() -> impl Strategy<Value = usize> {
    prop_oneof![16 => 0..150usize, 2 => 125..130usize, 1 => 7_800..8_300usize, 1 => 0..40_000usize]
}

fn any_expiry() -> impl Strategy<Value = Expiry> {
    prop_oneof![Just(Expiry::Keep), Just(Expiry::Clear), (1..200_000u64).prop_map(Expiry::At)]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..24u8;
    let field = 0..700u16;
    let step = prop_oneof![
        6 => (key.clone(), length(), expiry()).prop_map(|(k, l, e)| Step::Set(k, l, e)),
        2 => (key.clone(), any::<i64>()).prop_map(|(k, v)| Step::SetInteger(k, v)),
        3 => (key.clone(), length()).prop_map(|(k, l)| Step::Append(k, l)),
        3 => (key.clone(), 0..30_000usize, length()).prop_map(|(k, o, l)| Step::SetRange(k, o, l)),
        3 => (key.clone(), expiry()).prop_map(|(k, e)| Step::Expire(k, e)),
        3 => key.clone().prop_map(Step::Remove),
        8 => (key.clone(), field.clone(), field_length(), expiry()).prop_map(|(k, f, l, e)| Step::HashSet(k, f, l, e)),
        2 => (key.clone(), field.clone()).prop_map(|(k, f)| Step::HashFill(k, f)),
        4 => (key.clone(), proptest::collection::vec((field.clone(), field_length()), 0..12), any_expiry())
            .prop_map(|(k, fields, e)| Step::HashSetMany(k, fields, e)),
        5 => (key.clone(), field.clone()).prop_map(|(k, f)| Step::HashRemove(k, f)),
        2 => (key.clone(), proptest::collection::vec(field.clone(), 0..40))
            .prop_map(|(k, fields)| Step::HashRemoveMany(k, fields)),
        3 => (key.clone(), field, expiry()).prop_map(|(k, f, e)| Step::HashExpire(k, f, e)),
        3 => (key.clone(), key.clone()).prop_map(|(a, b)| Step::Rename(a, b)),
        2 => (key.clone(), key).prop_map(|(a, b)| Step::Copy(a, b)),
        1 => Just(Step::Flush),
        2 => (0..30_000u64).prop_map(Step::Pass),
        2 => Just(Step::Sweep),
        4 => Just(Step::OpenFork),
        8 => (any::<usize>(), 0..200usize).prop_map(|(f, n)| Step::WalkFork(f, n)),
        2 => any::<usize>().prop_map(Step::CloseFork),
        1 => Just(Step::Watch),
        3 => Just(Step::OpenMove),
        8 => (any::<usize>(), prop_oneof![0..300usize, 0..30_000usize]).prop_map(|(m, n)| Step::CopyMove(m, n)),
        2 => Just(Step::Reclaim),
        4 => any::<u8>().prop_map(Step::Defragment),
        1 => (0..120usize, 0..150usize).prop_map(|(fields, bytes)| Step::Limits(fields, bytes)),
    ];
    proptest::collection::vec(step, 1..150)
}

/// A fork under way: what it must show, and what it has shown.
struct Walk {
    id: ForkId,
    expected: Model,
    seen: Model,
}

/// A slot on its way to another shard.
struct Move {
    fork: ForkId,
    watch: WatchId,
    slot: SlotId,
    target: Shard,
    keys: u64,
}

struct Watched {
    id: WatchId,
    slot: SlotId,
    copy: Shard,
}

struct World {
    shard: Shard,
    now_ms: u64,
    /// Two slots, so that renames cross slots.
    slots: [Model; 2],
    walks: Vec<Walk>,
    watched: Vec<Watched>,
    moves: Vec<Move>,
}

/// Even keys lie in one slot, odd ones in another.
fn name(key: u8) -> Vec<u8> {
    format!("{{{}}}:{key}", key % 2).into_bytes()
}

fn field_name(field: u16) -> Vec<u8> {
    let mut name = format!("field:{field}").into_bytes();
    if field.is_multiple_of(50) {
        // Lengths around the longest name that a packed field may have.
        name.resize(usize::from(246 + field / 50), b'.');
    }
    name
}

fn filled(length: usize, seed: u64) -> Vec<u8> {
    (0..length).map(|at| (at as u64 / 7 + seed) as u8).collect()
}

fn shard() -> Shard {
    Shard::new(HashSeed(3), ShardLimits { packed_fields_max: 100, ..ShardLimits::default() })
        .expect("address space")
}

fn read(entry: &Entry<'_>) -> (Vec<u8>, (Value, Option<u64>)) {
    let value = match (entry.text(), entry.hash()) {
        (Some(text), _) => Value::Text(text.bytes().into_owned()),
        (_, Some(hash)) => {
            let mut fields = Fields::new();
            hash.for_each(|field| {
                let value = (field.value.bytes().into_owned(), field.expires_at_ms);
                assert!(fields.insert(field.name.to_vec(), value).is_none(), "a field stands twice");
            });
            Value::Hash(fields)
        }
        _ => unreachable!("a value is a string or a hash"),
    };
    (entry.key().to_vec(), (value, entry.expires_at_ms()))
}

/// Everything in one slot that has not expired.
fn slot_contents(shard: &Shard, slot: SlotId, now_ms: u64) -> Model {
    let mut all = Model::new();
    let mut cursor = ScanCursor::at_slot(slot.number());
    let end = ScanCursor::at_slot(slot.number() + 1);
    loop {
        cursor = shard.scan(cursor, slot.number() + 1, 10, now_ms, |entry| {
            let (key, value) = read(&entry);
            assert!(all.insert(key, value).is_none(), "a key was shown twice");
        });
        if cursor == end || cursor == ScanCursor::START {
            return all;
        }
    }
}

impl World {
    fn new() -> World {
        let slots = [Model::new(), Model::new()];
        World {
            shard: shard(),
            now_ms: 1_000_000,
            slots,
            walks: Vec::new(),
            watched: Vec::new(),
            moves: Vec::new(),
        }
    }

    fn at(&self, after: Option<u64>) -> Option<u64> {
        after.map(|after| self.now_ms + after)
    }

    /// Forgets in the model what has expired.
    fn settle(&mut self) {
        let now_ms = self.now_ms;
        for model in &mut self.slots {
            model.retain(|_, (_, at)| at.is_none_or(|at| at > now_ms));
            for (value, _) in model.values_mut() {
                if let Value::Hash(fields) = value {
                    fields.retain(|_, (_, at)| at.is_none_or(|at| at > now_ms));
                }
            }
            // A hash whose fields have all expired is there until the sweep meets it; readers see it empty.
            model.retain(|_, (value, _)| *value != Value::Hash(Fields::new()));
        }
    }

    fn model(&mut self, key: u8) -> &mut Model {
        &mut self.slots[usize::from(key % 2)]
    }

    fn text(&mut self, key: u8) -> Option<Vec<u8>> {
        match self.model(key).get(&name(key)) {
            None => Some(Vec::new()),
            Some((Value::Text(text), _)) => Some(text.clone()),
            Some((Value::Hash(_), _)) => None,
        }
    }

    fn put_text(&mut self, key: u8, text: Vec<u8>) {
        let expiry = self.model(key).get(&name(key)).and_then(|(_, at)| *at);
        self.model(key).insert(name(key), (Value::Text(text), expiry));
    }

    /// A hash that is empty to readers would be taken for no key by the model; the sweep settles which it is.
    fn drop_hollow(&mut self, key: u8) {
        let bytes = name(key);
        let key = self.shard.key(&bytes);
        let mut write = self.shard.write(&key, self.now_ms);
        let hollow = write.entry().and_then(|entry| entry.hash()).is_some_and(|hash| {
            let mut count = 0;
            hash.for_each(|_| count += 1);
            count == 0
        });
        if hollow {
            write.remove().expect("room");
        }
    }

    fn run(&mut self, seed: u64, step: Step) {
        self.settle();
        let now_ms = self.now_ms;
        match step {
            Step::Set(key, length, after) => {
                let (at, value) = (self.at(after), filled(length, seed));
                let bytes = name(key);
                let k = self.shard.key(&bytes);
                let expiry = at.map_or(Expiry::Clear, Expiry::At);
                self.shard.write(&k, now_ms).set(&value, expiry).expect("room");
                self.model(key).insert(bytes, (Value::Text(value), at));
            }
            Step::SetInteger(key, value) => {
                self.drop_hollow(key);
                let bytes = name(key);
                let k = self.shard.key(&bytes);
                self.shard.write(&k, now_ms).set_integer(value, Expiry::Keep).expect("room");
                self.put_text(key, value.to_string().into_bytes());
            }
            Step::Append(key, length) => {
                self.drop_hollow(key);
                let Some(mut text) = self.text(key) else { return };
                let (bytes, more) = (name(key), filled(length, seed));
                let k = self.shard.key(&bytes);
                text.extend_from_slice(&more);
                assert_eq!(self.shard.write(&k, now_ms).append(&more), Ok(text.len()));
                self.put_text(key, text);
            }
            Step::SetRange(key, offset, length) => {
                self.drop_hollow(key);
                let Some(mut text) = self.text(key) else { return };
                let (bytes, part) = (name(key), filled(length, seed));
                let k = self.shard.key(&bytes);
                text.resize(text.len().max(offset + length), 0);
                text[offset..offset + length].copy_from_slice(&part);
                assert_eq!(self.shard.write(&k, now_ms).set_range(offset, &part), Ok(text.len()));
                self.put_text(key, text);
            }
            Step::Expire(key, after) => {
                self.drop_hollow(key);
                let (at, bytes) = (self.at(after), name(key));
                let k = self.shard.key(&bytes);
                let there = self.shard.write(&k, now_ms).set_expiry(at).expect("room");
                let entry = self.model(key).get_mut(&bytes);
                assert_eq!(there, entry.is_some());
                if let Some((_, expiry)) = entry {
                    *expiry = at;
                }
            }
            Step::Remove(key) => {
                self.drop_hollow(key);
                let bytes = name(key);
                let k = self.shard.key(&bytes);
                let removed = self.shard.write(&k, now_ms).remove().expect("room");
                assert_eq!(removed, self.model(key).remove(&bytes).is_some());
            }
            Step::HashFill(key, first) => {
                for field in first..first + 90 {
                    self.run(seed, Step::HashSet(key, field, usize::from(field % 30), None));
                }
            }
            Step::HashSet(..)
            | Step::HashSetMany(..)
            | Step::HashRemove(..)
            | Step::HashRemoveMany(..)
            | Step::HashExpire(..) => self.run_hash(seed, step),
            Step::Limits(packed_fields_max, packed_value_bytes_max) => {
                let limits = *self.shard.limits();
                self.shard.set_limits(ShardLimits { packed_fields_max, packed_value_bytes_max, ..limits });
            }
            Step::Rename(from, to) | Step::Copy(from, to) => {
                self.drop_hollow(from);
                let (a, b) = (name(from), name(to));
                let (from_key, to_key) = (self.shard.key(&a), self.shard.key(&b));
                let value = self.model(from).get(&a).cloned();
                let is_rename = matches!(step, Step::Rename(..));
                if !is_rename && from == to {
                    return;
                }
                let done = match is_rename {
                    true => self.shard.rename(&from_key, &to_key, now_ms).expect("room"),
                    false => self.shard.copy(&from_key, &to_key, now_ms).expect("room"),
                };
                assert_eq!(done, value.is_some());
                if let Some(value) = value {
                    if is_rename {
                        self.model(from).remove(&a);
                    }
                    self.model(to).insert(b, value);
                }
            }
            Step::Flush => {
                self.shard.flush_slot(SlotId::of(b"0"));
                self.slots[0].clear();
            }
            Step::Pass(ms) => self.now_ms += ms,
            Step::Sweep => while self.shard.sweep_expired(now_ms, 3) {},
            Step::OpenFork => self.open_fork(),
            Step::WalkFork(pick, items) => self.walk_fork(pick, items),
            Step::CloseFork(pick) if !self.walks.is_empty() => {
                let walk = self.walks.swap_remove(pick % self.walks.len());
                self.shard.close_fork(walk.id);
            }
            Step::CloseFork(_) => {}
            Step::Watch => {
                let slot = SlotId::of(b"1");
                let id = self.shard.watch(slot, usize::MAX);
                let mut copy = shard();
                for (key, (value, at)) in self.frozen(slot) {
                    restore(&mut copy, &key, &value, at);
                }
                self.watched.push(Watched { id, slot, copy });
            }
            Step::OpenMove => self.open_move(),
            Step::CopyMove(pick, bytes_max) => self.copy_move(pick, bytes_max),
            Step::Defragment(count) => (0..count).for_each(|_| self.shard.walk_anyway(now_ms)),
            Step::Reclaim => {
                self.shard.reclaim(3);
            }
        }
    }

    fn run_hash(&mut self, seed: u64, step: Step) {
        let now_ms = self.now_ms;
        let (Step::HashSet(key, ..)
        | Step::HashSetMany(key, ..)
        | Step::HashRemove(key, _)
        | Step::HashRemoveMany(key, _)
        | Step::HashExpire(key, ..)) = step
        else {
            return;
        };
        self.drop_hollow(key);
        let bytes = name(key);
        let key_there = self.model(key).get(&bytes).cloned();
        let mut fields = match key_there.clone() {
            None => Fields::new(),
            Some((Value::Hash(fields), _)) => fields,
            Some((Value::Text(_), _)) => return,
        };
        let k = self.shard.key(&bytes);
        match step {
            Step::HashSet(_, field, length, after) => {
                let (at, value) = (self.at(after), filled(length, seed));
                let expiry = at.map_or(Expiry::Clear, Expiry::At);
                let created = self.shard.write(&k, now_ms).hash_set(&field_name(field), &value, expiry);
                assert_eq!(created, Ok(fields.insert(field_name(field), (value, at)).is_none()));
            }
            Step::HashSetMany(_, many, expiry) => {
                let many: Vec<(Vec<u8>, Vec<u8>)> = many
                    .into_iter()
                    .map(|(field, length)| (field_name(field), filled(length, seed + u64::from(field))))
                    .collect();
                let expiry = match expiry {
                    Expiry::At(after) => Expiry::At(now_ms + after),
                    other => other,
                };
                let pairs = many.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
                let created = self.shard.write(&k, now_ms).hash_set_many(pairs, expiry);
                let before = fields.len();
                for (name, value) in many {
                    let old = fields.get(&name).and_then(|(_, at)| *at);
                    fields.insert(name, (value, expiry.after(old)));
                }
                assert_eq!(created, Ok(fields.len() - before));
            }
            Step::HashRemoveMany(_, many) => {
                let many: Vec<Vec<u8>> = many.into_iter().map(field_name).collect();
                let names = many.iter().map(|name| name.as_slice());
                let removed = self.shard.write(&k, now_ms).hash_remove_many(names);
                let before = fields.len();
                many.iter().for_each(|name| drop(fields.remove(name)));
                assert_eq!(removed, Ok(before - fields.len()));
            }
            Step::HashRemove(_, field) => {
                let removed = self.shard.write(&k, now_ms).hash_remove(&field_name(field));
                assert_eq!(removed, Ok(fields.remove(&field_name(field)).is_some()));
            }
            Step::HashExpire(_, field, after) => {
                let at = self.at(after);
                let done = self.shard.write(&k, now_ms).hash_set_expiry(&field_name(field), at);
                let entry = fields.get_mut(&field_name(field));
                assert_eq!(done, Ok(entry.is_some()));
                if let Some((_, expiry)) = entry {
                    *expiry = at;
                }
            }
            _ => unreachable!("the caller sends hash steps only"),
        }
        let expiry = key_there.and_then(|(_, at)| at);
        if fields.is_empty() {
            self.model(key).remove(&bytes);
            self.drop_hollow(key);
        } else {
            self.model(key).insert(bytes, (Value::Hash(fields), expiry));
        }
    }

    /// What the slot holds, expired or not: what a fork must show.
    fn frozen(&self, slot: SlotId) -> Model {
        slot_contents(&self.shard, slot, 0)
    }

    fn open_fork(&mut self) {
        const FORKS_MAX: usize = 4;
        if self.walks.len() == FORKS_MAX {
            return;
        }
        let slot = SlotId::of(if self.walks.len().is_multiple_of(2) { b"0" } else { b"1" });
        // Seen at time zero nothing has expired, so this is all that the slot stores.
        let expected = self.frozen(slot);
        let id = self.shard.fork(slot);
        assert_eq!(self.shard.fork_keys(id), Ok(expected.len() as u64));
        self.walks.push(Walk { id, expected, seen: Model::new() });
    }

    fn walk_fork(&mut self, pick: usize, items: usize) {
        if self.walks.is_empty() {
            return;
        }
        let at = pick % self.walks.len();
        let walk = &mut self.walks[at];
        let seen = &mut walk.seen;
        let more = self.shard.walk_fork(walk.id, items, |item| {
            let key = item.key.to_vec();
            match item.value {
                ForkValue::Text(text) => {
                    let value = (Value::Text(text.bytes().into_owned()), item.expires_at_ms);
                    assert!(seen.insert(key, value).is_none(), "a key was shown twice");
                }
                ForkValue::Hash(_) => {
                    let value = (Value::Hash(Fields::new()), item.expires_at_ms);
                    assert!(seen.insert(key, value).is_none(), "a key was shown twice");
                }
                ForkValue::Field(field) => {
                    let Some((Value::Hash(fields), _)) = seen.get_mut(&key) else {
                        panic!("a field before its hash")
                    };
                    let value = (field.value.bytes().into_owned(), field.expires_at_ms);
                    assert!(fields.insert(field.name.to_vec(), value).is_none(), "a field was shown twice");
                }
            }
        });
        if !more.expect("the fork is open and far below its ceiling") {
            let walk = self.walks.swap_remove(at);
            assert_eq!(walk.seen, walk.expected, "the fork shows what the slot held when it was opened");
            self.shard.close_fork(walk.id);
        }
    }

    fn open_move(&mut self) {
        const MOVES_MAX: usize = 3;
        if self.moves.len() == MOVES_MAX {
            return;
        }
        let slot = SlotId::of(if self.moves.len().is_multiple_of(2) { b"1" } else { b"0" });
        let (fork, watch) = (self.shard.fork(slot), self.shard.watch(slot, usize::MAX));
        let mut target = shard();
        target.stage(slot);
        self.moves.push(Move { fork, watch, slot, target, keys: 0 });
    }

    /// Copies a step; behind the last one come the deltas, and then the target is what the source is.
    fn copy_move(&mut self, pick: usize, bytes_max: usize) {
        /// The longest piece with the names of key and field, and a packed hash, which is never cut.
        const BEYOND_MAX: usize = PIECE_BYTES + 16 * 1024;
        if self.moves.is_empty() {
            return;
        }
        let at = pick % self.moves.len();
        let Move { fork, slot, target, keys, .. } = &mut self.moves[at];
        let mut run = Vec::new();
        let copied = self.shard.copy_fork(*fork, bytes_max, &mut run).expect("the fork is open");
        assert!(run.len() <= bytes_max + BEYOND_MAX, "{} bytes for {bytes_max}", run.len());
        // Cut anywhere between two effects.
        let (mut rest, mut items) = (Run::new(&run), 0);
        while !rest.rest().is_empty() {
            items += target.apply_part(*slot, &mut rest, bytes_max / 3).expect("effects that fit");
        }
        assert_eq!(items, copied.items);
        *keys += copied.keys;
        if copied.more {
            return;
        }
        let Move { fork, watch, slot, target, keys } = self.moves.swap_remove(at);
        assert_eq!(self.shard.fork_keys(fork), Ok(keys));
        self.shard.close_fork(fork);
        let mut watched = Watched { id: watch, slot, copy: target };
        let mut last = 0;
        loop {
            run.clear();
            let taken = self.shard.take_deltas(watch, bytes_max, &mut run);
            last += taken.count;
            assert_eq!(taken.last_sequence, last);
            assert_eq!(watched.copy.apply_run(slot, &run), Ok(taken.count), "effects that fit");
            if taken.count == 0 {
                break;
            }
        }
        assert_eq!((watched.copy.keys(), watched.copy.expiring_keys()), (0, 0), "staged keys do not count");
        watched.copy.promote(slot);
        self.compare(&watched);
        self.watched.push(watched);
    }

    fn compare(&self, watched: &Watched) {
        let (copy, slot) = (&watched.copy, watched.slot);
        let source = slot_contents(&self.shard, slot, 0);
        assert_eq!(slot_contents(copy, slot, 0), source, "the copy follows its source");
        assert_eq!(copy.slot_keys(slot), self.shard.slot_keys(slot));
        assert_eq!(copy.keys(), self.shard.slot_keys(slot));
        let expiring = |shard: &Shard| shard.slots[slot.number()].table.expiring;
        assert_eq!(expiring(copy), expiring(&self.shard));
        assert_eq!(copy.expiring_keys(), u64::from(expiring(copy)));
    }

    fn check(&mut self) {
        self.settle();
        for (number, tag) in [b"0", b"1"].into_iter().enumerate() {
            let mut contents = slot_contents(&self.shard, SlotId::of(tag), self.now_ms);
            contents.retain(|_, (value, _)| *value != Value::Hash(Fields::new()));
            assert_eq!(contents, self.slots[number]);
        }
        for watched in &mut self.watched {
            let mut run = Vec::new();
            let taken = self.shard.take_deltas(watched.id, usize::MAX, &mut run);
            assert_eq!(watched.copy.apply_run(watched.slot, &run), Ok(taken.count), "effects that fit");
        }
        self.watched.iter().for_each(|watched| self.compare(watched));
    }

    fn finish(mut self) {
        while !self.walks.is_empty() {
            self.walk_fork(0, 1000);
        }
        while !self.moves.is_empty() {
            self.copy_move(0, 1000);
        }
        self.check();
        assert_eq!(self.shard.forks_open(), 0);
        while self.shard.reclaim(100) {}
        assert_eq!(self.shard.retained_bytes(), 0, "nothing is retained without forks");
        let bytes: u64 = [b"0", b"1"].into_iter().map(|tag| self.shard.slot_bytes(SlotId::of(tag))).sum();
        assert_eq!(bytes, self.shard.memory.live_bytes(), "the slots account for all that lives");
        assert_eq!(bytes, self.shard.used_bytes());
        self.shard.flush();
        while self.shard.reclaim(100) {}
        assert_eq!(self.shard.used_bytes(), 0, "accounting returns to what it was");
        assert_eq!((self.shard.keys(), self.shard.expiring_keys()), (0, 0));
    }
}

fn restore(shard: &mut Shard, key: &[u8], value: &Value, at: Option<u64>) {
    let key = shard.key(key);
    let mut write = shard.write(&key, 0);
    let expiry = |at: Option<u64>| at.map_or(Expiry::Clear, Expiry::At);
    match value {
        Value::Text(text) => write.set(text, expiry(at)).expect("room"),
        Value::Hash(fields) => {
            for (name, (value, at)) in fields {
                write.hash_set(name, value, expiry(*at)).expect("room");
            }
            write.set_expiry(at).expect("room");
        }
    }
}

proptest! {
    #[test]
    fn forks_deltas_and_accounts_hold_for_random_programs(program in steps()) {
        let mut world = World::new();
        for (seed, step) in program.into_iter().enumerate() {
            world.run(seed as u64, step);
        }
        world.check();
        world.finish();
    }
}

/// What a hash of short fields costs: two bytes a field beside name and value, rounded up to a size class.
#[test]
fn a_short_hash_costs_what_it_holds() {
    let mut shard = shard();
    let cost = |shard: &mut Shard, name: &[u8], value_length: usize| {
        let key = shard.key(name);
        let names: Vec<String> = (10..26).map(|field| format!("field:{field}")).collect();
        let value = vec![b'v'; value_length];
        let fields = names.iter().map(|field| (field.as_bytes(), value.as_slice()));
        assert_eq!(shard.write(&key, 0).hash_set_many(fields, Expiry::Clear), Ok(16));
        let entry = shard.peek(&key, 0).expect("the hash was just set");
        assert_eq!(entry.encoding(), "listpack");
        shard.memory().object_bytes(shard.lookup(&key).expect("the hash was just set").object)
    };
    // 8 bytes of header, 8 of key, 16 fields of 2 + 8 + value.
    assert_eq!(cost(&mut shard, b"hash:100", 16), 448, "432 bytes");
    assert_eq!(cost(&mut shard, b"hash:200", 24), 576, "560 bytes");
    assert_eq!(cost(&mut shard, b"hash:300", 32), 704, "688 bytes");
}

#[test]
fn an_empty_list_of_fields_makes_no_key() {
    let mut shard = shard();
    let key = shard.key(b"hash");
    assert_eq!(shard.write(&key, 0).hash_set_many(std::iter::empty(), Expiry::Clear), Ok(0));
    assert_eq!(shard.write(&key, 0).hash_remove_many(std::iter::empty()), Ok(0));
    assert_eq!((shard.keys(), shard.used_bytes()), (0, 0));
}

#[test]
fn a_fork_sees_the_fields_of_a_hash_that_changed_and_went() {
    for replaces in [false, true] {
        let mut shard = shard();
        shard.set_limits(ShardLimits { packed_fields_max: 0, ..ShardLimits::default() });
        let key = shard.key(b"hash");
        shard.write(&key, 0).hash_set(b"old", b"value", Expiry::Clear).expect("room");
        let fork = shard.fork(key.slot());
        // The change gives the hash an object that the fork does not see, above a field that it does.
        shard.write(&key, 0).hash_set(b"new", b"value", Expiry::Clear).expect("room");
        if replaces {
            shard.write(&key, 0).set(b"text", Expiry::Clear).expect("room");
        } else {
            shard.write(&key, 0).remove().expect("room");
        }
        while shard.reclaim(10) {}
        let other = shard.key(b"other");
        shard.write(&other, 0).hash_set(b"elsewhere", b"garbage", Expiry::Clear).expect("room");
        let mut fields = Vec::new();
        let show = |item: ForkItem<'_>| {
            if let ForkValue::Field(field) = item.value {
                fields.push((field.name.to_vec(), field.value.bytes().into_owned()));
            }
        };
        assert_eq!(shard.walk_fork(fork, 100, show), Ok(false));
        assert_eq!(fields, [(b"old".to_vec(), b"value".to_vec())]);
        shard.close_fork(fork);
        while shard.reclaim(10) {}
        assert_eq!(shard.retained_bytes(), 0);
    }
}

#[test]
fn a_look_counts_but_is_no_use() {
    let mut shard = shard();
    let key = shard.key(b"k");
    shard.write(&key, 10_000).set(b"v", Expiry::At(30_000)).unwrap();
    assert_eq!(shard.look(&key, 12_000).and_then(|entry| entry.idle_s()), Some(2));
    assert_eq!(shard.look(&key, 13_000).and_then(|entry| entry.idle_s()), Some(3));
    assert_eq!(shard.find(&key, 14_000).and_then(|entry| entry.idle_s()), Some(0));
    assert!(shard.look(&key, 30_000).is_none());
    assert_eq!((shard.stats().hits, shard.stats().misses, shard.keys()), (3, 1, 0));
}

#[test]
fn retained_memory_never_passes_its_ceiling() {
    const CEILING: u64 = 1 << 20;
    /// What one write may retain: a leaf, the inner nodes above it, and the object.
    const ONE_WRITE: u64 = 8 * 1024;
    let limits = ShardLimits { fork_retained_bytes_max: CEILING, ..ShardLimits::default() };
    let mut shard = Shard::new(HashSeed(3), limits).expect("address space");
    let slot = SlotId::of(b"t");
    let set = |shard: &mut Shard, number: u32, fill: u8| {
        let name = format!("{{t}}:{number}");
        let key = shard.key(name.as_bytes());
        shard.write(&key, 1).set(&[fill; 100], Expiry::Clear).expect("room");
        assert!(shard.retained_bytes() <= CEILING + ONE_WRITE, "{} bytes retained", shard.retained_bytes());
    };
    (0..30_000).for_each(|number| set(&mut shard, number, 1));
    let used = shard.used_bytes();
    let forks = [shard.fork(slot), shard.fork(slot)];
    (0..30_000).for_each(|number| set(&mut shard, number, 2));
    for fork in forks {
        let walked = shard.walk_fork(fork, 10, |_| ());
        assert_eq!(
            walked,
            Err(ForkError::Overrun),
            "the fork's owner is told, and sees nothing that is not so"
        );
        shard.close_fork(fork);
    }
    assert_eq!(shard.stats().forks_overrun, 2);
    while shard.reclaim(100) {}
    assert_eq!((shard.retained_bytes(), shard.used_bytes()), (0, used));
    let again = shard.fork(slot);
    let mut seen = 0;
    while shard.walk_fork(again, 100, |_| seen += 1).expect("a new fork is walked from its beginning") {}
    assert_eq!(seen, 30_000);
}
