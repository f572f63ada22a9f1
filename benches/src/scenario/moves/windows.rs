//! The longest turns of source and target in windows of some milliseconds each, and those of the windows in which the machine ran.
//!
//! A guest books the time for which its CPU was taken away as the thread's own. So a window that a stall of the machine
//! overlaps says nothing; all others count.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::machine::stalls::Stalls;
use crate::scenario::moves::figures::{Figure, Figures};
use crate::scenario::moves::turns::{Turns, forget, read_and_forget};
use crate::scenario::sample::median;
use crate::wire::control::Control;

/// Microseconds of a turn of move work, or of a whole loop, beyond which it is too long.
pub const LONG_MOVE_TURN_US: f64 = 1000.0;
/// The same of a turn that frees what has moved.
pub const LONG_DROP_TURN_US: f64 = 50.0;
/// Time between two readings. Each costs the core a fraction of a millisecond.
const INTERVAL: Duration = Duration::from_millis(10);
/// Turns of one kind that are told one by one, the longest first.
const TOLD_MAX: usize = 5;

/// What a node measured between two instants, which count from the watch's origin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// No later than the turns began to be measured: the reading before was asked for.
    pub from_ns: u64,
    /// The same of whole loops: that in which it was asked for is told of only now, and began before.
    pub loops_from_ns: u64,
    /// No earlier than they were read: the reply was there.
    pub to_ns: u64,
    /// What was measured.
    pub turns: Turns,
}

/// All windows of a node, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeWindows {
    /// The CPU that the node keeps to: what another does is nothing to it.
    pub cpu: usize,
    /// The windows.
    pub windows: Vec<Window>,
}

/// All windows of a move and its drop.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnWindows {
    /// Of the source.
    pub source: NodeWindows,
    /// Of the target.
    pub target: NodeWindows,
}

/// Reads both nodes again and again.
pub struct TurnWatch {
    nodes: [Node; 2],
    origin: Instant,
}

struct Node {
    control: Control,
    /// When it was asked to measure anew, the last time and the time before.
    asked_ns: u64,
    asked_before_ns: u64,
    seen: NodeWindows,
}

impl TurnWatch {
    /// Has both nodes, which keep to these CPUs, measure anew: what they do from now on is in a window.
    pub fn start(nodes: [Control; 2], cpus: [usize; 2], origin: Instant) -> io::Result<Self> {
        let [source, target] = nodes;
        let nodes = [Node::start(source, cpus[0], origin)?, Node::start(target, cpus[1], origin)?];
        Ok(Self { nodes, origin })
    }

    /// Reads until `stop` is set, and once after that.
    pub fn until(mut self, stop: &AtomicBool) -> io::Result<TurnWindows> {
        loop {
            thread::sleep(INTERVAL);
            let is_last = stop.load(Ordering::Relaxed);
            for node in &mut self.nodes {
                node.read(self.origin)?;
            }
            if is_last {
                let [source, target] = self.nodes.map(|node| node.seen);
                return Ok(TurnWindows { source, target });
            }
        }
    }
}

impl Node {
    fn start(mut control: Control, cpu: usize, origin: Instant) -> io::Result<Self> {
        let asked_ns = since(origin);
        forget(&mut control)?;
        Ok(Self {
            control,
            asked_ns,
            asked_before_ns: asked_ns,
            seen: NodeWindows { cpu, windows: Vec::new() },
        })
    }

    fn read(&mut self, origin: Instant) -> io::Result<()> {
        let asked_ns = since(origin);
        let turns = read_and_forget(&mut self.control)?;
        let from_ns = std::mem::replace(&mut self.asked_ns, asked_ns);
        let loops_from_ns = std::mem::replace(&mut self.asked_before_ns, from_ns);
        self.seen.windows.push(Window { from_ns, loops_from_ns, to_ns: since(origin), turns });
        Ok(())
    }
}

fn since(origin: Instant) -> u64 {
    origin.elapsed().as_nanos() as u64
}

/// Since when, and the longest turn of a kind in microseconds.
type Longest = fn(&Window) -> (u64, f64);

/// A kind of turns: what is read of it, in which windows.
struct Kind<'a> {
    name: &'static str,
    node: &'a NodeWindows,
    of: Longest,
    /// Windows that lie wholly before or after this are another phase's.
    from_ns: u64,
    to_ns: u64,
    /// Microseconds beyond which it is too long.
    bound_us: f64,
    /// The longest of all.
    longest: Figure,
    /// The longest while the machine ran.
    unstalled: Figure,
    /// The median of windows, and how many have one that is too long.
    spread: Option<(Figure, Figure)>,
}

