//! For how long a node's cores were held, as it measures that itself.

use std::io;

use crate::wire::control::Control;

/// The turns of a node since they were last forgotten; the longest in microseconds of the cores' own time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Turns {
    /// The longest of move work.
    pub moving: f64,
    /// How many of those there were.
    pub moving_count: f64,
    /// And of more than a millisecond.
    pub moving_long: f64,
    /// The longest of the whole loop.
    pub looping: f64,
    /// The longest of background work in which something was freed.
    pub freeing: f64,
}

/// Has a node measure anew.
pub fn forget(node: &mut Control) -> io::Result<()> {
    node.ask_well(&FORGET).map(drop)
}

/// Reads what a node has measured and has it measure anew. Both are asked for at once, so that hardly a turn lies between.
pub fn read_and_forget(node: &mut Control) -> io::Result<Turns> {
    // INFO takes long itself, but what it shows was measured before.
    let [info, _] = node.ask_both_well(&["INFO", "cores", "migration"], &FORGET)?;
    parse(info.text().unwrap_or_default()).ok_or_else(|| untold("longest turns"))
}

/// Nothing that has moved away waits to be freed any more: what is told of the drop is the whole of it.
pub fn expect_all_freed(source: &mut Control) -> io::Result<()> {
    let info = source.ask_well(&["INFO", "memory"])?;
    let waiting = number(info.text().unwrap_or_default(), "lazyfree_pending_objects");
    match waiting.ok_or_else(|| untold("things that wait to be freed"))? {
        0.0 => Ok(()),
        count => Err(io::Error::other(format!("{count} things wait to be freed at the source"))),
    }
}

const FORGET: [&str; 2] = ["CONFIG", "RESETSTAT"];

fn untold(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("INFO tells no {what}"))
}

fn parse(info: &str) -> Option<Turns> {
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
        moving: number(info, "migration_turn_us_max")?,
        moving_count: number(info, "migration_turns")?,
        moving_long: number(info, "migration_turns_over_1ms")?,
        looping: of_cores("turn_ran_usec_max")?,
        freeing: of_cores("reclaim_turn_usec_max")?,
    })
}

fn number(info: &str, name: &str) -> Option<f64> {
    let mut lines = info.lines();
    lines.find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_all_cores_is_read() {
        let info = "# Cores\r\ncore0:cpu=0,turn_usec_max=9,turn_ran_usec_max=7,reclaim_turn_usec_max=3\r\n\
                    core1:cpu=1,turn_usec_max=9,turn_ran_usec_max=8,reclaim_turn_usec_max=2\r\n\
                    migration_turn_us_max:5\r\nmigration_turns:90\r\nmigration_turns_over_1ms:1\r\n";
        let turns = Turns { moving: 5.0, moving_count: 90.0, moving_long: 1.0, looping: 8.0, freeing: 3.0 };
        assert_eq!(parse(info), Some(turns));
        assert_eq!(parse("core0:cpu=0\r\n"), None);
    }
}
