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

/// Cuts slots into batches of up to `batch_slots`, the hottest first; among equally hot ones the larger first, then by number.
pub fn batches(weights: &[SlotWeight], batch_slots: usize) -> Vec<Vec<SlotId>> {
    let mut order: Vec<&SlotWeight> = weights.iter().collect();
    order.sort_by(|one, two| {
        (two.load, two.bytes).cmp(&(one.load, one.bytes)).then_with(|| one.slot.cmp(&two.slot))
    });
    let slots: Vec<SlotId> = order.into_iter().map(|weight| weight.slot).collect();
    slots.chunks(batch_slots.max(1)).map(<[SlotId]>::to_vec).collect()
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
    fn the_hottest_go_first() {
        let weights =
            [weight(1, 10, 0), weight(2, 10, 5), weight(3, 20, 0), weight(4, 10, 0), weight(0, 0, 9)];
        let numbers: Vec<Vec<usize>> = batches(&weights, 2)
            .iter()
            .map(|batch| batch.iter().map(|slot| slot.number()).collect())
            .collect();
        assert_eq!(numbers, [vec![0, 2], vec![3, 1], vec![4]]);
        assert!(batches(&[], 2).is_empty());
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