/// The longest turn of one window.
#[derive(Clone, Copy)]
struct Turn {
    from_ns: u64,
    to_ns: u64,
    took_us: f64,
}

impl Kind<'_> {
    /// The longest turns of the windows in which there were any.
    fn turns(&self) -> impl Iterator<Item = Turn> {
        let turns = self.node.windows.iter().map(|window| {
            let (from_ns, took_us) = (self.of)(window);
            Turn { from_ns, to_ns: window.to_ns, took_us }
        });
        turns.filter(|t| self.from_ns <= t.to_ns && t.from_ns <= self.to_ns && t.took_us > 0.0)
    }

    /// Those that no stall of the node's CPU overlaps.
    fn unstalled(&self, stalls: &Stalls) -> Vec<Turn> {
        let own = stalls.on(self.node.cpu);
        self.turns().filter(|turn| !own.spoil(turn.from_ns, turn.to_ns)).collect()
    }
}

impl Kind<'_> {
    /// How many windows have a turn that took too long even without the time for which the CPU stood still in the window.
    fn unexplained(&self, stalls: &Stalls) -> usize {
        let own = stalls.on(self.node.cpu);
        let stalled_us = |turn: &Turn| own.within_ns(turn.from_ns, turn.to_ns) as f64 / 1e3;
        self.turns().filter(|turn| turn.took_us - stalled_us(turn) > self.bound_us).count()
    }
}

impl NodeWindows {
    /// How many windows a stall of the node's CPU overlaps.
    fn spoilt(&self, stalls: &Stalls) -> usize {
        let own = stalls.on(self.cpu);
        self.windows.iter().filter(|window| own.spoil(window.from_ns, window.to_ns)).count()
    }
}

impl TurnWindows {
    /// The figures of a move that was done at this instant.
    pub fn figures(&self, stalls: Option<&Stalls>, done_ns: u64) -> Figures {
        let mut figures = Figures::new();
        for kind in self.kinds(done_ns) {
            figures.extend(most(kind.turns()).map(|took_us| (kind.longest, took_us)));
            let unstalled = stalls.map(|stalls| kind.unstalled(stalls)).unwrap_or_default();
            let Some(longest_us) = most(unstalled.iter().copied()) else { continue };
            figures.insert(kind.unstalled, longest_us);
            if let Some((middle, long)) = kind.spread {
                let is_long = |turn: &&Turn| turn.took_us > kind.bound_us;
                figures.insert(long, unstalled.iter().filter(is_long).count() as f64);
                figures.insert(middle, median(unstalled.iter().map(|turn| turn.took_us).collect()));
            }
        }
        let nodes = [&self.source, &self.target];
        let all = || nodes.iter().flat_map(|node| &node.windows);
        figures.insert(Figure::MoveTurns, all().map(|window| window.turns.moving_count).sum());
        figures.insert(Figure::LongMoveTurns, all().map(|window| window.turns.moving_long).sum());
        if let Some(stalls) = stalls {
            let [source, target, ..] = self.kinds(done_ns);
            let unexplained = source.unexplained(stalls) + target.unexplained(stalls);
            figures.insert(Figure::UnexplainedMoveTurns, unexplained as f64);
            let spoilt: usize = nodes.iter().map(|node| node.spoilt(stalls)).sum();
            figures.insert(Figure::TurnWindows, all().count() as f64);
            figures.insert(Figure::StalledTurnWindows, spoilt as f64);
        }
        figures
    }

    /// The longest of those turns that took too long while the machine ran, in words.
    pub fn long_ones(&self, stalls: &Stalls, begun_ns: u64, done_ns: u64) -> Vec<String> {
        let mut lines = Vec::new();
        let ms = |ns: u64| (ns as f64 - begun_ns as f64) / 1e6;
        for kind in self.kinds(done_ns) {
            let mut long = kind.unstalled(stalls);
            long.retain(|turn| turn.took_us > kind.bound_us);
            long.sort_by(|a, b| b.took_us.total_cmp(&a.took_us));
            for turn in long.iter().take(TOLD_MAX) {
                let (from, to, done) = (ms(turn.from_ns), ms(turn.to_ns), ms(done_ns));
                lines.push(format!(
                    "a turn of {} took {:.0} µs while the machine ran, {from:.0} to {to:.0} ms after the command ({done:.0} ms: done)",
                    kind.name, turn.took_us
                ));
            }
        }
        lines
    }

