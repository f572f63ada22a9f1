//! DEBUG SET-ACTIVE-EXPIRE: whether expired keys are removed in the background. Readers never see them either way.

use crate::commands::{CommandError, PartContext};
use crate::number::parse_i64;
use crate::resp::Arguments;

/// What is no number counts as zero, as in Redis.
pub fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let sweeps = parse_i64(arguments.at(2)).is_some_and(|number| number != 0);
    context.core.shard.set_active_expire(sweeps);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::allowed::tests::bench;

    #[test]
    fn expired_keys_stay_until_they_are_swept_again() {
        let mut bench = bench();
        bench.check(
            "
            DEBUG SET-ACTIVE-EXPIRE 0 -> +OK
            SET k v PX 10 -> +OK
            @after 100000
            ",
        );
        let mut sweep = |expected: u64| {
            let now_ms = bench.now.unix_ms;
            bench.core.shard.background(now_ms, &mut |_| true);
            assert_eq!(bench.core.shard.keys(), expected);
            bench.check("DEBUG SET-ACTIVE-EXPIRE 1 -> +OK");
        };
        sweep(1);
        sweep(0);
    }
}
