//! What was read of one move, and the figures that follow from it.

use std::time::{Duration, Instant};

use crate::load::kept::KeptReplies;
use crate::machine::stalls::Stalls;
use crate::scenario::moves::cell::{Load, MOVING, MoveCell, Purpose};
use crate::scenario::moves::figures::{Figure, Figures};
use crate::scenario::moves::link::LinkWatch;
use crate::scenario::moves::measuring::{Moment, Moved};
use crate::scenario::moves::probe::{Reply, SLOTS, Watch};
use crate::scenario::moves::traffic::Traffic;
use crate::scenario::moves::windows::TurnWindows;
use crate::scenario::rows::CLIENTS;

/// Bytes of a megabyte.
const MEGABYTE: f64 = 1e6;

/// Time on either side of a hand-over in which replies count as its own: twice the longest pause that Whimbrel allows itself, if
/// nobody says otherwise.
const AT_HAND_OVER: Duration = Duration::from_millis(20);

/// Everything that was read of one cell on one pair.
#[derive(Debug)]
pub struct Reading {
    /// What instants of probes, stalls and moments count from.
    pub origin: Instant,
    /// SETs a second of the load.
    pub rate: Option<f64>,
    /// What clients saw without a move, between these moments.
    pub calm: Traffic,
    /// Beginning of the calm.
    pub calm_from: Moment,
    /// End of the calm.
    pub calm_to: Moment,
    /// What clients saw with the move.
    pub busy: Traffic,
    /// The move.
    pub moved: Moved,
    /// Memory of the source before, and at its peak.
    pub memory: Option<(u64, u64)>,
    /// When the machine stood still, if that could be watched.
    pub stalls: Option<Stalls>,
    /// What the nodes' cores took for their turns, where that is watched.
    pub turns: Option<TurnWindows>,
    /// What went over the link.
    pub link: Option<LinkWatch>,
    /// Keys of source and target before.
    pub keys_before: [i64; 2],
    /// Keys of source and target afterwards.
    pub keys_after: [i64; 2],
}

impl Reading {
    /// Turns that took too long while the machine ran, as far as that could be watched.
    pub fn long_turns(&self) -> Vec<String> {
        let (Some(turns), Some(stalls)) = (&self.turns, &self.stalls) else { return Vec::new() };
        turns.long_ones(stalls, ns(&self.moved.begun), ns(&self.moved.done))
    }
}

/// The figures of one move.
pub fn figures(reading: &Reading, cell: &MoveCell) -> Figures {
    let mut figures = reading.moved.own.clone();
    times(reading, cell, &mut figures);
    replies(reading, &mut figures);
    if let Some(turns) = &reading.turns {
        figures.extend(turns.figures(reading.stalls.as_ref(), ns(&reading.moved.done)));
    }
    if let Some((before, peak)) = reading.memory {
        let share = f64::from(MOVING.1 - MOVING.0 + 1) / 16_384.0;
        let seconds = (reading.moved.done.at - reading.moved.begun.at).as_secs_f64();
        let overwritten = reading.rate.unwrap_or(0.0) * seconds * share * cell.dataset.payload_bytes() as f64;
        figures.insert(Figure::ExtraMemoryMb, (peak as f64 - before as f64) / MEGABYTE);
        figures.insert(Figure::OverwrittenMb, overwritten / MEGABYTE);
    }
    if let Some(link) = &reading.link {
        figures.insert(Figure::LinkMb, link.total_bytes() as f64 / MEGABYTE);
        if matches!(cell.purpose, Purpose::Cap(_)) {
            let most = link.most_bytes_within(Duration::from_secs(1));
            figures.insert(Figure::LinkMbInAnySecond, most / MEGABYTE);
        }
    }
    if let Some(stalls) = &reading.stalls {
        let longest_ns = stalls.longest_ns(ns(&reading.moved.begun), ns(&reading.moved.over));
        figures.insert(Figure::StallMs, longest_ns as f64 / 1e6);
    }
    let sum = |keys: [i64; 2]| keys[0] + keys[1];
    figures.insert(Figure::KeysOff, (sum(reading.keys_after) - sum(reading.keys_before)).abs() as f64);
    figures
}

