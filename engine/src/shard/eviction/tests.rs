//! Eviction on traces: limits hold, policies choose as they say, and the queues beat sampling on a mix.

use super::*;
use crate::core::Random;
use crate::key::HashSeed;
use crate::shard::Expiry;

const NOW: u64 = 1_700_000_000_000;

fn shard(policy: MaxmemoryPolicy) -> Shard {
    let limits = ShardLimits { policy, ..ShardLimits::default() };
    Shard::new(HashSeed(7), limits).expect("address space")
}

fn set(shard: &mut Shard, name: &str, now_ms: u64, expiry: Expiry) {
    let key = Key::new(name.as_bytes(), HashSeed(7));
    shard.write(&key, now_ms).set(&[b'v'; 80], expiry).expect("room");
}

fn is_there(shard: &Shard, name: &str, now_ms: u64) -> bool {
    shard.peek(&shard.key(name.as_bytes()), now_ms).is_some()
}

/// Numbers drawn by Zipf's law.
struct Zipf {
    sums: Vec<f64>,
}

impl Zipf {
    fn new(count: usize, exponent: f64) -> Zipf {
        let mut sum = 0.0;
        let sums = (1..=count).map(|rank| {
            sum += (rank as f64).powf(-exponent);
            sum
        });
        Zipf { sums: sums.collect() }
    }

    fn draw(&self, random: &mut Random) -> usize {
        let point = random.below(1 << 53) as f64 / (1u64 << 53) as f64 * self.sums[self.sums.len() - 1];
        self.sums.partition_point(|sum| *sum < point)
    }
}

/// Hits in percent of a cache that is asked for popular keys and, in between, scanned by keys that nobody asks for again.
fn hit_percent(policy: MaxmemoryPolicy, scan_every: usize) -> f64 {
    const REQUESTS: usize = 120_000;
    const BYTES_MAX: u64 = 400_000;
    let mut shard = shard(policy);
    let (zipf, mut random) = (Zipf::new(20_000, 0.9), Random::new(11));
    let mut hits = 0;
    let mut scanned = 0;
    let request = |shard: &mut Shard, name: &str, number: usize| {
        // A hundred requests a second, so that clocks tell something.
        let now_ms = NOW + number as u64 * 10;
        let there = shard.find(&Key::new(name.as_bytes(), HashSeed(7)), now_ms).is_some();
        if !there {
            assert_ne!(shard.make_room(BYTES_MAX, 64, now_ms), Room::Full);
            set(shard, name, now_ms, Expiry::Clear);
        }
        there
    };
    for number in 0..REQUESTS {
        let rank = zipf.draw(&mut random);
        hits += usize::from(request(&mut shard, &format!("key:{rank}"), number));
        if scan_every > 0 && number % (scan_every * 500) < 500 {
            scanned += 1;
            request(&mut shard, &format!("scan:{scanned}"), number);
        }
    }
    assert!(shard.charged_bytes() <= BYTES_MAX + BYTES_MAX / 20, "{}", shard.charged_bytes());
    hits as f64 * 100.0 / REQUESTS as f64
}

#[test]
fn queues_beat_samples_on_a_mix_with_scans() {
    for scan_every in [0, 3] {
        let queues = hit_percent(MaxmemoryPolicy::AllkeysS3fifo, scan_every);
        let lru = hit_percent(MaxmemoryPolicy::AllkeysLru, scan_every);
        let lfu = hit_percent(MaxmemoryPolicy::AllkeysLfu, scan_every);
        let random = hit_percent(MaxmemoryPolicy::AllkeysRandom, scan_every);
        let shown =
            format!("scans {scan_every}: s3fifo {queues:.2} lru {lru:.2} lfu {lfu:.2} random {random:.2}");
        eprintln!("{shown}");
        assert!(queues > lru + 2.0 && queues >= lfu && lru > random, "{shown}");
    }
}

