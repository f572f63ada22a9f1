//! What was measured of one move, and the median of several.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scenario::sample::median;

/// One figure, named with its unit, in the order in which tables show them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// From the command to the word that it is done.
    MoveSeconds,
    /// Keys and values that changed hands, in megabytes a second.
    MovedMbPerSecond,
    /// CPU time of the source and its children beyond that of the same time without a move, per megabyte.
    SourceCpuMsPerMb,
    /// The slowest reply in a moving slot, from the command until a while after the move.
    WorstMovingMs,
    /// The slowest of those during which the machine did not stand still.
    UnstalledMovingMs,
    /// When it was due, from the nearest hand-over that the probe saw.
    UnstalledMovingAtMs,
    /// When the slowest of all was due, from the nearest hand-over that the probe saw.
    WorstMovingAtMs,
    /// The slowest in a moving slot while a hand-over was near.
    HandOverMs,
    /// The slowest of those during which the machine did not stand still.
    UnstalledHandOverMs,
    /// The slowest reply in the same slots under the same load without a move.
    CalmMovingMs,
    /// The slowest reply in a staying slot.
    WorstStayingMs,
    /// The slowest of those during which the machine did not stand still.
    UnstalledStayingMs,
    /// When the slowest of all was due, from the nearest hand-over.
    WorstStayingAtMs,
    /// The slowest reply in the same slots under the same load without a move.
    CalmStayingMs,
    /// How much slower than that the slowest reply in a staying slot was.
    AddedStayingMs,
    /// The same of the replies during which the machine did not stand still.
    UnstalledAddedStayingMs,
    /// The slowest reply in a staying slot from the last hand-over on: what the drop of the moved keys costs.
    AfterStayingMs,
    /// The longest pause of writes to moving slots, as the source counts it.
    PauseMs,
    /// The longest turn of move work of the source's cores, by their own time, as they measure it.
    SourceMoveTurnUs,
    /// The longest of those during which the machine did not stand still.
    UnstalledSourceMoveTurnUs,
    /// The median of the longest of each window.
    UnstalledSourceMoveTurnMedianUs,
    /// Windows with one of more than a millisecond.
    UnstalledSourceMoveTurnsLong,
    /// The longest turn of move work of the target's cores, by their own time.
    TargetMoveTurnUs,
    /// The longest of those during which the machine did not stand still.
    UnstalledTargetMoveTurnUs,
    /// The median of the longest of each window.
    UnstalledTargetMoveTurnMedianUs,
    /// Windows with one of more than a millisecond.
    UnstalledTargetMoveTurnsLong,
    /// Turns of move work of both that took more than a millisecond of a core's own time.
    LongMoveTurns,
    /// Windows with a turn of move work that took over a millisecond even without the stalls of that window.
    UnexplainedMoveTurns,
    /// All turns of move work of both.
    MoveTurns,
    /// The longest turn of the source's cores altogether, by their own time, until the target owned the slots.
    SourceLoopUs,
    /// The longest of those during which the machine did not stand still.
    UnstalledSourceLoopUs,
    /// The longest turn of the target's cores altogether, until it owned the slots.
    TargetLoopUs,
    /// The longest of those during which the machine did not stand still.
    UnstalledTargetLoopUs,
    /// The longest turn of the source's cores altogether, from then on.
    SourceDropLoopUs,
    /// The longest of those during which the machine did not stand still.
    UnstalledSourceDropLoopUs,
    /// The longest turn of background work of the source's cores in which something was freed, from then on.
    SourceDropTurnUs,
    /// The longest of those during which the machine did not stand still.
    UnstalledSourceDropTurnUs,
    /// The median of the longest of each window.
    UnstalledSourceDropTurnMedianUs,
    /// Windows with one of more than 50 µs.
    UnstalledSourceDropTurnsLong,
    /// 99 of 100 replies to the load are not above.
    LoadP99Us,
    /// The same without a move.
    CalmLoadP99Us,
    /// `LoadP99Us` of the replies that no stall of the machine has spoilt.
    UnstalledLoadP99Us,
    /// The same without a move.
    UnstalledCalmLoadP99Us,
    /// The slowest reply to the load.
    LoadWorstMs,
    /// The same without a move.
    CalmLoadWorstMs,
    /// SETs a second of the load.
    LoadRate,
    /// Errors that clients were shown.
    Errors,
    /// Commands of the load that were redirected, per connection.
    LoadRedirectsPerConnection,
    /// Commands of the probe in moving slots that were redirected, per slot.
    ProbeRedirectsPerSlot,
    /// Memory of the source and its children at the peak beyond that before the move.
    ExtraMemoryMb,
    /// Memory that the move retained at its peak, as the source counts it.
    RetainedMb,
    /// Keys and values that were overwritten in moving slots during the move.
    OverwrittenMb,
    /// What left the source for the target, headers included.
    LinkMb,
    /// Bytes that were sent again, as the source counts them.
    SentAgainMb,
    /// The most of it in any second.
    LinkMbInAnySecond,
    /// Keys that were on neither node or on both afterwards.
    KeysOff,
    /// Share of the time that the source was ready to run and something else had its CPU.
    SourceWaited,
    /// The longest time for which a CPU did nothing for anybody, from the command until a while after the move.
    StallMs,
    /// Share of the probes' replies that were due while a CPU did, or shortly after.
    Stalled,
    /// Windows in which turns were measured, of both nodes.
    TurnWindows,
    /// Those during which a CPU did nothing for anybody, or shortly after.
    StalledTurnWindows,
}