    /// Move work goes on when the slots have changed hands: it tells its peer, and hands over to be freed. A window in which the
    /// move was done belongs to what is before and to what is after.
    fn kinds(&self, done_ns: u64) -> [Kind<'_>; 6] {
        let moving = |name, node, longest, unstalled, middle, long| Kind {
            name,
            node,
            of: |window| (window.from_ns, window.turns.moving),
            from_ns: 0,
            to_ns: u64::MAX,
            bound_us: LONG_MOVE_TURN_US,
            longest,
            unstalled,
            spread: Some((middle, long)),
        };
        let looping = |name, node, (from_ns, to_ns), longest, unstalled| Kind {
            name,
            node,
            of: |window| (window.loops_from_ns, window.turns.looping),
            from_ns,
            to_ns,
            bound_us: LONG_MOVE_TURN_US,
            longest,
            unstalled,
            spread: None,
        };
        let (before, after) = ((0, done_ns), (done_ns, u64::MAX));
        let (source, target) = (&self.source, &self.target);
        use Figure::*;
        [
            moving(
                "move work at the source",
                source,
                SourceMoveTurnUs,
                UnstalledSourceMoveTurnUs,
                UnstalledSourceMoveTurnMedianUs,
                UnstalledSourceMoveTurnsLong,
            ),
            moving(
                "move work at the target",
                target,
                TargetMoveTurnUs,
                UnstalledTargetMoveTurnUs,
                UnstalledTargetMoveTurnMedianUs,
                UnstalledTargetMoveTurnsLong,
            ),
            looping("the source", source, before, SourceLoopUs, UnstalledSourceLoopUs),
            looping("the target", target, before, TargetLoopUs, UnstalledTargetLoopUs),
            looping("the source during the drop", source, after, SourceDropLoopUs, UnstalledSourceDropLoopUs),
            Kind {
                name: "freeing",
                node: source,
                of: |window| (window.from_ns, window.turns.freeing),
                from_ns: done_ns,
                to_ns: u64::MAX,
                bound_us: LONG_DROP_TURN_US,
                longest: SourceDropTurnUs,
                unstalled: UnstalledSourceDropTurnUs,
                spread: Some((UnstalledSourceDropTurnMedianUs, UnstalledSourceDropTurnsLong)),
            },
        ]
    }
}

