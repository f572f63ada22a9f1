//! For how long moves held the cores of source and target, as these measure it themselves.

use std::io;

use crate::scenario::moves::figures::{Figure, Figures};
use crate::wire::control::Control;

/// The longest turns of a node since they were last forgotten, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Turns {
    /// Of move work.
    moving: f64,
    /// How many of those there were since the start.
    moving_count: f64,
    /// And of more than a millisecond.
    moving_long: f64,
    /// Of the whole loop.
    looping: f64,
    /// Of background work in which something was freed.
    freeing: f64,
    /// Things that wait to be freed.
    waiting: f64,
}

/// Has both nodes measure anew.
pub fn forget(nodes: &mut [Control; 2]) -> io::Result<()> {
    nodes.iter_mut().try_for_each(|node| node.ask_well(&["CONFIG", "RESETSTAT"]).map(drop))
}

/// Reads what the move has held so far, before anything is dropped: apart, where the drop is looked at by itself.
pub fn while_moving(nodes: &mut [Control; 2]) -> io::Result<Figures> {
    let [source, target] = read_both(nodes)?;
    Ok([
        (Figure::SourceMoveTurnUs, source.moving),
        (Figure::TargetMoveTurnUs, target.moving),
        (Figure::LongMoveTurns, source.moving_long + target.moving_long),
        (Figure::MoveTurns, source.moving_count + target.moving_count),
        (Figure::SourceLoopUs, source.looping),
        (Figure::TargetLoopUs, target.looping),
    ]
    .into())
}

/// Reads what the drop of what has moved has held. It must be over.
pub fn while_dropping(nodes: &mut [Control; 2]) -> io::Result<Figures> {
    let [source, _] = read_both(nodes)?;
    if source.waiting > 0.0 {
        return Err(io::Error::other(format!("{} things wait to be freed at the source", source.waiting)));
    }
    Ok([(Figure::SourceDropLoopUs, source.looping), (Figure::SourceDropTurnUs, source.freeing)].into())
}

fn read_both(nodes: &mut [Control; 2]) -> io::Result<[Turns; 2]> {
    let [source, target] = nodes;
    Ok([read(source)?, read(target)?])
}

/// INFO takes long itself, but what it shows was measured before.
fn read(node: &mut Control) -> io::Result<Turns> {
    let reply = node.ask_well(&["INFO", "cores", "migration", "memory"])?;
    parse(reply.text().unwrap_or_default())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "INFO tells no longest turns"))
}

fn parse(info: &str) -> Option<Turns> {
    let line =
        |name: &str| info.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'));
    let number = |name: &str| line(name)?.parse().ok();
    let of_cores = |name: &str| {
        let cores = info.lines().filter(|line| line.starts_with("core") && line.contains('='));
        let values = cores.filter_map(|core| {
            let (_, fields) = core.trim_end().split_once(':')?;
            fields
                .split(',')
                .find_map(|field| field.strip_prefix(name)?.strip_prefix('=')?.parse::<f64>().ok())
        });
        values.reduce(f64::max)
    };
    Some(Turns {
        moving: number("migration_turn_us_max")?,
        moving_count: number("migration_turns")?,
        moving_long: number("migration_turns_over_1ms")?,
        looping: of_cores("turn_ran_usec_max")?,
        freeing: of_cores("reclaim_turn_usec_max")?,
        waiting: number("lazyfree_pending_objects")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_all_cores_is_read() {
        let info = "# Cores\r\ncore0:cpu=0,turn_usec_max=9,turn_ran_usec_max=7,reclaim_turn_usec_max=3\r\n\
                    core1:cpu=1,turn_usec_max=9,turn_ran_usec_max=8,reclaim_turn_usec_max=2\r\n\
                    migration_turn_us_max:5\r\nmigration_turns:90\r\nmigration_turns_over_1ms:1\r\nlazyfree_pending_objects:1\r\n";
        let turns = Turns {
            moving: 5.0,
            moving_count: 90.0,
            moving_long: 1.0,
            looping: 8.0,
            freeing: 3.0,
            waiting: 1.0,
        };
        assert_eq!(parse(info), Some(turns));
        assert_eq!(parse("core0:cpu=0\r\n"), None);
    }
}