#[test]
fn volatile_policies_spare_keys_that_never_expire() {
    for policy in [
        MaxmemoryPolicy::VolatileLru,
        MaxmemoryPolicy::VolatileLfu,
        MaxmemoryPolicy::VolatileTtl,
        MaxmemoryPolicy::VolatileRandom,
    ] {
        let mut shard = shard(policy);
        for number in 0..3000u64 {
            set(&mut shard, &format!("stays:{number}"), NOW, Expiry::Clear);
            let at = Expiry::At(NOW + 1_000_000 + number * 1000);
            set(&mut shard, &format!("goes:{number}"), NOW + number * 100, at);
        }
        let half = shard.charged_bytes() * 3 / 4;
        assert_eq!(shard.make_room(half, 20_000, NOW + 900_000), Room::Enough, "{policy:?}");
        let count = |prefix: &str, range: std::ops::Range<usize>| {
            range.filter(|n| is_there(&shard, &format!("{prefix}:{n}"), NOW)).count()
        };
        assert_eq!(count("stays", 0..3000), 3000);
        if matches!(policy, MaxmemoryPolicy::VolatileLru | MaxmemoryPolicy::VolatileTtl) {
            let (early, late) = (count("goes", 0..1500), count("goes", 1500..3000));
            assert!(late > early * 2, "{policy:?}: {early} of the early ones, {late} of the late ones stay");
        }
        assert_eq!(shard.make_room(0, 100_000, NOW), Room::Full);
        assert_eq!((shard.keys(), shard.expiring_keys()), (3000, 0));
    }
}

#[test]
fn nothing_is_evicted_without_a_policy_and_everything_can_be_with_one() {
    use crate::config::Choice;
    for policy in MaxmemoryPolicy::ALL.iter().copied().filter(|policy| !policy.volatile_only()) {
        let mut shard = shard(policy);
        (0..500).for_each(|number| set(&mut shard, &number.to_string(), NOW, Expiry::Clear));
        assert_eq!(shard.make_room(u64::MAX, 0, NOW), Room::Enough);
        assert_eq!(shard.make_room(0, 100, NOW) == Room::Full, policy == MaxmemoryPolicy::Noeviction);
        let room = shard.make_room(shard.eviction.bytes() + (1 << 17), 100_000, NOW);
        assert!(room == Room::Enough || policy == MaxmemoryPolicy::Noeviction, "{policy:?}");
        assert_eq!(shard.stats().evicted_keys, 500 - shard.keys());
        assert_eq!(shard.memory.live_bytes() + shard.memory.reclaiming_bytes(), shard.used_bytes());
    }
}

#[test]
fn a_change_of_policy_builds_the_queues_bit_by_bit() {
    let mut shard = shard(MaxmemoryPolicy::AllkeysLfu);
    (0..5000).for_each(|number| set(&mut shard, &number.to_string(), NOW, Expiry::Clear));
    let limits = ShardLimits { policy: MaxmemoryPolicy::AllkeysS3fifo, ..*shard.limits() };
    shard.set_limits(limits);
    assert!(shard.eviction.bytes() < 100);
    let half = shard.charged_bytes() / 2;
    assert_eq!(shard.make_room(half, 100_000, NOW), Room::Enough);
    while shard.build_queues() {}
    assert!((1500..3500).contains(&shard.keys()), "{} keys", shard.keys());
    // Overwriting with other sizes leaves stale references behind, which are cleaned away.
    for round in 0..40u8 {
        for number in 0..5000 {
            let name = number.to_string();
            let key = Key::new(name.as_bytes(), HashSeed(7));
            let value = vec![b'v'; 40 + usize::from(round % 2) * 40];
            shard.write(&key, NOW).set(&value, Expiry::Clear).expect("room");
        }
        while shard.clean_queues() {}
    }
    assert!(shard.eviction.bytes() < 150_000, "{} bytes for 5000 keys", shard.eviction.bytes());
    while shard.make_room(0, 1000, NOW) != Room::Full {}
    assert_eq!(shard.keys(), 0, "every key was in a queue");
    shard.set_limits(ShardLimits { policy: MaxmemoryPolicy::Noeviction, ..limits });
    assert_eq!(shard.eviction.bytes(), 0);
}

#[test]
fn what_waits_to_go_is_not_evicted_for_again() {
    let mut shard = shard(MaxmemoryPolicy::AllkeysS3fifo);
    for number in 0..2000 {
        set(&mut shard, &format!("{{a}}{number}"), NOW, Expiry::Clear);
        set(&mut shard, &format!("{{b}}{number}"), NOW, Expiry::Clear);
    }
    let slot = crate::key::SlotId::of(b"{a}");
    let fork = shard.fork(slot);
    let target = shard.charged_bytes() * 3 / 4;
    assert_eq!(shard.make_room(target, 100_000, NOW), Room::Enough);
    assert!(
        shard.keys() > 2600,
        "{} keys are left: the fork's share was not evicted for twice",
        shard.keys()
    );
    shard.close_fork(fork);
    while shard.reclaim(100) {}
    assert!(shard.used_bytes() <= target);
}
