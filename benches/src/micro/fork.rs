//! Forks: opening one costs the same whatever the slot holds, and what a write costs behind one.

use whimbrel_engine::arena::ArenaError;
use whimbrel_engine::key::{HashSeed, SlotId};
use whimbrel_engine::shard::{Expiry, Shard, ShardLimits};

use super::timing::{Figure, scatter, time};

const NOW_MS: u64 = 1;

/// A shard with `count` keys in one slot, which a hash tag holds together.
fn one_slot(count: usize) -> Result<Shard, ArenaError> {
    let mut shard = Shard::new(HashSeed(1), ShardLimits::default())?;
    for number in 0..count {
        set(&mut shard, number)?;
    }
    Ok(shard)
}

fn set(shard: &mut Shard, number: usize) -> Result<(), ArenaError> {
    let name = format!("{{tag}}:{number:09}");
    let key = shard.key(name.as_bytes());
    shard.write(&key, NOW_MS).set(&[b'v'; 64], Expiry::Clear)
}

/// Opening and closing a fork of a small slot and of a large one, and overwriting keys with and without a fork.
pub fn figures() -> Result<Vec<Figure>, ArenaError> {
    const LARGE: usize = 1_000_000;
    let slot = SlotId::of(b"{tag}");
    let open_and_close = |name, shard: &mut Shard| {
        time(name, 20_000, |_| {
            let fork = shard.fork(slot);
            shard.close_fork(fork);
        })
    };
    let mut small = one_slot(10)?;
    let mut large = one_slot(LARGE)?;
    let mut figures = vec![
        open_and_close("fork: open and close, slot of 10 keys", &mut small),
        open_and_close("fork: open and close, slot of 1,000,000 keys", &mut large),
    ];
    let overwrite = |name, shard: &mut Shard| {
        time(name, 20_000, |number| set(shard, scatter(number) as usize % LARGE).is_ok())
    };
    figures.push(overwrite("fork: overwrite a key of 1,000,000, no fork", &mut large));
    let fork = large.fork(slot);
    figures.push(overwrite("fork: overwrite a key of 1,000,000, ahead of an open fork", &mut large));
    large.close_fork(fork);
    Ok(figures)
}
