//! DEBUG FORK-WALK: forks every slot and walks the forks in the background, to measure what that costs the data path.

use crate::commands::{CommandError, PartContext};
use crate::core::ForkWalk;
use crate::number::parse_i64;
use crate::resp::Arguments;

const NOT_POSITIVE: CommandError =
    CommandError::Static("ERR number of rounds should be an integer greater than 0");

/// Begins a walk on this core. One that is under way ends where it is.
pub fn part(context: &mut PartContext<'_>, arguments: &Arguments<'_>) -> Result<(), CommandError> {
    let rounds = match arguments.opt(2) {
        None => 1,
        Some(text) => parse_i64(text)
            .and_then(|rounds| u32::try_from(rounds).ok())
            .filter(|rounds| *rounds > 0)
            .ok_or(NOT_POSITIVE)?,
    };
    let core = &mut *context.core;
    if let Some(walk) = core.fork_walk.replace(ForkWalk::new(rounds)) {
        walk.end(&mut core.shard);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::allowed::tests::bench;

    #[test]
    fn walks_in_the_background() {
        let mut bench = bench();
        bench.check(
            "
            MSET a 1 b 2 c 3 -> +OK
            DEBUG FORK-WALK 0 -> -ERR number of rounds should be an integer greater than 0
            DEBUG FORK-WALK x -> -ERR number of rounds should be an integer greater than 0
            DEBUG FORK-WALK 1 2 -> -ERR unknown subcommand or wrong number of arguments for 'FORK-WALK'. Try DEBUG HELP.
            ",
        );
        assert!(bench.core.fork_walk.is_none());
        bench.check("DEBUG FORK-WALK -> +OK");
        assert!(bench.core.walk_forks(1));
        bench.check("DEBUG FORK-WALK 2 -> +OK");
        assert_eq!(bench.core.shard.forks_open(), 0, "the first walk's fork was closed");
        while bench.core.walk_forks(10) {}
        assert!(bench.core.fork_walk.is_none());
        assert_eq!((bench.core.shard.forks_open(), bench.core.shard.retained_bytes()), (0, 0));
        bench.check("DBSIZE -> :3");
    }
}
