//! The shard: reads and writes of one key among many.

use whimbrel_engine::arena::ArenaError;
use whimbrel_engine::key::HashSeed;
use whimbrel_engine::shard::{Expiry, Shard, ShardLimits};

use super::timing::{Figure, scatter, time};

/// Keys in the shard.
const KEYS: usize = 1_000_000;

const NOW_MS: u64 = 1;

fn name(number: usize) -> String {
    format!("key:{number:012}")
}

/// Reads, overwrites, and inserts with removes, on keys of 16 bytes with values of 64.
pub fn figures() -> Result<Vec<Figure>, ArenaError> {
    let mut shard = Shard::new(HashSeed(1), ShardLimits::default())?;
    for number in 0..KEYS {
        let name = name(number);
        let key = shard.key(name.as_bytes());
        shard.write(&key, NOW_MS).set(&[b'v'; 64], Expiry::Clear)?;
    }
    let names: Vec<String> = (0..KEYS).map(|number| name(scatter(number) as usize % KEYS)).collect();
    let find = time("shard: find one of 1,000,000 keys, no batch", 200_000, |number| {
        let key = shard.key(names[number % KEYS].as_bytes());
        shard.find(&key, NOW_MS).is_some()
    });
    let batch = 64;
    let mut overlapped = time("shard: find one of 1,000,000 keys, in batches of 64", 4_000, |number| {
        let names = &names[number * batch % (KEYS - batch)..][..batch];
        let keys: Vec<_> = names.iter().map(|name| shard.key(name.as_bytes())).collect();
        keys.iter().for_each(|key| shard.prefetch_slot(key));
        keys.iter().for_each(|key| shard.prefetch_bucket(key));
        keys.iter().for_each(|key| shard.prefetch_object(key));
        keys.iter().filter(|key| shard.find(key, NOW_MS).is_some()).count()
    });
    overlapped.nanoseconds /= batch as f64;
    let overwrite = time("shard: overwrite one of 1,000,000 keys in place, no batch", 200_000, |number| {
        let key = shard.key(names[number % KEYS].as_bytes());
        shard.write(&key, NOW_MS).set(&[b'w'; 64], Expiry::Clear).is_ok()
    });
    let insert = time("shard: insert a key and remove it, among 1,000,000", 100_000, |number| {
        let name = name(KEYS + number);
        let key = shard.key(name.as_bytes());
        let stored = shard.write(&key, NOW_MS).set(&[b'v'; 64], Expiry::Clear).is_ok();
        stored && shard.write(&key, NOW_MS).remove() == Ok(true)
    });
    Ok(vec![find, overlapped, overwrite, insert])
}
