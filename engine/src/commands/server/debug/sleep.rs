//! DEBUG SLEEP: stops the core that holds the connection for a while.

use crate::commands::{CommandError, PartContext};
use crate::core::Action;
use crate::number::parse_f64;
use crate::resp::Arguments;

/// What is no number counts as zero, as in Redis.
pub fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let seconds = parse_f64(arguments.at(2)).filter(|seconds| seconds.is_finite()).unwrap_or(0.0);
    let microseconds = (seconds * 1e6) as u64;
    if context.session.is_some() && microseconds > 0 {
        context.core.actions.push(Action::Sleep { microseconds });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::allowed::tests::bench;
    use crate::core::Action;

    #[test]
    fn the_process_sleeps_not_the_engine() {
        let mut bench = bench();
        bench.check(
            "
            DEBUG SLEEP 0 -> +OK
            DEBUG SLEEP -1 -> +OK
            DEBUG SLEEP x -> +OK
            DEBUG SLEEP inf -> +OK
            ",
        );
        assert_eq!(bench.actions, []);
        bench.check("DEBUG sleep 0.25 -> +OK");
        assert_eq!(bench.actions, [Action::Sleep { microseconds: 250_000 }]);
    }
}
