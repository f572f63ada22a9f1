//! Cutting a job into batches, hottest slots first, and estimating what it will take.

use whimbrel_engine::key::SlotId;

/// What is known of a slot before it is moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotWeight {
    /// The slot.
    pub slot: SlotId,
    /// Its keys.
    pub keys: u64,
    /// Its bytes.
    pub bytes: u64,
    /// How much it is used, in any unit: the hottest go first, so that what is moved early is what relieves the source.
    pub load: u64,
}

/// What a job will take, as far as can be told.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Estimate {
    /// Slots.
    pub slots: u64,
    /// Keys.
    pub keys: u64,
    /// Bytes.
    pub bytes: u64,
    /// Time at the rate that was assumed.
    pub duration_ms: u64,
    /// Batches, each with a hand-over of its own.
    pub batches: u32,
}

/// Neighbouring slots that go together, the hottest such runs first. A map in which single slots lie scattered would be long,
/// for every client that asks for it and for whoever adopts it during a pause.
pub const RUN_SLOTS: usize = 64;

/// Cuts slots into batches of up to `batch_slots`: the hottest runs of neighbouring slots first, and within a batch the hottest
/// slots; among equally hot ones the larger first, then by number.
pub fn batches(weights: &[SlotWeight], batch_slots: usize) -> Vec<Vec<SlotId>> {
    let batch_slots = batch_slots.max(1);
    let run_slots = RUN_SLOTS.min(batch_slots);
    let mut sorted = weights.to_vec();
    sorted.sort_unstable_by_key(|weight| weight.slot);
    let run = |weight: &SlotWeight| weight.slot.number() / run_slots;
    let mut runs: Vec<&[SlotWeight]> = sorted.chunk_by(|one, two| run(one) == run(two)).collect();
    runs.sort_by_cached_key(|run| std::cmp::Reverse(run.iter().map(|weight| weight.load).sum::<u64>()));
    let mut order: Vec<SlotWeight> = runs.concat();
    let batches = order.chunks_mut(batch_slots).map(|batch| {
        batch.sort_unstable_by_key(|weight| {
            std::cmp::Reverse((weight.load, weight.bytes, std::cmp::Reverse(weight.slot)))
        });
        batch.iter().map(|weight| weight.slot).collect()
    });
    batches.collect()
}

/// What moving these slots takes at so many bytes a second, writes to them not counted.
pub fn estimate(weights: &[SlotWeight], batch_slots: usize, bytes_per_second: u64) -> Estimate {
    let bytes: u64 = weights.iter().map(|weight| weight.bytes).sum();
    let duration_ms = u128::from(bytes) * 1000 / u128::from(bytes_per_second.max(1));
    Estimate {
        slots: weights.len() as u64,
        keys: weights.iter().map(|weight| weight.keys).sum(),
        bytes,
        duration_ms: u64::try_from(duration_ms).unwrap_or(u64::MAX),
        batches: weights.len().div_ceil(batch_slots.max(1)) as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weight(number: usize, bytes: u64, load: u64) -> SlotWeight {
        SlotWeight { slot: SlotId::new(number).expect("a slot"), keys: 2, bytes, load }
    }

    #[test]
    fn the_hottest_runs_go_first() {
        let weights = [
            weight(1, 10, 0),
            weight(2, 10, 0),
            weight(3, 20, 5),
            weight(4, 10, 0),
            weight(0, 0, 4),
            weight(5, 9, 0),
        ];
        let numbers = |batch_slots| -> Vec<Vec<usize>> {
            let batches = batches(&weights, batch_slots);
            batches.iter().map(|batch| batch.iter().map(|slot| slot.number()).collect()).collect()
        };
        assert_eq!(numbers(2), [vec![3, 2], vec![0, 1], vec![4, 5]]);
        assert_eq!(numbers(4), [vec![3, 0, 1, 2], vec![4, 5]]);
        assert_eq!(numbers(0), [[3], [0], [1], [2], [4], [5]]);
        assert!(batches(&[], 2).is_empty());
    }

    #[test]
    fn what_is_equally_hot_goes_in_runs() {
        let weights: Vec<_> =
            (0..8192).map(|number| weight(number, (number * 7919 % 1000) as u64, 0)).collect();
        for (index, mut batch) in batches(&weights, 2048).into_iter().enumerate() {
            batch.sort_unstable();
            let numbers: Vec<usize> = batch.iter().map(|slot| slot.number()).collect();
            assert_eq!(numbers, (index * 2048..(index + 1) * 2048).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_estimate_adds_up() {
        let weights: Vec<_> = (0..5).map(|number| weight(number, 1_000_000, 0)).collect();
        let estimate = estimate(&weights, 2, 2_000_000);
        assert_eq!(
            estimate,
            Estimate { slots: 5, keys: 10, bytes: 5_000_000, duration_ms: 2500, batches: 3 }
        );
    }
}
