//! LATENCY GRAPH: the spikes of an event drawn in characters, each with its age below it.

use std::fmt::Write;

use super::series::{Sample, Series};

const COLUMNS: usize = 80;
const ROWS: usize = 4;

/// How far a column reaches into a row, from a third to the whole of it.
const LEVELS: [char; 3] = ['_', 'o', '#'];

/// What stands below the top of a column.
const FULL: char = '|';

impl Series {
    /// The drawing, under a line that tells the highest and the lowest spike. Empty if there was no spike.
    #[must_use]
    pub fn graph(&self, event: &str, now_unix_seconds: u64) -> String {
        let samples: Vec<Sample> = self.samples().collect();
        let latencies = || samples.iter().map(|sample| sample.latency_ms);
        let (Some(high), Some(low)) = (latencies().max(), latencies().min()) else { return String::new() };
        let mut out = format!(
            "{event} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n",
            self.worst_ms(),
            "-".repeat(COLUMNS)
        );
        for (index, columns) in samples.chunks(COLUMNS).enumerate() {
            if index > 0 {
                out.push('\n');
            }
            draw(&mut out, columns, high, low);
            label(&mut out, columns, now_unix_seconds);
        }
        out
    }
}

fn draw(out: &mut String, columns: &[Sample], high: u64, low: u64) {
    let steps = (ROWS * LEVELS.len()) as u64;
    for row in (0..ROWS).rev() {
        for column in columns {
            let above_low = u128::from(column.latency_ms - low) * u128::from(steps);
            let step = (above_low / u128::from((high - low).max(1))).min(u128::from(steps - 1)) as usize;
            out.push(match step.checked_sub(row * LEVELS.len()) {
                None => ' ',
                Some(level) => LEVELS.get(level).copied().unwrap_or(FULL),
            });
        }
        out.push('\n');
    }
}

/// Writes the ages from top to bottom.
fn label(out: &mut String, columns: &[Sample], now_unix_seconds: u64) {
    let ages: Vec<String> =
        columns.iter().map(|column| age(now_unix_seconds.saturating_sub(column.unix_seconds))).collect();
    let height = ages.iter().map(String::len).max().unwrap_or(0);
    let _ = writeln!(out, "{}", " ".repeat(columns.len()));
    for line in 0..height {
        out.extend(ages.iter().map(|age| age.as_bytes().get(line).map_or(' ', |byte| char::from(*byte))));
        out.push('\n');
    }
}

fn age(seconds: u64) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match seconds {
        0..MINUTE => format!("{seconds}s"),
        MINUTE..HOUR => format!("{}m", seconds / MINUTE),
        HOUR..DAY => format!("{}h", seconds / HOUR),
        DAY.. => format!("{}d", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(samples: impl IntoIterator<Item = (u64, u64)>, now: u64) -> Vec<String> {
        let mut series = Series::default();
        for (unix_seconds, latency_ms) in samples {
            series.add(Sample { unix_seconds, latency_ms });
        }
        series.graph("command", now).lines().map(str::to_owned).collect()
    }

    #[test]
    fn columns_with_their_ages() {
        let lines = graph([(0, 10), (89_990, 60), (96_900, 110), (99_990, 35)], 100_000);
        let expected = [
            "command - high 110 ms, low 10 ms (all time high 110 ms)",
            &"-".repeat(80),
            "  # ",
            " _| ",
            " ||_",
            "_|||",
            "    ",
            "1251",
            "dh10",
            "  ms",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn flat_and_empty() {
        assert_eq!(graph([], 0), [] as [&str; 0]);
        let lines = graph([(1, 5), (2, 5)], 2);
        assert_eq!(lines[2..], ["  ", "  ", "  ", "__", "  ", "10", "ss"]);
    }

    #[test]
    fn a_long_history_takes_two_drawings() {
        let lines = graph((0..100).map(|second| (second, second)), 100);
        assert_eq!(lines[2].len(), 80);
        assert_eq!(lines[6 + 1 + 3], "");
        assert_eq!(lines[11].len(), 20);
    }
}