fn times(reading: &Reading, cell: &MoveCell, figures: &mut Figures) {
    let Reading { calm_from, calm_to, moved: Moved { begun, done, over, .. }, .. } = reading;
    let seconds = (done.at - begun.at).as_secs_f64();
    let moved_keys = (reading.keys_after[1] - reading.keys_before[1]) as f64;
    let moved_mb = cell.moved_bytes(moved_keys) / MEGABYTE;
    figures.insert(Figure::MoveSeconds, seconds);
    figures.insert(Figure::MovedMbPerSecond, moved_mb / seconds);
    if cell.load == Load::Idle {
        // Without load nothing else changes when half of the slots are gone. The drop of the moved keys is part of what a move costs.
        let ran_ns = over.source.ran_ns_since(&begun.source) as f64;
        let calm_share = calm_to.source.ran_ns_since(&calm_from.source) as f64
            / (calm_to.at - calm_from.at).as_nanos() as f64;
        let without_ns = calm_share * (over.at - begun.at).as_nanos() as f64;
        figures.insert(Figure::SourceCpuMsPerMb, (ran_ns - without_ns) / 1e6 / moved_mb);
    }
    let waited = over.source.waited_ns_since(&begun.source) as f64 / (over.at - begun.at).as_nanos() as f64;
    figures.insert(Figure::SourceWaited, waited * 100.0);
}

fn replies(reading: &Reading, figures: &mut Figures) {
    let (calm, busy) = (&reading.calm, &reading.busy);
    if let (Some(calm), Some(busy)) = (&calm.load, &busy.load) {
        figures.insert(Figure::LoadRate, busy.throughput);
        figures.insert(Figure::LoadP99Us, busy.latency.p99_us);
        figures.insert(Figure::CalmLoadP99Us, calm.latency.p99_us);
        let of = [(Figure::UnstalledLoadP99Us, busy), (Figure::UnstalledCalmLoadP99Us, calm)];
        for (figure, report) in of {
            figures.extend(unstalled_p99_us(reading, &report.kept).map(|p99_us| (figure, p99_us)));
        }
        figures.insert(Figure::LoadWorstMs, busy.latency.max_us / 1e3);
        figures.insert(Figure::CalmLoadWorstMs, calm.latency.max_us / 1e3);
        figures.insert(Figure::LoadRedirectsPerConnection, busy.redirects as f64 / CLIENTS as f64);
        figures.insert(Figure::Errors, reading.busy.errors() as f64);
    }
    if busy.moving.replies.is_empty() {
        return;
    }
    figures.insert(Figure::ProbeRedirectsPerSlot, busy.moving.redirects as f64 / f64::from(SLOTS));
    let hand_overs: Vec<u64> = busy.moving.hand_overs_ns().collect();
    let (begun, over) = (ns(&reading.moved.begun), ns(&reading.moved.over));
    let worst = |watch: &Watch, from, to| watch.worst(from, to, |_| true);
    let (calm_from, calm_to) = (ns(&reading.calm_from), ns(&reading.calm_to));
    let calm_worst = |watch| worst(watch, calm_from, calm_to);
    let ms = |reply: Reply| reply.latency_ns as f64 / 1e6;
    let mut insert = |figure, value: Option<f64>| {
        if let Some(value) = value {
            figures.insert(figure, value);
        }
    };
    let (moving, staying) = (worst(&busy.moving, begun, over), worst(&busy.staying, begun, over));
    let (calm_moving, calm_staying) = (calm_worst(&calm.moving), calm_worst(&calm.staying));
    insert(Figure::WorstMovingMs, moving.map(ms));
    insert(Figure::WorstMovingAtMs, moving.and_then(|reply| from_nearest(reply, &hand_overs)));
    let at_hand_over = |reply: &Reply| is_near(*reply, &hand_overs);
    insert(Figure::HandOverMs, busy.moving.worst(begun, over, at_hand_over).map(ms));
    insert(Figure::CalmMovingMs, calm_moving.map(ms));
    insert(Figure::WorstStayingMs, staying.map(ms));
    insert(Figure::WorstStayingAtMs, staying.and_then(|reply| from_nearest(reply, &hand_overs)));
    insert(Figure::CalmStayingMs, calm_staying.map(ms));
    insert(Figure::AddedStayingMs, staying.zip(calm_staying).map(|(busy, calm)| ms(busy) - ms(calm)));
    if let Some(stalls) = &reading.stalls {
        let is_unspoilt = |reply: &Reply| !stalls.spoil_around(reply.due_ns, reply.due_ns + reply.latency_ns);
        let moving = busy.moving.worst(begun, over, is_unspoilt);
        let is_at_hand_over = |reply: &Reply| at_hand_over(reply) && is_unspoilt(reply);
        insert(Figure::UnstalledHandOverMs, busy.moving.worst(begun, over, is_at_hand_over).map(ms));
        let staying = busy.staying.worst(begun, over, is_unspoilt).map(ms);
        let calm = calm.staying.worst(calm_from, calm_to, is_unspoilt).map(ms);
        insert(Figure::UnstalledMovingMs, moving.map(ms));
        insert(Figure::UnstalledMovingAtMs, moving.and_then(|reply| from_nearest(reply, &hand_overs)));
        insert(Figure::UnstalledStayingMs, staying);
        insert(Figure::UnstalledAddedStayingMs, staying.zip(calm).map(|(busy, calm)| busy - calm));
        let all = || busy.moving.replies.iter().chain(&busy.staying.replies);
        let spoilt = all().filter(|reply| !is_unspoilt(reply)).count();
        insert(Figure::Stalled, Some(spoilt as f64 * 100.0 / all().count() as f64));
    }
    let last = hand_overs.iter().max().copied();
    insert(Figure::AfterStayingMs, last.and_then(|last| worst(&busy.staying, last, over)).map(ms));
}