impl Figure {
    /// In words, for a table.
    pub fn words(self) -> &'static str {
        match self {
            Self::MoveSeconds => "time for the move, s",
            Self::MovedMbPerSecond => "moved, MB/s",
            Self::SourceCpuMsPerMb => "source CPU, ms per MB",
            Self::WorstMovingMs => "worst reply, moving slot, ms",
            Self::UnstalledMovingMs => "  while the machine ran, ms",
            Self::UnstalledMovingAtMs => "    due, from the hand-over, ms",
            Self::WorstMovingAtMs => "  due, from the hand-over, ms",
            Self::HandOverMs => "  at a hand-over, ms",
            Self::UnstalledHandOverMs => "    while the machine ran, ms",
            Self::CalmMovingMs => "  without a move, ms",
            Self::WorstStayingMs => "worst reply, staying slot, ms",
            Self::UnstalledStayingMs => "  while the machine ran, ms",
            Self::WorstStayingAtMs => "  due, from the hand-over, ms",
            Self::CalmStayingMs => "  without a move, ms",
            Self::AddedStayingMs => "  added by the move, ms",
            Self::UnstalledAddedStayingMs => "    while the machine ran, ms",
            Self::AfterStayingMs => "  after the hand-over, ms",
            Self::PauseMs => "longest pause of writes by its own count, ms",
            Self::SourceMoveTurnUs => "longest turn of move work, source, µs",
            Self::UnstalledSourceMoveTurnUs
            | Self::UnstalledTargetMoveTurnUs
            | Self::UnstalledSourceLoopUs
            | Self::UnstalledTargetLoopUs => "  while the machine ran, µs",
            Self::UnstalledSourceDropLoopUs | Self::UnstalledSourceDropTurnUs => {
                "    while the machine ran, µs"
            }
            Self::UnstalledSourceMoveTurnMedianUs | Self::UnstalledTargetMoveTurnMedianUs => {
                "    median of windows, µs"
            }
            Self::UnstalledSourceMoveTurnsLong | Self::UnstalledTargetMoveTurnsLong => {
                "    windows with over 1 ms"
            }
            Self::UnstalledSourceDropTurnMedianUs => "      median of windows, µs",
            Self::UnstalledSourceDropTurnsLong => "      windows with over 50 µs",
            Self::TargetMoveTurnUs => "longest turn of move work, target, µs",
            Self::LongMoveTurns => "turns of move work of over 1 ms",
            Self::UnexplainedMoveTurns => "  that stalls do not account for",
            Self::MoveTurns => "  of all turns",
            Self::SourceLoopUs => "longest turn of a core, source, µs",
            Self::TargetLoopUs => "longest turn of a core, target, µs",
            Self::SourceDropLoopUs => "  of the source during the drop, µs",
            Self::SourceDropTurnUs => "  of it that frees, µs",
            Self::LoadP99Us => "load p99, µs",
            Self::CalmLoadP99Us => "  without a move, µs",
            Self::UnstalledLoadP99Us => "  while the machine ran, µs",
            Self::UnstalledCalmLoadP99Us => "    without a move, µs",
            Self::LoadWorstMs => "load worst, ms",
            Self::CalmLoadWorstMs => "  without a move, ms",
            Self::LoadRate => "load, SET/s",
            Self::Errors => "errors shown to clients",
            Self::LoadRedirectsPerConnection => "redirects per connection of the load",
            Self::ProbeRedirectsPerSlot => "redirects per slot of the probe",
            Self::ExtraMemoryMb => "source's extra memory, MB",
            Self::RetainedMb => "retained by its own count, MB",
            Self::OverwrittenMb => "overwritten meanwhile, MB",
            Self::LinkMb => "sent over the link, MB",
            Self::SentAgainMb => "sent again by its own count, MB",
            Self::LinkMbInAnySecond => "sent in any second, MB",
            Self::KeysOff => "keys missing or double",
            Self::SourceWaited => "source waited for a CPU, %",
            Self::StallMs => "longest stall of the machine, ms",
            Self::Stalled => "  replies that it spoilt, %",
            Self::TurnWindows => "windows of turns",
            Self::StalledTurnWindows => "  that stalls spoilt",
        }
    }
}

/// The figures of one move.
pub type Figures = BTreeMap<Figure, f64>;

/// One cell on one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoveResult {
    /// Name of the cell.
    pub cell: String,
    /// Name of the server.
    pub server: String,
    /// Every move.
    pub samples: Vec<Figures>,
    /// The median of every figure by itself; of errors and keys that are off the sum, so that none hides.
    pub median: Figures,
}

impl MoveResult {
    /// With one more sample.
    pub fn keep(&mut self, sample: Figures) {
        self.samples.push(sample);
        self.median = middle(&self.samples);
    }
}

fn middle(samples: &[Figures]) -> Figures {
    let mut all: BTreeMap<Figure, Vec<f64>> = BTreeMap::new();
    for (figure, value) in samples.iter().flatten() {
        all.entry(*figure).or_default().push(*value);
    }
    let one = |figure, values: Vec<f64>| match figure {
        Figure::Errors | Figure::KeysOff => values.iter().sum(),
        _ => median(values),
    };
    all.into_iter().map(|(figure, values)| (figure, one(figure, values))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_add_up_and_the_rest_has_its_middle() {
        let mut result =
            MoveResult { cell: "x".into(), server: "y".into(), samples: Vec::new(), median: Figures::new() };
        for (seconds, errors) in [(1.0, 1.0), (9.0, 0.0), (2.0, 2.0)] {
            result.keep([(Figure::MoveSeconds, seconds), (Figure::Errors, errors)].into());
        }
        assert_eq!((result.median[&Figure::MoveSeconds], result.median[&Figure::Errors]), (2.0, 3.0));
        let text = serde_json::to_string(&result).unwrap();
        assert!(text.contains("\"move_seconds\":2.0"), "{text}");
        assert_eq!(serde_json::from_str::<MoveResult>(&text).unwrap(), result);
    }
}