fn most(turns: impl Iterator<Item = Turn>) -> Option<f64> {
    turns.map(|turn| turn.took_us).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::stalls::Stall;

    const DONE_NS: u64 = 250;

    /// Windows of 100 ns, which overlap a little, with these longest turns of move work and of freeing.
    fn windows(cpu: usize, turns: &[(f64, f64)]) -> NodeWindows {
        let window = |(index, (moving, freeing)): (usize, &(f64, f64))| {
            let from_ns = 100 * index as u64;
            let turns = Turns {
                moving: *moving,
                moving_count: 2.0,
                moving_long: f64::from(*moving > 1000.0),
                looping: moving + freeing,
                freeing: *freeing,
            };
            Window { from_ns, loops_from_ns: from_ns.saturating_sub(100), to_ns: from_ns + 105, turns }
        };
        NodeWindows { cpu, windows: turns.iter().enumerate().map(window).collect() }
    }

    fn example() -> TurnWindows {
        TurnWindows {
            source: windows(0, &[(7.0, 0.0), (7000.0, 0.0), (1500.0, 49.0), (0.0, 90.0), (0.0, 51.0)]),
            target: windows(1, &[(30.0, 0.0), (10.0, 0.0), (20.0, 0.0), (0.0, 0.0), (0.0, 0.0)]),
        }
    }

    /// Of the source's CPU.
    fn stalls(spans: &[(u64, u64)]) -> Stalls {
        Stalls(spans.iter().map(|&(from_ns, to_ns)| Stall { cpu: 0, from_ns, to_ns }).collect())
    }

    fn figure(stalls: Option<&Stalls>, figure: Figure) -> Option<f64> {
        example().figures(stalls, DONE_NS).get(&figure).copied()
    }

    #[test]
    fn a_window_that_a_stall_overlaps_does_not_count() {
        use Figure::*;
        let names = [
            UnstalledSourceMoveTurnUs,
            UnstalledSourceMoveTurnsLong,
            UnstalledSourceMoveTurnMedianUs,
            UnstalledSourceDropTurnUs,
            UnstalledSourceDropTurnsLong,
            StalledTurnWindows,
        ];
        let all = [
            (vec![], [7000.0, 2.0, 1500.0, 90.0, 2.0, 0.0]),
            (vec![(150, 160)], [1500.0, 1.0, 753.5, 90.0, 2.0, 1.0]),
            // What piled up during a stall is done after it, for as long.
            (vec![(150, 180)], [7.0, 0.0, 7.0, 90.0, 2.0, 2.0]),
            (vec![(310, 311)], [7000.0, 2.0, 1500.0, 51.0, 1.0, 1.0]),
        ];
        for (spans, wanted) in all {
            let stalls = stalls(&spans);
            assert_eq!(names.map(|name| figure(Some(&stalls), name).unwrap()), wanted, "{spans:?}");
        }
    }

    #[test]
    fn what_stalls_took_of_a_window_explains_a_long_turn() {
        let turns = Turns { moving: 3000.0, ..Turns::default() };
        let window = Window { from_ns: 0, loops_from_ns: 0, to_ns: 10_000_000, turns };
        let source = NodeWindows { cpu: 0, windows: vec![window] };
        let windows = TurnWindows { source, target: NodeWindows { cpu: 1, windows: Vec::new() } };
        let unexplained = |spans: &[(u64, u64)]| {
            let figures = windows.figures(Some(&stalls(spans)), 10_000_000);
            figures[&Figure::UnexplainedMoveTurns]
        };
        assert_eq!(unexplained(&[]), 1.0);
        assert_eq!(unexplained(&[(0, 1_000_000), (9_500_000, 20_000_000)]), 1.0);
        assert_eq!(unexplained(&[(0, 1_000_000), (9_000_000, 20_000_000)]), 0.0);
    }

    #[test]
    fn a_stall_of_one_cpu_is_nothing_to_the_node_on_the_other() {
        let stalls = stalls(&[(0, 600)]);
        assert_eq!(figure(Some(&stalls), Figure::UnstalledTargetMoveTurnUs), Some(30.0));
        assert_eq!(
            figure(Some(&stalls), Figure::UnstalledSourceMoveTurnUs),
            None,
            "no window tells anything"
        );
        assert_eq!(figure(Some(&stalls), Figure::StalledTurnWindows), Some(5.0));
        assert_eq!(figure(Some(&stalls), Figure::TurnWindows), Some(10.0));
        assert!(example().long_ones(&stalls, 0, DONE_NS).is_empty());
    }

    #[test]
    fn stalls_at_the_edges_of_windows_spoil_both() {
        let spoilt = |from_ns, to_ns| example().source.spoilt(&stalls(&[(from_ns, to_ns)]));
        let spans = [(105, 106), (106, 107), (90, 95), (90, 94), (505, 600), (506, 600)];
        assert_eq!(spans.map(|(from_ns, to_ns)| spoilt(from_ns, to_ns)), [2, 1, 2, 1, 1, 0]);
    }

    #[test]
    fn what_no_watch_saw_is_not_told() {
        assert_eq!(figure(None, Figure::SourceMoveTurnUs), Some(7000.0));
        assert_eq!(figure(None, Figure::MoveTurns), Some(20.0));
        assert_eq!(figure(None, Figure::LongMoveTurns), Some(2.0));
        assert_eq!(figure(None, Figure::UnstalledSourceMoveTurnUs), None);
        assert_eq!(figure(None, Figure::TurnWindows), None);
    }

    #[test]
    fn loops_belong_to_the_move_until_it_is_done_and_to_the_drop_from_then_on() {
        assert_eq!(figure(None, Figure::SourceLoopUs), Some(7000.0));
        assert_eq!(figure(None, Figure::SourceDropLoopUs), Some(1549.0), "the move was done in that window");
        assert_eq!(figure(None, Figure::TargetLoopUs), Some(30.0));
        let none = figure(Some(&stalls(&[(150, 151)])), Figure::UnstalledSourceLoopUs);
        assert_eq!(none, Some(90.0), "a loop is told of in the window after the one in which it began");
    }

    #[test]
    fn the_longest_turns_are_told_with_their_windows() {
        let lines = example().long_ones(&stalls(&[(150, 160)]), 0, DONE_NS);
        let turns = ["move work at the source took 1500", "freeing took 90", "freeing took 51"];
        assert_eq!(lines.len(), turns.len(), "{lines:?}");
        for (line, turn) in lines.iter().zip(turns) {
            assert!(line.starts_with(&format!("a turn of {turn} µs")), "{line}");
        }
    }
}