/// What one reply in a hundred is slower than, of those that no stall has spoilt.
fn unstalled_p99_us(reading: &Reading, kept: &KeptReplies) -> Option<f64> {
    let stalls = reading.stalls.as_ref()?;
    kept.one_in(100, |reply| reply.is_spoilt(stalls, reading.origin))
        .map(|latency| latency.as_nanos() as f64 / 1e3)
}

fn ns(moment: &Moment) -> u64 {
    moment.at.as_nanos() as u64
}

/// When a reply was due, from the hand-over that is nearest to it.
fn from_nearest(reply: Reply, hand_overs_ns: &[u64]) -> Option<f64> {
    let distance = |at: &u64| reply.due_ns as f64 / 1e6 - *at as f64 / 1e6;
    hand_overs_ns.iter().map(distance).min_by(|a, b| a.abs().total_cmp(&b.abs()))
}

/// Whether a reply was awaited while a hand-over was near.
fn is_near(reply: Reply, hand_overs_ns: &[u64]) -> bool {
    let near_ns = AT_HAND_OVER.as_nanos() as u64;
    let answered_ns = reply.due_ns + reply.latency_ns;
    hand_overs_ns.iter().any(|at_ns| reply.due_ns <= at_ns + near_ns && *at_ns <= answered_ns + near_ns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_awaited_over_a_hand_over_or_beside_it_is_its_own() {
        let is_near = |due_ms: u64, latency_ms: u64| {
            let reply =
                Reply { due_ns: due_ms * 1_000_000, latency_ns: latency_ms * 1_000_000, redirected: false };
            is_near(reply, &[500_000_000, 900_000_000])
        };
        assert!(is_near(100, 700) && is_near(470, 10) && is_near(520, 1) && is_near(895, 90));
        assert!(!is_near(470, 9) && !is_near(521, 1) && !is_near(0, 1));
    }

    #[test]
    fn instants_count_from_the_nearest_hand_over() {
        let reply = Reply { due_ns: 7_000_000, latency_ns: 1, redirected: false };
        assert_eq!(from_nearest(reply, &[1_000_000, 9_000_000]), Some(-2.0));
        assert_eq!(from_nearest(reply, &[]), None);
    }
}
