//! Splitting a cap among those who want a part of it: cores of a process that share nothing else.

/// Splits `rate` so that nobody gets more than it wants, and what some do not want goes to the others in even parts.
pub fn shares(rate: u64, wanted: &[u64]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|index| wanted[*index]);
    let (mut left, mut given) = (rate, vec![0; wanted.len()]);
    for (position, index) in order.into_iter().enumerate() {
        let even = left / (wanted.len() - position) as u64;
        given[index] = wanted[index].min(even);
        left -= given[index];
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_some_leave_goes_to_the_others() {
        for (rate, wanted, given) in [
            (90, vec![100, 100, 100], vec![30, 30, 30]),
            (90, vec![10, 100, 100], vec![10, 40, 40]),
            (90, vec![100, 0, 50], vec![45, 0, 45]),
            (90, vec![10, 20], vec![10, 20]),
            (90, vec![], vec![]),
        ] {
            assert_eq!(shares(rate, &wanted), given);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_wasted_and_nothing_invented(
            rate in 0u64..1 << 40, wanted in proptest::collection::vec(0u64..1 << 38, 1..20)
        ) {
            let given = shares(rate, &wanted);
            let (total, sum): (u64, u64) = (wanted.iter().sum(), given.iter().sum());
            prop_assert!(given.iter().zip(&wanted).all(|(given, wanted)| given <= wanted));
            prop_assert!(sum <= rate && sum + wanted.len() as u64 >= rate.min(total));
        }
    }
}
