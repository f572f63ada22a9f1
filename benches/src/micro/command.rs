//! `whimbrel-bench micro`: all micro benchmarks, one line each.

use std::io::{self, Write};

use super::{fork, memory, moving, parse, shard};

/// Runs all and prints a line for each.
pub fn micro(out: &mut impl Write) -> io::Result<()> {
    let mut figures = parse::figures();
    for part in [memory::figures(), shard::figures(), fork::figures(), moving::figures()] {
        figures.extend(part.map_err(io::Error::other)?);
    }
    for figure in figures {
        writeln!(out, "{:8.1} ns  {}", figure.nanoseconds, figure.name)?;
    }
    Ok(())
}
